// SPDX-License-Identifier: Apache-2.0
#include "agent/config/policy_files.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "agent/config/guard_config.h"
#include "agent/host/path_trust.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <filesystem>

namespace hostward::config {

namespace {

namespace fs = std::filesystem;

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

bool is_dev_null(const struct stat& status)
{
    constexpr unsigned kMemoryDevices = 1;
    constexpr unsigned kNull = 3;
    return S_ISCHR(status.st_mode) && major(status.st_rdev) == kMemoryDevices && minor(status.st_rdev) == kNull;
}

/// Opens what the walk ended at, so that what was judged is what is read.
Result<UniqueFd> open_trusted(const std::string& path, unsigned owner, const std::string& what)
{
    std::error_code status;
    const std::string absolute = fs::absolute(path, status).string();
    if (status) {
        return system_error(status.value(), what);
    }
    const auto trust = host::path_trust("/", absolute, owner);
    if (!trust) {
        return trust.error().in(what);
    }
    if (!trust->exists) {
        return system_error(ENOENT, what);
    }
    if (!trust->writable_by.empty()) {
        return invalid_error(what + ": another user than root can change the policy: " + trust->writable_by);
    }
    const std::string link = "/proc/self/fd/" + std::to_string(trust->file.get());
    UniqueFd fd(::open(link.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) {
        return system_error(errno, what);
    }
    return fd;
}

Result<UniqueFd> open_any(const std::string& path, const std::string& what)
{
    // O_NONBLOCK: a FIFO in this place must not make the guard wait at boot.
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
    if (!fd) {
        return system_error(errno, what);
    }
    return fd;
}

} // namespace

Result<std::optional<std::string>> read_policy_text(const std::string& path, Mask mask, std::optional<unsigned> owner)
{
    const std::string what = "reading configuration " + quote(path);
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0) {
        return system_error(errno, what);
    }
    if (mask == Mask::Allowed && is_dev_null(status)) {
        return std::optional<std::string>();
    }
    if (!S_ISREG(status.st_mode)) {
        return invalid_error(what + ": not a regular file");
    }
    TRY_ASSIGN(const UniqueFd fd, owner ? open_trusted(path, *owner, what) : open_any(path, what));
    if (::fstat(fd.get(), &status) != 0) {
        return system_error(errno, what);
    }
    if (!S_ISREG(status.st_mode)) {
        return invalid_error(what + ": not a regular file");
    }
    TRY_ASSIGN(std::string text, read_all(fd, kConfigBytesMax, what));
    return std::optional<std::string>(std::move(text));
}

Result<bool> check_policy_folder(const std::string& folder, std::optional<unsigned> owner)
{
    const std::string what = "reading configuration folder " + quote(folder);
    struct stat status = {};
    if (::stat(folder.c_str(), &status) != 0) {
        const int error_number = errno;
        return error_number == ENOENT ? Result<bool>(false) : system_error(error_number, what);
    }
    if (!S_ISDIR(status.st_mode)) {
        return invalid_error(what + ": not a folder");
    }
    const std::string who = owner ? host::who_can_replace(status, nullptr, *owner) : "";
    if (!who.empty()) {
        return invalid_error(what + ": another user than root can change the policy: the folder " + who);
    }
    return true;
}

Result<std::vector<std::string>> list_policy_folder(const std::string& folder)
{
    const std::string what = "reading configuration folder " + quote(folder);
    std::vector<std::string> paths;
    std::error_code status;
    for (fs::directory_iterator entry(folder, status), end; !status && entry != end; entry.increment(status)) {
        const std::string name = entry->path().filename().string();
        if (!name.starts_with('.') && name.ends_with(".toml")) {
            paths.push_back(folder + "/" + name);
        }
        if (paths.size() > kDropInsMax) {
            return invalid_error(what + ": more than the " + std::to_string(kDropInsMax) + " files allowed");
        }
    }
    if (status) {
        return system_error(status.value(), what);
    }
    std::ranges::sort(paths);
    return paths;
}

} // namespace hostward::config
