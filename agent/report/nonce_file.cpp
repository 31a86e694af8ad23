// SPDX-License-Identifier: Apache-2.0
// Lines `EXPIRES ACCOUNT/INSTANCE NONCE`. The lock is a file of its own, because the other is replaced.
#include "agent/report/nonce_file.h"
#include "agent/base/text.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

namespace hostward::report {

namespace {

constexpr std::size_t kLineBytesMax = 256;
constexpr std::size_t kLineParts = 3;
constexpr mode_t kPrivate = 0600;

struct Place {
    UniqueFd folder;
    std::string name;
};

Result<Place> open_place(const std::string& path)
{
    const auto slash = path.rfind('/');
    const std::string folder = slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
    UniqueFd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) {
        return system_error(errno, "cannot open the folder of the nonces' file " + quote(path));
    }
    return Place{std::move(fd), slash == path.npos ? path : path.substr(slash + 1)};
}

Result<UniqueFd> lock(const Place& place)
{
    const std::string name = place.name + ".lock";
    UniqueFd fd(::openat(place.folder.get(), name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kPrivate));
    if (!fd) {
        return system_error(errno, "cannot open the lock of the nonces " + quote(name));
    }
    while (::flock(fd.get(), LOCK_EX) != 0) {
        if (errno != EINTR) {
            return system_error(errno, "cannot lock the nonces");
        }
    }
    return fd;
}

Result<std::string> read_nonces(const Place& place)
{
    auto bytes = read_whole(place.folder, place.name, kNoncesMax * kLineBytesMax);
    if (!bytes && bytes.error().kind == ErrorKind::NotFound) {
        return std::string();
    }
    return bytes;
}

struct Kept {
    std::string lines; ///< not expired
    std::size_t count = 0;
    bool has_it = false;
};

Result<Kept> read_kept(std::string_view bytes, std::string_view wanted, std::int64_t now_s)
{
    Kept out;
    for (std::size_t at = 0; at < bytes.size();) {
        const auto end = bytes.find('\n', at);
        const auto line = bytes.substr(at, end == bytes.npos ? bytes.npos : end - at);
        const auto parts = split(line, ' ');
        const auto expires = parse_number<std::int64_t>(parts[0]);
        if (end == bytes.npos || parts.size() != kLineParts || !expires) {
            return invalid_error("a line of the nonces' file is none of ours: what was taken before cannot be told");
        }
        at = end + 1;
        if (*expires >= now_s) {
            out.lines.append(line).append("\n");
            ++out.count;
            out.has_it = out.has_it || line.substr(parts[0].size() + 1) == wanted;
        }
    }
    return out;
}

} // namespace

Status NonceFile::take(const std::string& instance, const std::string& nonce, std::int64_t now_s,
                       std::int64_t expires_s) const
{
    TRY_ASSIGN(const Place place, open_place(path_));
    TRY_ASSIGN(const UniqueFd held, lock(place));
    TRY_ASSIGN(const std::string bytes, read_nonces(place));
    const std::string wanted = instance + " " + nonce;
    TRY_ASSIGN(Kept kept, read_kept(bytes, wanted, now_s));
    if (kept.has_it) {
        return Error{ErrorKind::Conflict, 0, "this proof was taken before: a replay"};
    }
    if (kept.count >= kNoncesMax) {
        return Error{ErrorKind::Exhausted, 0, "the nonces' file is full: no proof is taken until some have expired"};
    }
    kept.lines += std::to_string(expires_s) + " " + wanted + "\n";
    return write_durably(place.folder, place.name, kept.lines);
}

} // namespace hostward::report
