// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "agent/cli/caller.h"
#include "agent/cli/path_resolver.h"
#include "agent/guard/cgroup_path.h"
#include "agent/guard/container.h"

#include <fcntl.h>
#include <linux/limits.h>

#include <algorithm>
#include <array>

namespace hostward::cli {

namespace {

constexpr std::size_t kProcBytesMax = std::size_t{1} << 20;

/// The folder of one process: stays that process's, even when the number is used again.
struct Process {
    int pid;
    UniqueFd folder;

    [[nodiscard]] std::string name(const std::string& file) const
    {
        return "/proc/" + std::to_string(pid) + "/" + file;
    }
};

Result<std::string> read_at(int folder, const std::string& file, const std::string& name)
{
    const UniqueFd fd(::openat(folder, file.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 8192> chunk{};
    ssize_t got = fd ? 1 : -1;
    while (got > 0 && text.size() <= kProcBytesMax) {
        got = ::read(fd.get(), chunk.data(), chunk.size());
        text.append(chunk.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    }
    if (got < 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot read " + name);
    }
    return text;
}

Result<std::string> link_at(int folder, const std::string& file, const std::string& name)
{
    std::array<char, PATH_MAX> target{};
    const ssize_t size = ::readlinkat(folder, file.c_str(), target.data(), target.size());
    if (size < 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot read " + name);
    }
    return std::string(target.data(), static_cast<std::size_t>(size));
}

Result<Process> open_process(int pid)
{
    const std::string path = "/proc/" + std::to_string(pid);
    UniqueFd folder(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!folder) {
        const int error_number = errno;
        return system_error(error_number, "no process " + std::to_string(pid));
    }
    return Process{pid, std::move(folder)};
}

Status observe_accounts(const Process& process, Subject& out)
{
    TRY_ASSIGN(const std::string text, read_at(process.folder.get(), "status", process.name("status")));
    const auto status = parse_proc_status(text);
    if (!status) {
        return Error{ErrorKind::System, 0, "cannot understand " + process.name("status")};
    }
    out.caller.uid = status->uid;
    out.caller.euid = status->euid;
    out.caller.gid = status->gid;
    out.caller.groups = status->groups;
    return success();
}

/// A kernel thread has a link that leads nowhere.
Status observe_program(const Process& process, Subject& out)
{
    const auto target = link_at(process.folder.get(), "exe", process.name("exe"));
    if (!target && target.error().error_number == ENOENT) {
        out.caller.kernel_thread = true;
        return success();
    }
    if (!target) {
        return target.error();
    }
    out.program = *target;
    const UniqueFd fd(::openat(process.folder.get(), "exe", O_PATH | O_CLOEXEC));
    if (!fd) {
        const int error_number = errno;
        return system_error(error_number, "cannot open " + process.name("exe"));
    }
    TRY_ASSIGN(out.caller.exe, identify_program(fd.get()));
    if (!out.caller.exe) {
        out.notes.emplace_back("its program file is deleted or in memory only: rules with exe do not match");
    }
    return success();
}

Status observe_cgroup(const Process& process, const guard::Options& options, Subject& out)
{
    TRY_ASSIGN(const std::string guarded_folder, guard::guarded_cgroup(options.cgroup));
    TRY_ASSIGN(const std::string mounts, read_at(AT_FDCWD, "/proc/self/mountinfo", "/proc/self/mountinfo"));
    TRY_ASSIGN(const std::string text, read_at(process.folder.get(), "cgroup", process.name("cgroup")));
    const auto guarded = cgroup_of_folder(mounts, guarded_folder);
    const auto own = parse_proc_cgroup(text);
    if (!guarded || !own) {
        return Error{ErrorKind::Unsupported, 0, "cannot tell the cgroup of process " + std::to_string(process.pid)};
    }
    const auto path = below(*own, *guarded);
    if (!path) {
        return Error{ErrorKind::NotFound, 0,
                     "process " + std::to_string(process.pid) + " is in cgroup " + quote(*own) +
                         ", outside the guarded " + quote(*guarded) + ": the guard does not see it"};
    }
    out.caller.cgroup_path = *path;
    return success();
}

/// As the kernel side: other namespaces than those of who loads the policy.
Status observe_namespaces(const Process& process, Subject& out)
{
    for (const char* kind : {"ns/pid", "ns/net", "ns/user", "ns/cgroup"}) {
        TRY_ASSIGN(const std::string theirs, link_at(process.folder.get(), kind, process.name(kind)));
        TRY_ASSIGN(const std::string ours, link_at(AT_FDCWD, std::string("/proc/self/") + kind, kind));
        out.caller.container = out.caller.container || theirs != ours;
    }
    return success();
}

} // namespace

Result<Subject> observe_caller(int pid, const guard::Options& options)
{
    TRY_ASSIGN(const Process process, open_process(pid));
    Subject out;
    TRY(observe_accounts(process, out));
    TRY(observe_program(process, out));
    TRY(observe_cgroup(process, options, out));
    TRY(observe_namespaces(process, out));
    out.caller.container = out.caller.container || guard::is_pod_path(out.caller.cgroup_path);
    return out;
}

} // namespace hostward::cli
