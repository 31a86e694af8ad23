// SPDX-License-Identifier: Apache-2.0
// Where event lines go: into the file that `guard events` reads, and to the journal or standard output.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/event_file.h"
#include "agent/guard/event_losses.h"
#include "agent/guard/journal_socket.h"
#include "agent/guard/options.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hostward::guard {

class EventOutput {
public:
    static constexpr std::chrono::seconds kComplainEvery{60};

    [[nodiscard]] static Result<EventOutput> open(const std::string& run_dir, const LiveOutput& live);

    /// Writes the line to both. Never waits for a reader: what the journal does not take is tried as a plain line, and
    /// what that does not take is counted. Returns what to log.
    [[nodiscard]] std::vector<std::string> write(const std::string& line, std::uint64_t now_ns);

    /// Lines that the file could not take, since the start.
    [[nodiscard]] std::uint64_t lost_in_file() const { return file_losses_.total(); }
    /// Lines that reached neither the journal nor standard output, since the start.
    [[nodiscard]] std::uint64_t lost_live() const { return live_losses_.total(); }

private:
    EventOutput(EventFile file, int lines) : file_(std::move(file)), lines_(lines) {}
    [[nodiscard]] std::vector<std::string> write_live(const std::string& line, std::uint64_t now_ns);
    [[nodiscard]] Status print(const std::string& line) const;
    [[nodiscard]] std::string without_fields(const std::string& problem, std::uint64_t now_ns);

    EventFile file_;
    int lines_;
    std::optional<JournalSocket> journal_;
    EventLosses file_losses_;
    EventLosses live_losses_;
    std::optional<std::uint64_t> complained_ns_;
};

} // namespace hostward::guard
