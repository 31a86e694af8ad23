// SPDX-License-Identifier: Apache-2.0
#include "agent/host/host.h"

#include "agent/base/text.h"
#include "agent/host/audit_socket.h"
#include "agent/host/run.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <array>

namespace hostward::host {

namespace {

constexpr std::uint32_t kPermissionBits = 07777;

struct CloseDirectory {
    void operator()(DIR* directory) const { (void)::closedir(directory); } // nothing could be done about it
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

FileType type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR: return FileType::Directory;
    case S_IFLNK: return FileType::Symlink;
    case S_IFCHR: return FileType::CharDevice;
    case S_IFBLK: return FileType::BlockDevice;
    case S_IFIFO: return FileType::Fifo;
    case S_IFSOCK: return FileType::Socket;
    default: return FileType::Regular;
    }
}

FileFacts facts_of(const struct stat& status)
{
    return FileFacts{type_of(status.st_mode),
                     status.st_mode & kPermissionBits,
                     status.st_uid,
                     status.st_gid,
                     static_cast<std::uint64_t>(status.st_size),
                     status.st_dev,
                     status.st_ino,
                     status.st_mtim.tv_sec};
}

Error path_error(int error_number, const std::string& what, const std::string& path)
{
    Error error = system_error(error_number, what + " " + quote(path));
    if (error_number == ENOTDIR) {
        error.kind = ErrorKind::NotFound; // a/b where a is a file: there is no a/b
    }
    return error;
}

Result<struct stat> status_of(const UniqueFd& fd, const std::string& path)
{
    struct stat status = {};
    if (::fstat(fd.get(), &status) != 0) {
        return path_error(errno, "examining", path);
    }
    return status;
}

Result<std::string> read_whole(const UniqueFd& fd, const std::string& path, std::size_t bytes_max)
{
    std::string text;
    std::array<char, 65536> buffer{};
    while (true) {
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        const int error_number = errno;
        if (got == 0) {
            return text;
        }
        if (got < 0 && error_number != EINTR) {
            return path_error(error_number, "reading", path);
        }
        text.append(buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
        if (text.size() > bytes_max) {
            return Error{ErrorKind::Exhausted, 0,
                         quote(path) + " is larger than the " + std::to_string(bytes_max) + " bytes allowed"};
        }
    }
}

class RealHost final : public Host {
public:
    RealHost(UniqueFd root, bool is_running) : root_(std::move(root)), is_running_(is_running) {}

    [[nodiscard]] bool is_running() const override { return is_running_; }

    [[nodiscard]] Result<FileFacts> facts(const std::string& path, Links links) const override
    {
        TRY_ASSIGN(const UniqueFd fd, open(path, O_PATH | (links == Links::Keep ? O_NOFOLLOW : 0)));
        TRY_ASSIGN(const auto status, status_of(fd, path));
        return facts_of(status);
    }

    [[nodiscard]] Result<std::string> read(const std::string& path, std::size_t bytes_max) const override
    {
        // Opening a device can do something, so first only find out what it is, then open just that file.
        TRY_ASSIGN(const UniqueFd found, open(path, O_PATH));
        TRY_ASSIGN(const auto status, status_of(found, path));
        if (!S_ISREG(status.st_mode)) {
            return invalid_error(quote(path) + " is not a regular file");
        }
        const std::string same = "/proc/self/fd/" + std::to_string(found.get());
        const UniqueFd file(::open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
        if (!file) {
            return path_error(errno, "opening", path);
        }
        return read_whole(file, path, bytes_max);
    }

    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& path) const override
    {
        TRY_ASSIGN(UniqueFd fd, open(path, O_RDONLY | O_DIRECTORY));
        const Directory directory(::fdopendir(fd.get()));
        if (!directory) {
            return path_error(errno, "listing", path);
        }
        (void)fd.release(); // the stream owns it now
        std::vector<std::string> names;
        errno = 0;
        while (const dirent* entry = ::readdir(directory.get())) { // NOLINT(concurrency-mt-unsafe): our own stream
            const std::string_view name(&entry->d_name[0]);
            if (name != "." && name != "..") {
                names.emplace_back(name);
            }
            if (names.size() > kEntriesMax) {
                return Error{ErrorKind::Exhausted, 0,
                             quote(path) + " has more than the " + std::to_string(kEntriesMax) + " entries allowed"};
            }
            errno = 0;
        }
        if (errno != 0) {
            return path_error(errno, "listing", path);
        }
        std::ranges::sort(names);
        return names;
    }

    [[nodiscard]] Result<std::string> link_target(const std::string& path) const override
    {
        TRY_ASSIGN(const UniqueFd fd, open(path, O_PATH | O_NOFOLLOW));
        std::array<char, 4096> buffer{}; // PATH_MAX
        const ssize_t size = ::readlinkat(fd.get(), "", buffer.data(), buffer.size());
        if (size < 0) {
            const int error_number = errno;
            return path_error(error_number == ENOENT ? EINVAL : error_number, "reading the link", path);
        }
        return std::string(buffer.data(), static_cast<std::size_t>(size));
    }

    [[nodiscard]] Result<UniqueFd> open_root() const override
    {
        UniqueFd copy(::fcntl(root_.get(), F_DUPFD_CLOEXEC, 0));
        if (!copy) {
            return system_error(errno, "duplicating a descriptor");
        }
        return copy;
    }

    [[nodiscard]] Result<Finished> run(const std::vector<std::string>& argv, const RunLimits& limits) const override
    {
        if (!is_running_) {
            return Error{ErrorKind::Unsupported, 0, "nothing is run in an image"};
        }
        return run_program(argv, limits);
    }

    [[nodiscard]] Result<std::vector<std::string>> ask_audit(AuditQuestion question) const override
    {
        if (!is_running_) {
            return Error{ErrorKind::Unsupported, 0, "an image has no running kernel"};
        }
        return ask_kernel_audit(question);
    }

private:
    /// As if the root were "/". Links of /proc that lead elsewhere than their text are not followed.
    [[nodiscard]] Result<UniqueFd> open(const std::string& path, int flags) const
    {
        if (!path.starts_with('/') || path.find('\0') != std::string::npos) {
            return invalid_error(quote(path) + " is not an absolute path");
        }
        open_how how = {};
        how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
        how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
        UniqueFd fd;
        do { // EAGAIN: something was renamed meanwhile, see openat2(2)
            fd.reset(static_cast<int>(::syscall(SYS_openat2, root_.get(), path.c_str(), &how, sizeof(how))));
        } while (!fd && (errno == EAGAIN || errno == EINTR));
        if (!fd) {
            return path_error(errno, "opening", path);
        }
        return fd;
    }

    UniqueFd root_;
    bool is_running_;
};

} // namespace

Result<std::unique_ptr<Host>> open_host(const std::string& root)
{
    constexpr unsigned kWanted = STATX_INO | STATX_MNT_ID;
    UniqueFd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    struct statx given = {};
    struct statx own = {};
    if (!fd || ::statx(fd.get(), "", AT_EMPTY_PATH, kWanted, &given) != 0 ||
        ::statx(AT_FDCWD, "/", 0, kWanted, &own) != 0) {
        return system_error(errno, "opening the root " + quote(root));
    }
    // The mount, too: a bind mount of the running host's root has none of its /proc, /sys and /run.
    const bool is_running = given.stx_mnt_id == own.stx_mnt_id && given.stx_ino == own.stx_ino &&
                            given.stx_dev_major == own.stx_dev_major && given.stx_dev_minor == own.stx_dev_minor;
    return std::unique_ptr<Host>(std::make_unique<RealHost>(std::move(fd), is_running));
}

Result<std::string> read_kernel(const Host& host, const std::string& path)
{
    if (!host.is_running()) {
        return Error{ErrorKind::Unsupported, 0, "an image has no running kernel to ask for " + quote(path)};
    }
    constexpr std::size_t kKernelBytesMax = std::size_t{16} << 20; // tables of it are long, and it means well
    return host.read(path, kKernelBytesMax);
}

Result<bool> exists(const Host& host, const std::string& path, Links links)
{
    const auto found = host.facts(path, links);
    if (!found && found.error().kind != ErrorKind::NotFound) {
        return found.error();
    }
    return found.ok();
}

Result<std::optional<std::string>> read_optional(const Host& host, const std::string& path)
{
    auto text = host.read(path);
    if (!text && text.error().kind != ErrorKind::NotFound) {
        return text.error();
    }
    return text ? std::optional(text.take()) : std::nullopt;
}

Result<std::vector<std::string>> list_optional(const Host& host, const std::string& directory)
{
    auto names = host.list(directory);
    const bool is_absent = !names && names.error().kind == ErrorKind::NotFound;
    return is_absent ? std::vector<std::string>{} : names;
}

} // namespace hostward::host
