// SPDX-License-Identifier: Apache-2.0
// The command line as one struct.
#pragma once

#include "agent/cli/exit_code.h"
#include "agent/config/guard_config.h"
#include "agent/guard/events_filter.h"
#include "agent/guard/options.h"
#include "agent/sandbox/seccomp.h"

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
    Check,
    Report,
    ConfigCheck,
    ConfigPrint,
    Verify,
};

constexpr const char* kImdsAddress = "169.254.169.254";

/// Whom `guard explain` is asked about: a process, a description, or the caller of the last denial. None of them, and a
/// policy: what that one would change.
struct ExplainOptions {
    std::optional<int> pid;
    std::string user;                ///< name or number
    std::vector<std::string> groups; ///< names or numbers; the first is the real group. None: as the account files say
    std::string exe;
    std::string unit;
    std::string cgroup_path; ///< below the guarded cgroup
    bool container = false;
    bool last_denial = false; ///< whom the newest recorded denial was about
    std::string address = kImdsAddress;
    std::string policy; ///< instead of CommandLine::config

    [[nodiscard]] bool names_caller() const { return pid || last_denial || !user.empty(); }
};

struct LearnOptions {
    std::string output; ///< empty: standard output
    bool force = false; ///< replace `output`
    std::uint64_t min_count = 1;
};

/// What `check` does besides checking.
enum class CheckTask { Check, List, Coverage, Posture };

struct CheckOptions {
    CheckTask task = CheckTask::Check;
    std::string profile; ///< empty: the one for the host's os-release
    std::string root = "/";
    int level = 2;
    bool workstation = false;
    std::vector<std::string> rules;   ///< globs over ids and numbers
    std::vector<std::string> formats; ///< none: text
    std::string output;               ///< empty: standard output
    std::string tailoring;            ///< file
    std::vector<std::string> settings;
    std::string baseline; ///< an earlier json report
    std::string fail_on = "fail";
    std::string explain; ///< a rule: everything about it instead of a check
    std::string library = "/usr/share/hostward/hardening";
    std::string aws_account, aws_region, aws_instance; ///< asff: whom AWS knows the host as
    bool all = false;                                  ///< text: what passed, too
    bool no_sweep = false;                             ///< leave out rules that walk the file system
};

struct VerifyOptions {
    std::string file; ///< an envelope, `-`: standard input
    bool sts = false, offline = false;
    std::string audience = "hostward";
    std::string max_age = "5m";
    std::string nonce;  ///< empty: any
    std::string nonces; ///< file; empty: replays are not noticed
    std::string account;
    std::string region; ///< empty: that of the report
    std::string jwks;   ///< file
    std::string issuer;
    std::string trusted_sts;       ///< URL instead of AWS's own names
    std::string identity, rsa2048; ///< files: a document alone instead of an envelope
};

struct ReportOptions {
    std::string config = "/etc/hostward/report.toml"; ///< of check --posture, too
    bool once = false;
    bool dry_run = false;
    std::vector<std::string> sinks; ///< none: all of the configuration
    std::string nonce;              ///< what the receiver wants to see; empty: a random one
};

struct CommandLine {
    Command command = Command::GuardStatus;
    guard::Options guard;
    std::string config = "/etc/hostward/hostward.toml";
    std::string preset_dir = config::kPresetDir;
    bool any_owner = false; ///< config check, config print, guard explain
    bool json = false;
    bool summary_line = false;     ///< check, guard status, report
    std::size_t chars_max = 24000; ///< of all that goes to standard output with summary_line: what AWS SSM keeps
    bool follow = false;           ///< guard events
    std::string events;            ///< a kept events file, "-": standard input; empty: that of the agent
    std::string since;             ///< as written; empty: from the beginning
    guard::EventFilter filter;     ///< guard events; its time is `since`
    ExplainOptions explain;
    LearnOptions learn;
    CheckOptions check;
    VerifyOptions verify;
    ReportOptions report;
    sandbox::Enforcement enforcement = sandbox::Enforcement::Kill; ///< the environment's choice, not an option

    [[nodiscard]] config::Trust trust() const { return any_owner ? config::Trust::AnyOwner : config::Trust::RootOnly; }
};

/// Instead of a command: a text to print, and how to end. Ok: to standard output (--help, --version).
struct Answer {
    std::string text;
    ExitCode code = ExitCode::Ok;
};

[[nodiscard]] std::variant<CommandLine, Answer> parse_command_line(int argc, const char* const* argv);

} // namespace hostward::cli
