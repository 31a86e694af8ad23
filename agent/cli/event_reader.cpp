// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/event_reader.h"

#include "agent/base/text.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

namespace hostward::cli {

namespace {

constexpr std::size_t kReadBytes = std::size_t{64} << 10;
constexpr int kOpenTries = 5; ///< a rotation between opening the two files: once is rare, five times is not a rotation

Result<UniqueFd> open_file(const std::string& path)
{
    UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file) {
        const int error_number = errno;
        return system_error(error_number, "cannot open " + quote(path));
    }
    return file;
}

bool same_file(const struct stat& a, const struct stat& b) { return a.st_dev == b.st_dev && a.st_ino == b.st_ino; }

bool same_file(const UniqueFd& a, const UniqueFd& b)
{
    struct stat of_a = {};
    struct stat of_b = {};
    return ::fstat(a.get(), &of_a) == 0 && ::fstat(b.get(), &of_b) == 0 && same_file(of_a, of_b);
}

} // namespace

Result<EventReader> EventReader::open(const std::string& run_dir)
{
    EventReader reader(run_dir + "/events.jsonl");
    TRY(reader.queue_files());
    reader.start_next_file();
    return reader;
}

Result<EventReader> EventReader::open_kept(const std::string& file)
{
    const bool is_input = file == "-";
    // Not O_NOFOLLOW: the person named it.
    UniqueFd fd(is_input ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0) : ::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        const int error_number = errno;
        return system_error(error_number, "cannot open " + quote(file));
    }
    EventReader reader(is_input ? "" : file);
    reader.files_.push_back(std::move(fd));
    reader.start_next_file();
    return reader;
}

/// Opens what is to be read after file_: the rotated file unless that is file_ itself, then the current one.
Status EventReader::queue_files()
{
    for (int tries = 0; tries < kOpenTries; ++tries) {
        TRY_ASSIGN(UniqueFd current, open_file(path_));
        auto rotated = open_file(path_ + ".1");
        if (rotated && same_file(*rotated, current)) {
            continue; // rotated in between: there is a newer current file
        }
        if (rotated && !(file_ && same_file(*rotated, file_))) {
            files_.push_back(rotated.take());
        }
        files_.push_back(std::move(current));
        return success();
    }
    return Error{ErrorKind::Conflict, 0, quote(path_) + " is replaced faster than it can be opened"};
}

void EventReader::start_next_file()
{
    file_ = std::move(files_.front());
    files_.pop_front();
    // A last line without its end was cut by a crash of the writer.
    dropped_ += buffer_.empty() ? 0U : 1U;
    buffer_.clear();
    skipping_ = false;
    replaced_seen_ = false;
}

std::optional<std::string> EventReader::take_line()
{
    while (true) {
        const auto end = buffer_.find('\n');
        if (end == std::string::npos) {
            if (buffer_.size() > kLineBytesMax) {
                dropped_ += skipping_ ? 0U : 1U;
                skipping_ = true;
                buffer_.clear();
            }
            return std::nullopt;
        }
        std::string line = buffer_.substr(0, end);
        buffer_.erase(0, end + 1);
        if (std::exchange(skipping_, false)) {
            continue; // the rest of a line that was too long
        }
        if (line.size() <= kLineBytesMax) {
            return line;
        }
        ++dropped_;
    }
}

std::string EventReader::take_rest()
{
    std::string rest = std::exchange(buffer_, {});
    return skipping_ ? "" : rest;
}

/// False at the end of the file.
Result<bool> EventReader::read_more()
{
    std::array<char, kReadBytes> chunk{};
    while (true) {
        const ssize_t got = ::read(file_.get(), chunk.data(), chunk.size());
        const int error_number = errno;
        if (got >= 0) {
            buffer_.append(chunk.data(), static_cast<std::size_t>(got));
            return got > 0;
        }
        if (error_number != EINTR) {
            return system_error(error_number, "cannot read " + quote(path_));
        }
    }
}

/// The path names another file now. Absent counts as the same: a rotation is not complete.
bool EventReader::is_replaced() const
{
    struct stat now = {};
    struct stat open_one = {};
    return ::stat(path_.c_str(), &now) == 0 && ::fstat(file_.get(), &open_one) == 0 && !same_file(now, open_one);
}

Result<std::optional<std::string>> EventReader::next()
{
    while (true) {
        if (auto line = take_line()) {
            return line;
        }
        TRY_ASSIGN(const bool more, read_more());
        if (more) {
            continue;
        }
        if (files_.empty() && !is_replaced()) {
            return std::optional<std::string>();
        }
        // The writer may have added a line after our last read and before it rotated.
        if (files_.empty() && !std::exchange(replaced_seen_, true)) {
            continue;
        }
        if (files_.empty()) {
            TRY(queue_files());
        }
        start_next_file();
    }
}

} // namespace hostward::cli
