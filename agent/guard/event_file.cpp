// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/event_file.h"

#include "agent/base/text.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace hostward::guard {

namespace {

Result<UniqueFd> open_appending(const std::string& path)
{
    UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640));
    if (!file) {
        const int error = errno;
        return system_error(error, "cannot open " + quote(path));
    }
    return file;
}

} // namespace

Result<EventFile> EventFile::open(const std::string& run_dir)
{
    const std::string path = run_dir + "/events.jsonl";
    TRY_ASSIGN(UniqueFd file, open_appending(path));
    struct stat info {};
    if (::fstat(file.get(), &info) < 0) {
        const int error = errno;
        return system_error(error, "cannot look at " + quote(path));
    }
    return EventFile(path, std::move(file), static_cast<std::size_t>(info.st_size));
}

Status EventFile::rotate()
{
    const std::string old = path_ + ".1";
    // None to rename: an earlier try got no further than here, for want of space.
    if (::rename(path_.c_str(), old.c_str()) < 0 && errno != ENOENT) {
        const int error = errno;
        return system_error(error, "cannot rotate " + quote(path_));
    }
    TRY_ASSIGN(file_, open_appending(path_));
    size_ = 0;
    return success();
}

Status EventFile::append(const std::string& line)
{
    const std::string text = line + "\n";
    if (size_ + text.size() > kEventFileBytesMax) {
        TRY(rotate());
    }
    const ssize_t written = ::write(file_.get(), text.data(), text.size());
    if (written != static_cast<ssize_t>(text.size())) {
        const int error = written < 0 ? errno : ENOSPC;
        (void)!::ftruncate(file_.get(), static_cast<off_t>(size_)); // half a line would spoil the next one
        return system_error(error, "cannot write " + quote(path_));
    }
    size_ += text.size();
    return success();
}

} // namespace hostward::guard
