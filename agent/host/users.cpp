// SPDX-License-Identifier: Apache-2.0
#include "agent/host/users.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace hostward::host {

namespace {

constexpr std::uint32_t kNoId = 0xffffffffU; ///< (uid_t)-1 means "no change" to the kernel, never a user

/// Glibc skips blanks before a line, so a name cannot begin with one.
std::string_view without_leading_blanks(std::string_view line)
{
    const auto start = line.find_first_not_of(" \t");
    return start == line.npos ? std::string_view{} : line.substr(start);
}

bool add_line(std::string_view line, std::size_t fields_min, Accounts& out)
{
    const auto fields = split(line, ':');
    if (fields.size() < fields_min || fields[0].empty() || fields[0][0] == '+' || fields[0][0] == '-' ||
        line.find('\0') != line.npos) {
        return false;
    }
    const auto id = parse_number<std::uint32_t>(fields[2]);
    if (!id || *id == kNoId) {
        return false;
    }
    out.id_of.emplace(fields[0], *id);
    out.name_of.emplace(*id, fields[0]);
    return true;
}

/// Opens `name` below the directory `root` as if that were "/".
Result<UniqueFd> open_in_root(const UniqueFd& root, const std::string& name)
{
    open_how how = {};
    how.flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, root.get(), name.c_str(), &how, sizeof(how))));
    if (!fd) {
        return system_error(errno, "opening " + quote(name));
    }
    return fd;
}

Result<std::string> read_file(const UniqueFd& fd, const std::string& name)
{
    struct stat status = {};
    if (::fstat(fd.get(), &status) != 0) {
        return system_error(errno, "examining " + quote(name));
    }
    if (!S_ISREG(status.st_mode)) {
        return invalid_error(quote(name) + " is not a regular file");
    }
    std::string text;
    std::string buffer(std::size_t{64} << 10, '\0');
    while (text.size() <= kAccountFileBytesMax) {
        const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
        const int error_number = errno;
        if (got == 0) {
            return text;
        }
        if (got > 0) {
            text.append(buffer, 0, static_cast<std::size_t>(got));
        } else if (error_number != EINTR) {
            return system_error(error_number, "reading " + quote(name));
        }
    }
    return Error{ErrorKind::Exhausted, 0,
                 quote(name) + " is larger than the " + std::to_string(kAccountFileBytesMax) + " bytes allowed"};
}

Result<Accounts> read_accounts(const UniqueFd& root, const std::string& name, std::size_t fields_min)
{
    auto fd = open_in_root(root, name);
    if (!fd) {
        return fd.error().error_number == ENOENT ? Result<Accounts>(Accounts{}) : fd.error();
    }
    TRY_ASSIGN(const std::string text, read_file(*fd, name));
    return parse_accounts(text, fields_min);
}

std::optional<std::uint32_t> find(const Accounts& accounts, std::string_view name)
{
    const auto found = accounts.id_of.find(name);
    return found == accounts.id_of.end() ? std::nullopt : std::optional(found->second);
}

} // namespace

Accounts parse_accounts(std::string_view text, std::size_t fields_min)
{
    Accounts out;
    while (!text.empty()) {
        const auto end = text.find('\n');
        const auto line = without_leading_blanks(text.substr(0, end));
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
        if (!line.empty() && line[0] != '#' && !add_line(line, fields_min, out)) {
            ++out.skipped_lines;
        }
    }
    return out;
}

std::optional<std::uint32_t> Users::user(std::string_view name) const { return find(users, name); }
std::optional<std::uint32_t> Users::group(std::string_view name) const { return find(groups, name); }

Result<Users> Users::read(const std::string& root)
{
    const UniqueFd directory(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!directory) {
        return system_error(errno, "opening " + quote(root));
    }
    TRY_ASSIGN(Accounts users, read_accounts(directory, "etc/passwd", kPasswdFieldsMin));
    TRY_ASSIGN(Accounts groups, read_accounts(directory, "etc/group", kGroupFieldsMin));
    return Users{std::move(users), std::move(groups)};
}

} // namespace hostward::host
