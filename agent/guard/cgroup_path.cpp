// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/cgroup_path.h"

#include "agent/base/text.h"

#include <linux/magic.h>
#include <sys/vfs.h>

#include <fstream>

namespace hostward::guard {

namespace {

/// Mount point of cgroup2 from /proc/self/mountinfo (proc_pid_mountinfo(5): field 5, type after the dash).
std::string find_mount()
{
    std::ifstream mounts("/proc/self/mountinfo");
    std::string line;
    while (std::getline(mounts, line)) {
        const auto fields = split(line, ' ');
        if (fields.size() > 5 && line.find(" - cgroup2 ") != std::string::npos) {
            return std::string(fields[4]);
        }
    }
    return "";
}

} // namespace

Result<std::string> guarded_cgroup(const std::string& wanted)
{
    std::string path = wanted.empty() ? find_mount() : wanted;
    while (path.size() > 1 && path.ends_with('/')) {
        path.pop_back();
    }
    if (path.empty()) {
        return Error{ErrorKind::Unsupported, 0,
                     "no cgroup2 file system is mounted: mount one, or boot with systemd's "
                     "unified hierarchy"};
    }
    struct statfs info {};
    if (::statfs(path.c_str(), &info) < 0) {
        const int error = errno;
        return system_error(error, "cannot look at cgroup " + quote(path));
    }
    if (static_cast<unsigned long>(info.f_type) != CGROUP2_SUPER_MAGIC) {
        return Error{ErrorKind::Unsupported, 0, quote(path) + " is not a cgroup2 directory"};
    }
    return path;
}

} // namespace hostward::guard
