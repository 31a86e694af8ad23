// SPDX-License-Identifier: Apache-2.0
// The command line as one struct.
#pragma once

#include "agent/cli/exit_code.h"
#include "agent/config/guard_config.h"
#include "agent/guard/events_filter.h"
#include "agent/guard/options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace hostward::cli {

enum class Command {
    GuardRun,
    GuardLoad,
    GuardUnload,
    GuardStatus,
    GuardEvents,
    GuardExplain,
    GuardMetrics,
    GuardLearn,
    GuardDoctor,
    ConfigCheck,
    ConfigPrint,
};

/// Whom `guard explain` is asked about: a process, a description, or the caller of the last denial.
struct ExplainOptions {
    std::optional<int> pid;
    std::string user;                ///< name or number
    std::vector<std::string> groups; ///< names or numbers; the first is the real group. None: as the account files say
    std::string exe;
    std::string unit;
    std::string cgroup_path; ///< below the guarded cgroup
    bool container = false;
    bool last_denial = false; ///< whom the newest recorded denial was about
    std::string address = "169.254.169.254";
};

struct LearnOptions {
    std::string output; ///< empty: standard output
    bool force = false; ///< replace `output`
    std::uint64_t min_count = 1;
};

struct CommandLine {
    Command command = Command::GuardStatus;
    guard::Options guard;
    std::string config = "/etc/hostward/hostward.toml";
    std::string preset_dir = config::kPresetDir;
    bool any_owner = false; ///< config check, config print
    bool json = false;
    bool follow = false;       ///< guard events
    std::string events;        ///< a kept events file, "-": standard input; empty: that of the agent
    std::string since;         ///< as written; empty: from the beginning
    guard::EventFilter filter; ///< guard events; its time is `since`
    ExplainOptions explain;
    LearnOptions learn;
};

/// Instead of a command: a text to print, and how to end. Ok: to standard output (--help, --version).
struct Answer {
    std::string text;
    ExitCode code = ExitCode::Ok;
};

[[nodiscard]] std::variant<CommandLine, Answer> parse_command_line(int argc, const char* const* argv);

} // namespace hostward::cli
