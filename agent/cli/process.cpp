// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/process.h"

#include <sys/capability.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace hostward::cli {

namespace {

/// The environment that means something to us: the service manager's (sd_notify(3), sd-daemon(3)).
constexpr std::array kEnvironment{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"};

// hostward-guard.service has the same list.
constexpr std::array<cap_value_t, 7> kGuardCapabilities{
    CAP_BPF,             // load programs, make maps
    CAP_PERFMON,         // programs that read kernel structures
    CAP_NET_ADMIN,       // cgroup and tc programs, ending connections
    CAP_SYS_ADMIN,       // BPF objects by id, LSM programs before they had a capability of their own
    CAP_SYS_PTRACE,      // open files of processes
    CAP_SYS_RESOURCE,    // memory for maps, before kernels counted it in the cgroup
    CAP_DAC_READ_SEARCH, // look at programs below folders of other users
};

bool is_kept(cap_value_t capability)
{
    return std::ranges::find(kGuardCapabilities, capability) != kGuardCapabilities.end();
}

struct FreeCapabilities {
    void operator()(_cap_struct* set) const { (void)::cap_free(set); } // fails for foreign memory only
};
using Capabilities = std::unique_ptr<_cap_struct, FreeCapabilities>;

/// A descriptor 0, 1 or 2 that is closed would be given to the first file we open, which then is read or written as
/// if it were standard input or output.
void fill_standard_descriptors()
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) {
            // Read-only on purpose: writing a result to nowhere must fail. The lowest free number is `fd`.
            (void)::open("/dev/null", O_RDONLY); // not leaked: it is standard input, output or error now
        }
    }
}

void clean_environment()
{
    std::vector<std::pair<const char*, std::string>> kept;
    for (const char* name : kEnvironment) {
        if (const char* value = ::getenv(name); value != nullptr) {
            kept.emplace_back(name, value);
        }
    }
    (void)::clearenv(); // glibc's cannot fail
    for (const auto& [name, value] : kept) {
        (void)::setenv(name, value.c_str(), 1); // no memory: the service manager is not told, and notices
    }
}

Status capability_error(const char* what)
{
    const int error_number = errno;
    return system_error(error_number, what);
}

/// Without CAP_SETPCAP the bounding set stays as it is: then nothing that we could gain by executing is wanted either,
/// which no_new_privs sees to.
Status drop_bounding_set(bool permitted)
{
    for (cap_value_t capability = 0; permitted && capability < ::cap_max_bits(); ++capability) {
        if (!is_kept(capability) && ::cap_get_bound(capability) == 1 && ::cap_drop_bound(capability) != 0) {
            return capability_error("cannot give up a capability for later");
        }
    }
    return success();
}

} // namespace

void prepare_process()
{
    fill_standard_descriptors();
    (void)::close_range(3, ~0U, 0); // a lock or a pipe of the caller must not live as long as we do
    (void)::umask(077);
    (void)::signal(SIGPIPE, SIG_IGN);
    clean_environment();
}

bool is_journal(int fd)
{
    const char* stream = ::getenv("JOURNAL_STREAM");
    struct stat info = {};
    if (stream == nullptr || ::fstat(fd, &info) != 0) {
        return false;
    }
    return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) == stream;
}

Status keep_guard_capabilities()
{
    const Capabilities now(::cap_get_proc());
    const Capabilities kept(::cap_init());
    if (!now || !kept) {
        return capability_error("cannot read the capabilities");
    }
    cap_flag_value_t may_bound = CAP_CLEAR;
    (void)::cap_get_flag(now.get(), CAP_SETPCAP, CAP_EFFECTIVE, &may_bound); // valid arguments cannot fail
    TRY(drop_bounding_set(may_bound == CAP_SET));
    for (const auto capability : kGuardCapabilities) {
        cap_flag_value_t has = CAP_CLEAR;
        (void)::cap_get_flag(now.get(), capability, CAP_PERMITTED, &has); // as above
        (void)::cap_set_flag(kept.get(), CAP_PERMITTED, 1, &capability, has);
        (void)::cap_set_flag(kept.get(), CAP_EFFECTIVE, 1, &capability, has);
    }
    if (::cap_set_proc(kept.get()) != 0) {
        return capability_error("cannot give up capabilities");
    }
    if (::cap_reset_ambient() != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return capability_error("cannot exclude new privileges");
    }
    return success();
}

} // namespace hostward::cli
