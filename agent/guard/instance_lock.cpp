// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/instance_lock.h"

#include "agent/base/text.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

namespace hostward::guard {

namespace {

std::string lock_path(const std::string& run_dir) { return run_dir + "/lock"; }

/// An exclusive lock of the open file description: asking for its holder takes no lock, unlike flock(2).
struct flock whole_file()
{
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    return lock;
}

int read_pid(int fd)
{
    std::array<char, 16> text{};
    const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
    const std::string_view digits(text.data(), static_cast<std::size_t>(size < 0 ? 0 : size));
    return parse_number<int>(digits.substr(0, digits.find('\n'))).value_or(0);
}

} // namespace

Result<InstanceLock> InstanceLock::take(const std::string& run_dir)
{
    if (::mkdir(run_dir.c_str(), 0755) < 0 && errno != EEXIST) {
        const int error = errno;
        return system_error(error, "cannot create " + quote(run_dir));
    }
    UniqueFd file(::open(lock_path(run_dir).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (!file) {
        const int error = errno;
        return system_error(error, "cannot open " + quote(lock_path(run_dir)));
    }
    auto lock = whole_file();
    if (::fcntl(file.get(), F_OFD_SETLK, &lock) < 0) {
        const int error = errno;
        if (error != EAGAIN && error != EACCES) {
            return system_error(error, "cannot lock " + quote(lock_path(run_dir)));
        }
        return Error{ErrorKind::Conflict, error,
                     "process " + std::to_string(read_pid(file.get())) +
                         " runs this guard: let it reload its policy (SIGHUP), or stop it first"};
    }
    const std::string pid = std::to_string(::getpid()) + "\n";
    if (::ftruncate(file.get(), 0) < 0 || ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0) {
        const int error = errno;
        return system_error(error, "cannot write " + quote(lock_path(run_dir)));
    }
    return InstanceLock(std::move(file));
}

int InstanceLock::holder(const std::string& run_dir)
{
    const UniqueFd file(::open(lock_path(run_dir).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    auto lock = whole_file();
    if (!file || ::fcntl(file.get(), F_OFD_GETLK, &lock) < 0 || lock.l_type == F_UNLCK) {
        return 0;
    }
    return read_pid(file.get());
}

} // namespace hostward::guard
