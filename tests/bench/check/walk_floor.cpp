// SPDX-License-Identifier: Apache-2.0
// The cheapest walk there can be: getdents64, and statx of every file and directory, nothing kept. Others are measured
// against it. Usage: walk_floor THREADS DIRECTORY
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

/// Open directories for threads that have nothing to do.
class Offers {
public:
    explicit Offers(unsigned threads) : busy_(threads) {}

    /// A directory that was given is on its way to a thread that is not idle any more.
    [[nodiscard]] bool are_wanted() const { return wanted_.load(std::memory_order_relaxed) > 0; }

    void give(int fd)
    {
        const std::scoped_lock lock(mutex_);
        waiting_.push_back(fd);
        --wanted_;
        changed_.notify_one();
    }

    /// Nothing: all threads are done.
    std::optional<int> take()
    {
        std::unique_lock lock(mutex_);
        --busy_;
        ++wanted_;
        changed_.wait(lock, [&] { return !waiting_.empty() || busy_ == 0; });
        if (waiting_.empty()) {
            changed_.notify_all();
            return std::nullopt;
        }
        ++busy_;
        const int fd = waiting_.back();
        waiting_.pop_back();
        return fd;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<int> waiting_;
    unsigned busy_;
    std::atomic<int> wanted_{0}; ///< idle threads without a directory that waits for them
};

class Walk {
public:
    Walk(Offers& offers, std::uint64_t mount) : offers_(offers), mount_(mount) {}

    void run()
    {
        while (const auto fd = offers_.take()) {
            read(*fd);
        }
    }

    std::uint64_t entries = 0;
    std::uint64_t directories = 0;

private:
    void read(int fd) // NOLINT(misc-no-recursion): as deep as the tree of the benchmark
    {
        ++directories;
        std::vector<std::string> children;
        std::array<char, 65536> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
        for (long got = 0; (got = ::syscall(SYS_getdents64, fd, buffer.data(), buffer.size())) > 0;) {
            take(fd, buffer.data(), got, children);
        }
        for (const auto& child : children) {
            const int opened = ::openat(fd, child.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (opened >= 0 && offers_.are_wanted()) {
                offers_.give(opened);
            } else if (opened >= 0) {
                read(opened);
            }
        }
        ::close(fd);
    }

    void take(int fd, const char* found, long bytes, std::vector<std::string>& children)
    {
        for (long at = 0; at < bytes;) {
            const char* entry = found + at;
            std::uint16_t length = 0;
            std::memcpy(&length, entry + 16, sizeof(length));
            at += length;
            const char* name = entry + 19;
            if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) {
                continue;
            }
            ++entries;
            struct statx status = {};
            constexpr unsigned kWanted = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_MNT_ID;
            constexpr unsigned char kLink = 10; // DT_LNK
            if (entry[18] != kLink &&
                ::statx(fd, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, kWanted, &status) == 0 &&
                S_ISDIR(status.stx_mode) && status.stx_mnt_id == mount_) {
                children.emplace_back(name);
            }
        }
    }

    Offers& offers_;
    std::uint64_t mount_;
};

std::optional<std::uint64_t> mount_of(int fd)
{
    struct statx status = {};
    return ::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) == 0 ? std::optional<std::uint64_t>(status.stx_mnt_id)
                                                                      : std::nullopt;
}

void print_all(const std::vector<Walk>& walks)
{
    std::uint64_t entries = 0;
    std::uint64_t directories = 0;
    for (const auto& walk : walks) {
        entries += walk.entries;
        directories += walk.directories;
    }
    std::printf("%ju entries in %ju directories\n", entries, directories);
}

} // namespace

int main(int argc, char** argv)
{
    unsigned threads = 0;
    const std::string_view number(argc == 3 ? argv[1] : "");
    if (std::from_chars(number.data(), number.data() + number.size(), threads).ec != std::errc() || threads == 0) {
        std::fputs("Usage: walk_floor THREADS DIRECTORY\n", stderr);
        return 2;
    }
    const int top = ::open(argv[2], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const auto mount = mount_of(top);
    if (!mount) {
        std::perror(argv[2]);
        return 1;
    }
    Offers offers(threads);
    std::vector<Walk> walks(threads, Walk(offers, *mount));
    offers.give(top);
    {
        std::vector<std::jthread> running;
        for (std::size_t i = 1; i < walks.size(); ++i) {
            running.emplace_back([&walk = walks[i]] { walk.run(); });
        }
        walks[0].run();
    }
    print_all(walks);
}
