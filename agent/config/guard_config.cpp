// SPDX-License-Identifier: Apache-2.0
#include "agent/config/guard_config.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace hostward::config {

std::string Place::text() const
{
    return line == 0 ? std::string("built-in default") : escape(file) + ":" + std::to_string(line);
}

std::vector<Endpoint> default_endpoints()
{
    Endpoint imds;
    imds.name = "imds";
    imds.addresses = {{"169.254.169.254", {}}, {"fd00:ec2::254", {}}};
    imds.default_action = Action::Deny;
    return {imds};
}

namespace {

/// The whole file, or an error as soon as it is longer than `limit`.
Result<std::string> read_all(const UniqueFd& fd, std::size_t limit, const std::string& what)
{
    std::string text;
    std::string buffer(std::size_t{64} << 10, '\0');
    while (true) {
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        const int error_number = errno;
        if (got < 0 && error_number == EINTR) {
            continue;
        }
        if (got < 0) {
            return system_error(error_number, what);
        }
        if (got == 0) {
            return text;
        }
        text.append(buffer, 0, static_cast<std::size_t>(got));
        if (text.size() > limit) {
            return invalid_error(what + ": larger than the " + std::to_string(limit) + " bytes allowed");
        }
    }
}

} // namespace

Result<GuardConfig> load(const std::string& path)
{
    const std::string what = "reading configuration " + quote(path);
    // O_NONBLOCK: a FIFO in this place must not make the guard wait at boot.
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) {
        return system_error(errno, what);
    }
    struct stat status = {};
    if (::fstat(fd.get(), &status) != 0) {
        return system_error(errno, what);
    }
    if (!S_ISREG(status.st_mode)) {
        return invalid_error(what + ": not a regular file");
    }
    TRY_ASSIGN(const std::string text, read_all(fd, kConfigBytesMax, what));
    return parse(text, path);
}

} // namespace hostward::config
