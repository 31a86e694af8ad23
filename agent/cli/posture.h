// SPDX-License-Identifier: Apache-2.0
// The posture: what root knows of this host, in a file that `hostward report` sends without being root.
#pragma once

#include "agent/base/result.h"
#include "agent/cli/options.h"
#include "agent/cli/output.h"
#include "agent/config/report_config.h"
#include "agent/guard/status.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hostward::cli {

struct HostPosture {
    std::string hostname;
    std::string os_id;
    std::string os_version_id;
    std::string os_pretty_name;
    std::string kernel;
    std::string architecture;
};

struct Posture {
    std::int64_t collected_s = 0; ///< seconds since 1970
    HostPosture host;
    Result<guard::GuardStatus> guard = Error{ErrorKind::Unsupported, 0, "not asked"};
    std::vector<std::string> checks; ///< reports in our JSON format, one object each
};

/// One JSON object on one line: the members after `identity` in docs/schema/posture-report.schema.json. Pure.
[[nodiscard]] std::string posture_json(const Posture& posture);

/// What this host is like now, as posture_json() writes it: the profiles of `config`, or the one of the command line.
[[nodiscard]] Result<std::string> collect(const CommandLine& line, const config::ReportConfig& config, Output& err);

/// Beside the state folder's other parts. Root's, readable for the group that reports.
[[nodiscard]] std::string posture_path(const std::string& state_dir);

/// Who sends reports where hostward is installed as a package; without such a user root does it.
inline constexpr auto kReportUser = "hostward";

/// Folders for what the reporting user writes: `spool` and `reports` below `state_dir`. As root only.
[[nodiscard]] Status prepare_state(const std::string& state_dir);

/// Gives up root for kReportUser, for good. Without such a user nothing changes.
[[nodiscard]] Status become_report_user();

/// Replaces the file in one step; makes its folders where there are none, for kReportUser's group if that exists.
[[nodiscard]] Status write_posture(const std::string& state_dir, const std::string& json);

/// Who alone may be able to change report.toml: root, if root reads it. Others read only what is theirs to send.
[[nodiscard]] std::optional<unsigned> config_owner();

/// NotFound: nobody collected one.
[[nodiscard]] Result<std::string> read_posture(const std::string& state_dir);

} // namespace hostward::cli
