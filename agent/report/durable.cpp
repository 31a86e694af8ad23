// SPDX-License-Identifier: Apache-2.0
#include "agent/report/durable.h"

#include "agent/base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <memory>

namespace hostward::report {

namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

struct CloseFolder {
    void operator()(DIR* folder) const { (void)::closedir(folder); } // only read: nothing can be lost
};

/// system_error(), but a full disk is Exhausted: callers drop nothing and try again later.
Error disk_error(int error_number, const std::string& what)
{
    Error error = system_error(error_number, what);
    if (error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG) {
        error.kind = ErrorKind::Exhausted;
    }
    return error;
}

std::string aside(const std::string& name) { return std::string(kAsidePrefix) + name; }

Status write_all(int fd, std::string_view bytes, const std::string& what)
{
    while (!bytes.empty()) {
        const ssize_t written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            const int error_number = errno;
            return disk_error(error_number, what);
        }
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return success();
}

Status fill(const UniqueFd& file, std::string_view bytes, const std::string& name)
{
    TRY(write_all(file.get(), bytes, "cannot write " + quote(name)));
    if (::fsync(file.get()) != 0) {
        const int error_number = errno;
        return disk_error(error_number, "cannot write " + quote(name) + " to disk");
    }
    return success();
}

Status make_folders(const std::string& path)
{
    for (std::size_t at = 1; at != std::string::npos;) {
        at = path.find('/', at + 1);
        const std::string part = path.substr(0, at);
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST && errno != EROFS) {
            const int error_number = errno;
            return disk_error(error_number, "cannot make the folder " + quote(part));
        }
    }
    return success();
}

} // namespace

Result<UniqueFd> open_folder(const std::string& path)
{
    UniqueFd folder(::open(path.c_str(), kFolderFlags));
    if (!folder && errno == ENOENT) {
        TRY(make_folders(path));
        folder = UniqueFd(::open(path.c_str(), kFolderFlags));
    }
    if (!folder) {
        const int error_number = errno;
        return disk_error(error_number, "cannot open the folder " + quote(path));
    }
    return folder;
}

Result<UniqueFd> open_folder_in(const UniqueFd& parent, const std::string& name)
{
    if (::mkdirat(parent.get(), name.c_str(), 0700) != 0 && errno != EEXIST && errno != EROFS) {
        const int error_number = errno;
        return disk_error(error_number, "cannot make the folder " + quote(name));
    }
    UniqueFd folder(::openat(parent.get(), name.c_str(), kFolderFlags | O_NOFOLLOW));
    if (!folder) {
        const int error_number = errno;
        return disk_error(error_number, "cannot open the folder " + quote(name));
    }
    return folder;
}

Status write_aside(const UniqueFd& folder, const std::string& name, std::string_view bytes, unsigned mode)
{
    const std::string written = aside(name);
    TRY(remove_in(folder, written));
    const UniqueFd file(::openat(folder.get(), written.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                                 static_cast<mode_t>(mode)));
    if (!file) {
        const int error_number = errno;
        return disk_error(error_number, "cannot make " + quote(written));
    }
    Status filled = fill(file, bytes, name);
    if (!filled) {
        (void)remove_in(folder, written); // the failure to write is what people should hear of
    }
    return filled;
}

Status move_into_place(const UniqueFd& folder, const std::string& name)
{
    if (::renameat(folder.get(), aside(name).c_str(), folder.get(), name.c_str()) != 0) {
        const int error_number = errno;
        return disk_error(error_number, "cannot rename " + quote(aside(name)));
    }
    return sync_folder(folder);
}

Status write_durably(const UniqueFd& folder, const std::string& name, std::string_view bytes, unsigned mode)
{
    TRY(write_aside(folder, name, bytes, mode));
    return move_into_place(folder, name);
}

Result<std::string> read_whole(const UniqueFd& folder, const std::string& name, std::size_t bytes_max)
{
    // Not blocking: a pipe of that name must not hold us.
    const UniqueFd file(::openat(folder.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) {
        const int error_number = errno;
        return system_error(error_number, "cannot read " + quote(name));
    }
    struct stat about {};
    if (::fstat(file.get(), &about) != 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot read " + quote(name));
    }
    if (!S_ISREG(about.st_mode) || static_cast<std::uint64_t>(about.st_size) > bytes_max) {
        return invalid_error(quote(name) + " is no regular file of at most " + std::to_string(bytes_max) + " bytes");
    }
    std::string out(static_cast<std::size_t>(about.st_size), '\0');
    std::size_t done = 0;
    while (done < out.size()) {
        const ssize_t got = ::read(file.get(), out.data() + done, out.size() - done);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            const int error_number = errno;
            return system_error(error_number, "cannot read " + quote(name));
        }
        if (got == 0) {
            break;
        }
        done += static_cast<std::size_t>(got);
    }
    out.resize(done);
    return out;
}

Result<std::vector<std::string>> names_in(const UniqueFd& folder)
{
    const int again = ::openat(folder.get(), ".", kFolderFlags);
    if (again < 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot list a folder of reports");
    }
    const std::unique_ptr<DIR, CloseFolder> listing(::fdopendir(again));
    if (!listing) {
        const int error_number = errno;
        (void)::close(again); // fdopendir() did not take it
        return system_error(error_number, "cannot list a folder of reports");
    }
    std::vector<std::string> out;
    errno = 0;
    while (const dirent* entry = ::readdir(listing.get())) {
        const std::string name = entry->d_name;
        if (name != "." && name != "..") {
            out.push_back(name);
        }
    }
    if (errno != 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot list a folder of reports");
    }
    std::ranges::sort(out);
    return out;
}

Status remove_in(const UniqueFd& folder, const std::string& name)
{
    if (::unlinkat(folder.get(), name.c_str(), 0) == 0 || errno == ENOENT) {
        return success();
    }
    const int error_number = errno;
    if (error_number == EISDIR && ::unlinkat(folder.get(), name.c_str(), AT_REMOVEDIR) == 0) {
        return success();
    }
    return system_error(error_number, "cannot remove " + quote(name));
}

Status sync_folder(const UniqueFd& folder)
{
    if (::fsync(folder.get()) != 0) {
        const int error_number = errno;
        return disk_error(error_number, "cannot write a folder of reports to disk");
    }
    return success();
}

} // namespace hostward::report
