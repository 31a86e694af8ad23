// SPDX-License-Identifier: Apache-2.0
// Lines of run_dir/events.jsonl, the rotated events.jsonl.1 first, across further rotations.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace hostward::cli {

class EventReader {
public:
    /// Longer lines are dropped and counted.
    static constexpr std::size_t kLineBytesMax = std::size_t{64} << 10;

    /// NotFound: there is no such file, the agent never ran with this run_dir.
    [[nodiscard]] static Result<EventReader> open(const std::string& run_dir);

    /// One file that somebody kept, or standard input for "-".
    [[nodiscard]] static Result<EventReader> open_kept(const std::string& file);

    /// The next complete line without its newline, or nothing: the end for now. Call again when there is more.
    [[nodiscard]] Result<std::optional<std::string>> next();

    /// Once next() found the end: what follows the last newline. Empty: nothing, or the rest of a line too long.
    [[nodiscard]] std::string take_rest();

    [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
    explicit EventReader(std::string path) : path_(std::move(path)) {}
    [[nodiscard]] Status queue_files();
    [[nodiscard]] std::optional<std::string> take_line();
    [[nodiscard]] Result<bool> read_more();
    [[nodiscard]] bool is_replaced() const;
    void start_next_file();

    std::string path_;
    UniqueFd file_;
    std::deque<UniqueFd> files_; ///< to be read after file_
    std::string buffer_;
    bool skipping_ = false;      ///< within a line that is too long
    bool replaced_seen_ = false; ///< file_ was rotated away: read to its end once more, then go on
    std::uint64_t dropped_ = 0;
};

} // namespace hostward::cli
