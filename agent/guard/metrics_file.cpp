// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/metrics_file.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "agent/host/path_trust.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace hostward::guard {

namespace {

constexpr mode_t kMode = 0644;

struct Target {
    UniqueFd folder;
    std::string name;
    std::string aside; ///< in the same folder; the collector reads *.prom only
};

/// The folder, held open: what is checked and what is written into are the same.
Result<Target> open_folder(const std::string& path)
{
    const auto slash = path.rfind('/');
    const std::string folder = slash == 0 ? "/" : path.substr(0, slash);
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, folder.c_str(), &how, sizeof(how))));
    if (!fd) {
        const int error = errno;
        return system_error(error, "cannot open folder " + quote(folder));
    }
    struct stat info {};
    if (::fstat(fd.get(), &info) < 0) {
        const int error = errno;
        return system_error(error, "cannot look at folder " + quote(folder));
    }
    if (const std::string who = host::who_can_replace(info, nullptr, ::geteuid()); !who.empty()) {
        return Error{ErrorKind::Denied, 0, "folder " + quote(folder) + " " + who + ": only our own is written to"};
    }
    const std::string name = path.substr(slash + 1);
    return Target{std::move(fd), name, "." + name + ".new"};
}

Status write_all(int fd, std::string_view text, const std::string& what)
{
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0) {
            const int error = errno;
            return system_error(error, what);
        }
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return success();
}

Status write_aside(const Target& target, std::string_view text, const std::string& what)
{
    (void)::unlinkat(target.folder.get(), target.aside.c_str(), 0); // of a writer that was killed
    UniqueFd file(::openat(target.folder.get(), target.aside.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode));
    if (!file) {
        const int error = errno;
        return system_error(error, what);
    }
    TRY(write_all(file.get(), text, what));
    if (::fchmod(file.get(), kMode) < 0) { // whatever the umask is
        const int error = errno;
        return system_error(error, what);
    }
    return success();
}

} // namespace

Status write_metrics_file(const std::string& path, std::string_view text)
{
    const std::string what = "cannot write the metrics to " + quote(path);
    TRY_ASSIGN(const Target target, open_folder(path));
    auto done = write_aside(target, text, what);
    if (done && ::renameat(target.folder.get(), target.aside.c_str(), target.folder.get(), target.name.c_str()) < 0) {
        const int error = errno;
        done = system_error(error, what);
    }
    if (!done) {
        (void)::unlinkat(target.folder.get(), target.aside.c_str(), 0); // nothing half-done stays
    }
    return done;
}

Status remove_metrics_file(const std::string& path)
{
    TRY_ASSIGN(const Target target, open_folder(path));
    if (::unlinkat(target.folder.get(), target.name.c_str(), 0) < 0 && errno != ENOENT) {
        const int error = errno;
        return system_error(error, "cannot remove " + quote(path));
    }
    return success();
}

std::string MetricsFile::move_to(const std::string& path)
{
    std::string said;
    if (!path_.empty() && path_ != path) {
        const auto removed = remove_metrics_file(path_);
        said = removed ? "" : removed.error().text + ", it stays as it is";
    }
    path_ = path;
    return said;
}

std::string MetricsFile::write(const AgentFacts& facts)
{
    auto read = read_status(options_);
    std::string problem = read ? "" : "cannot read the guard's numbers: " + read.error().text;
    const auto status = read ? std::optional(read.take()) : std::nullopt;
    const auto written = write_metrics_file(path_, metrics_text(status, HOSTWARD_VERSION, facts));
    if (!written) {
        problem = written.error().text + ", continuing without metrics";
    }
    if (problem == problem_) {
        return "";
    }
    problem_ = problem;
    return problem.empty() ? "the metrics are written again" : problem;
}

} // namespace hostward::guard
