// SPDX-License-Identifier: Apache-2.0
#include "agent/sandbox/process.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace hostward::sandbox {

namespace {

/// The environment that means something to us: the service manager's (sd_notify(3), sd-daemon(3)), and where the SDKs
/// look for the metadata service. No proxy variable is among them.
constexpr std::array kEnvironment{"NOTIFY_SOCKET",
                                  "WATCHDOG_USEC",
                                  "WATCHDOG_PID",
                                  "JOURNAL_STREAM",
                                  "AWS_EC2_METADATA_DISABLED",
                                  "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                  "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"};

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

void keep_memory_private()
{
    const rlimit none{0, 0};
    (void)::setrlimit(RLIMIT_CORE, &none);      // lowering one's own limit cannot fail
    (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); // as above
}

Status become_user(unsigned uid, unsigned gid)
{
    const gid_t group = gid;
    if (::setgroups(1, &group) != 0 || ::setresgid(gid, gid, gid) != 0 || ::setresuid(uid, uid, uid) != 0 ||
        ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot give up root");
    }
    keep_memory_private(); // changing users made the process dumpable again, see prctl(2)
    return success();
}

} // namespace hostward::sandbox
