// SPDX-License-Identifier: Apache-2.0
#include "agent/host/path_trust.h"

#include "agent/base/text.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <deque>

namespace hostward::host {

namespace {

constexpr int kSymlinksMax = 40; ///< as the kernel's own limit

/// One directory entry that has been opened, or the fact that there is none.
struct Step {
    UniqueFd fd;
    struct stat status = {};
};

class Walk {
public:
    static Result<Walk> start(const std::string& root, const std::string& path, std::uint32_t owner)
    {
        Walk walk(owner);
        walk.root_.fd.reset(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!walk.root_.fd) {
            return system_error(errno, "opening " + quote(root));
        }
        if (::fstat(walk.root_.fd.get(), &walk.root_.status) != 0) {
            return system_error(errno, "examining " + quote(root));
        }
        walk.push(path);
        TRY(walk.go_to_root());
        return walk;
    }

    /// Looks up name after name until none is left or one does not exist.
    Result<PathTrust> finish()
    {
        while (!pending_.empty()) {
            const std::string name = std::move(pending_.front());
            pending_.pop_front();
            TRY_ASSIGN(const bool exists, take(name));
            if (!exists) {
                return PathTrust{false, std::move(reason_), {}};
            }
        }
        return judge_file();
    }

private:
    explicit Walk(std::uint32_t owner) : owner_(owner) {}

    Status go_to_root()
    {
        here_.fd.reset(::fcntl(root_.fd.get(), F_DUPFD_CLOEXEC, 0));
        if (!here_.fd) {
            return system_error(errno, "duplicating a descriptor");
        }
        here_.status = root_.status;
        here_path_.clear();
        return success();
    }

    /// Puts the components of `path` before what is still to be looked up.
    void push(const std::string& path)
    {
        const auto parts = split(path, '/');
        for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
            if (!part->empty() && *part != ".") {
                pending_.emplace_front(*part);
            }
        }
    }

    [[nodiscard]] std::string path_of(const std::string& name) const { return here_path_ + "/" + name; }

    void suspect(const std::string& what, const std::string& path, const std::string& who)
    {
        if (reason_.empty() && !who.empty()) {
            reason_ = what + " " + quote(path.empty() ? "/" : path) + " " + who;
        }
    }

    /// One component: a directory is entered, a link is put in its own place. False: it does not exist.
    Result<bool> take(const std::string& name)
    {
        if (!S_ISDIR(here_.status.st_mode)) {
            return false;
        }
        if (name == "..") {
            TRY(go_up());
            return true;
        }
        Step next;
        next.fd.reset(::openat(here_.fd.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        const int error_number = errno;
        if (!next.fd && error_number != ENOENT && error_number != ENAMETOOLONG) {
            return system_error(error_number, "opening " + quote(path_of(name)));
        }
        if (next.fd && ::fstat(next.fd.get(), &next.status) != 0) {
            return system_error(errno, "examining " + quote(path_of(name)));
        }
        suspect("directory", here_path_, who_can_replace(here_.status, next.fd ? &next.status : nullptr, owner_));
        if (!next.fd) {
            return false;
        }
        if (S_ISLNK(next.status.st_mode)) {
            TRY(follow(next, path_of(name)));
            return true;
        }
        here_path_ = path_of(name);
        here_ = std::move(next);
        return true;
    }

    Status go_up()
    {
        if (here_.status.st_dev == root_.status.st_dev && here_.status.st_ino == root_.status.st_ino) {
            return success();
        }
        Step parent;
        parent.fd.reset(::openat(here_.fd.get(), "..", O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!parent.fd || ::fstat(parent.fd.get(), &parent.status) != 0) {
            return system_error(errno, "opening " + quote(here_path_ + "/.."));
        }
        here_path_.erase(std::min(here_path_.rfind('/'), here_path_.size()));
        here_ = std::move(parent);
        return success();
    }

    Status follow(const Step& link, const std::string& path)
    {
        if (++links_ > kSymlinksMax) {
            return system_error(ELOOP, "following " + quote(path));
        }
        std::array<char, PATH_MAX> target; // NOLINT: filled by readlinkat
        const ssize_t length = ::readlinkat(link.fd.get(), "", target.data(), target.size());
        if (length < 0) {
            return system_error(errno, "reading link " + quote(path));
        }
        const std::string text(target.data(), static_cast<std::size_t>(length));
        push(text);
        return text.starts_with('/') ? go_to_root() : success();
    }

    Result<PathTrust> judge_file()
    {
        if (!S_ISREG(here_.status.st_mode)) {
            return invalid_error(quote(here_path_.empty() ? "/" : here_path_) + " is not a regular file");
        }
        suspect("file", here_path_, who_can_write(here_.status, owner_));
        struct statfs system = {};
        if (::fstatfs(here_.fd.get(), &system) != 0) {
            return system_error(errno, "examining the file system of " + quote(here_path_));
        }
        if (system.f_type == FUSE_SUPER_MAGIC) {
            suspect("file", here_path_, "is on a FUSE file system, where a program decides what a file holds");
        }
        return PathTrust{true, std::move(reason_), std::move(here_.fd)};
    }

    std::uint32_t owner_;
    Step root_;
    Step here_;             ///< where the next name is looked up; at the end the file itself
    std::string here_path_; ///< its path for messages, "" for the root
    std::deque<std::string> pending_;
    int links_ = 0;
    std::string reason_;
};

std::string who_has_write_bit(const struct stat& status)
{
    if ((status.st_mode & S_IWOTH) != 0) {
        return "is writable by everybody";
    }
    if ((status.st_mode & S_IWGRP) != 0) {
        return "is writable by group " + std::to_string(status.st_gid);
    }
    return "";
}

} // namespace

std::string who_can_write(const struct stat& file, std::uint32_t owner)
{
    return file.st_uid != owner ? "belongs to uid " + std::to_string(file.st_uid) : who_has_write_bit(file);
}

std::string who_can_replace(const struct stat& directory, const struct stat* entry, std::uint32_t owner)
{
    if (directory.st_uid != owner) {
        return "belongs to uid " + std::to_string(directory.st_uid);
    }
    // In a sticky directory only the entry's owner can rename or remove it, but anybody can create one.
    const bool sticky = (directory.st_mode & S_ISVTX) != 0;
    return sticky && entry != nullptr && entry->st_uid == owner ? "" : who_has_write_bit(directory);
}

Result<PathTrust> path_trust(const std::string& root, const std::string& path, std::uint32_t owner)
{
    TRY_ASSIGN(Walk walk, Walk::start(root, path, owner));
    return walk.finish();
}

} // namespace hostward::host
