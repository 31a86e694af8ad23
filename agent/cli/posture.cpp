// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/posture.h"

#include "agent/base/text.h"
#include "agent/cli/output_file.h"
#include "agent/cli/status_view.h"
#include "agent/host/host.h"
#include "agent/host/users.h"
#include "agent/report/document.h"
#include "agent/sandbox/process.h"
#include "hardening/formats/wording.h"

#include <nlohmann/json.hpp>

#include <sys/stat.h>
#include <unistd.h>

namespace hostward::cli {

namespace {

using Json = nlohmann::ordered_json;

Json host_json(const HostPosture& host)
{
    return {{"hostname", escape(host.hostname)},
            {"os",
             {{"id", escape(host.os_id)},
              {"version_id", escape(host.os_version_id)},
              {"pretty_name", escape(host.os_pretty_name)}}},
            {"kernel", escape(host.kernel)},
            {"architecture", escape(host.architecture)}};
}

std::string folder_of(const std::string& state_dir) { return state_dir + "/posture"; }

Status make_folder(const std::string& path, std::uint32_t gid, mode_t mode)
{
    if (::mkdir(path.c_str(), mode) != 0) {
        const int error_number = errno;
        return error_number == EEXIST ? success() : system_error(error_number, "cannot make the folder " + quote(path));
    }
    // The umask took the group's bits; a folder that stood there keeps what its owner gave it.
    if (::chown(path.c_str(), static_cast<uid_t>(-1), gid) != 0 || ::chmod(path.c_str(), mode) != 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot give the folder " + quote(path) + " to its group");
    }
    return success();
}

/// Where the reporting user may look, and root writes.
Status make_state_folder(const std::string& path, std::optional<std::uint32_t> group)
{
    return make_folder(path, group.value_or(::getegid()), group ? 0750 : 0700);
}

} // namespace

std::string posture_json(const Posture& posture)
{
    const Json head{{"collected_at", hardening::iso_time(posture.collected_s)}, {"host", host_json(posture.host)}};
    std::string out = head.dump();
    out.pop_back();
    out += ",\"guard\":" + posture_guard_json(posture.guard) + ",\"checks\":[";
    for (std::size_t i = 0; i < posture.checks.size(); ++i) {
        std::string_view one = posture.checks[i];
        while (one.ends_with('\n')) {
            one.remove_suffix(1);
        }
        out += i == 0 ? "" : ",";
        out += one;
    }
    return out + "]}";
}

std::string posture_path(const std::string& state_dir) { return folder_of(state_dir) + "/posture.json"; }

Status write_posture(const std::string& state_dir, const std::string& json)
{
    TRY_ASSIGN(const auto users, host::Users::read());
    const auto group = users.group(kReportUser);
    TRY(make_state_folder(state_dir, group));
    TRY(make_state_folder(folder_of(state_dir), group));
    return write_new_file(posture_path(state_dir), json + "\n", true);
}

Status prepare_state(const std::string& state_dir)
{
    TRY_ASSIGN(const auto users, host::Users::read());
    const auto uid = users.user(kReportUser);
    const auto gid = users.group(kReportUser);
    TRY(make_state_folder(state_dir, gid));
    for (const auto* name : {"/spool", "/reports"}) {
        const std::string path = state_dir + name;
        TRY(make_folder(path, gid.value_or(::getegid()), 0700));
        // state_dir is root's: nobody else can have put a link there.
        if (uid && ::lchown(path.c_str(), *uid, gid.value_or(static_cast<gid_t>(-1))) != 0) {
            const int error_number = errno;
            return system_error(error_number, "cannot give the folder " + quote(path) + " to " + kReportUser);
        }
    }
    return success();
}

Status become_report_user()
{
    TRY_ASSIGN(const auto users, host::Users::read());
    const auto uid = users.user(kReportUser);
    const auto gid = users.group(kReportUser);
    return uid && gid ? sandbox::become_user(*uid, *gid) : success();
}

std::optional<unsigned> config_owner() { return ::geteuid() == 0 ? std::optional<unsigned>(0) : std::nullopt; }

Result<std::string> read_posture(const std::string& state_dir)
{
    TRY_ASSIGN(const auto host, host::open_host());
    TRY_ASSIGN(std::string text, host->read(posture_path(state_dir), report::kPostureBytesMax));
    while (text.ends_with('\n')) {
        text.pop_back();
    }
    return text;
}

} // namespace hostward::cli
