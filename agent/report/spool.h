// SPDX-License-Identifier: Apache-2.0
// Reports that wait for their sinks, in a folder that survives power loss.
//
//   lock                     held by the run that is at it
//   sequence                 the highest number that was ever given
//   reports/SEQUENCE-ID.report
//   cursors/SINK             number and id of the last report that the sink confirmed
//   damaged/                 files that are not what was written, at most kDamagedMax, the newest
//
// A report is written aside, fsynced and renamed: it is there whole, or not. Order is that of the numbers, not of the
// ids, so a clock that was set back loses nothing. A report is removed when all sinks of the configuration have it.
#pragma once

#include "agent/base/result.h"
#include "agent/report/sink.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace hostward::report {

inline constexpr std::size_t kDamagedMax = 8;

class Spool {
public:
    Spool(Spool&& other) noexcept;
    Spool& operator=(Spool&& other) noexcept;
    ~Spool();

    /// Opens `folder` (made if it is not there) and takes its lock. Conflict: another run holds it. Files that are
    /// damaged are moved to `damaged/` and named in notes.
    [[nodiscard]] static Result<Spool> open(const std::string& folder, std::uint64_t bytes_max);

    /// The number for the next report: one more than of any report that was ever added.
    [[nodiscard]] std::uint64_t next_sequence() const;

    /// On return the report is on disk. When it would not fit, others are dropped: first the oldest whose posture is
    /// that of the report after it, then the oldest; notes say which and who did not have them yet. Exhausted: it alone
    /// is larger than the bound, or the disk is full: nothing was dropped for it then. Conflict: its number was given
    /// before. Invalid: its id is no id.
    [[nodiscard]] Status add(const Report& report);

    /// Ids that `sink` has not confirmed, oldest first.
    [[nodiscard]] Result<std::vector<std::string>> waiting_for(const std::string& sink) const;
    /// NotFound: none of that id. Invalid: it is damaged now; the next open() sets it aside.
    [[nodiscard]] Result<Report> read(const std::string& id) const;
    /// `sink` has this report and all before it. Durable on return.
    [[nodiscard]] Status confirm(const std::string& sink, const std::string& id);
    /// Removes reports that every one of `sinks` has, and cursors of sinks that are no more. No sinks: nothing is done.
    [[nodiscard]] Status clean(const std::vector<std::string>& sinks);

    /// What happened that people should know, in words; each once.
    [[nodiscard]] std::vector<std::string> take_notes();

private:
    struct State;
    explicit Spool(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

} // namespace hostward::report
