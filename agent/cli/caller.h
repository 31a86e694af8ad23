// SPDX-License-Identifier: Apache-2.0
// Whom `guard explain` is asked about, as the facts that a decision looks at.
#pragma once

#include "agent/cli/options.h"
#include "agent/guard/decide.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::cli {

struct Subject {
    guard::Caller caller;
    std::string program;            ///< for people; empty: none
    std::vector<std::string> notes; ///< what should be known about the answer, one sentence each
};

/// The caller that the options describe. The account files below `root` say which groups a user has.
[[nodiscard]] Result<Subject> describe_caller(const ExplainOptions& options, guard::Resolver& resolver,
                                              const std::string& root = "/");

/// Supplementary groups of a user as the account files below `root` have them; none for an unknown one.
[[nodiscard]] std::vector<std::uint32_t> account_groups(std::uint32_t uid, const std::string& root = "/");

/// A running process, read from /proc. NotFound: no such process, or it is outside the guarded cgroup.
[[nodiscard]] Result<Subject> observe_caller(int pid, const guard::Options& options);

/// Whom the newest recorded denial was about, with the groups of the account files; and the endpoint asked for.
struct RecordedDenial {
    Subject subject;
    std::string endpoint;
};
[[nodiscard]] Result<RecordedDenial> last_denial(const CommandLine& line, guard::Resolver& resolver);

/// What /proc/PID/status tells. Nothing: a line is missing or malformed.
struct ProcStatus {
    std::uint32_t uid = 0;
    std::uint32_t euid = 0;
    std::uint32_t gid = 0;
    std::vector<std::uint32_t> groups;
};
[[nodiscard]] std::optional<ProcStatus> parse_proc_status(std::string_view text);

/// The cgroup2 path in the text of /proc/PID/cgroup ("0::/a/b"). Nothing: the process is in none.
[[nodiscard]] std::optional<std::string> parse_proc_cgroup(std::string_view text);

/// The cgroup that a folder of a cgroup2 file system stands for, as /proc/PID/cgroup would name it, by the text of
/// /proc/self/mountinfo. Nothing: it lies on no cgroup2 mount.
[[nodiscard]] std::optional<std::string> cgroup_of_folder(std::string_view mountinfo, const std::string& folder);

/// `path` below `top`: "" for top itself, else "/a/b". Nothing: it is not below.
[[nodiscard]] std::optional<std::string> below(const std::string& path, const std::string& top);

} // namespace hostward::cli
