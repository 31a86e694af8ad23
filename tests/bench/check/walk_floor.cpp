// SPDX-License-Identifier: Apache-2.0
// The cheapest walk there can be: getdents64, and statx of every file and directory, nothing kept. Peers are measured
// against it. One thread per argument folder: walk_floor DIR [DIR...]
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Found {
    std::uint64_t entries = 0;
    std::uint64_t directories = 0;
};

class Walk {
public:
    void add(const char* path)
    {
        const int fd = ::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct statx status = {};
        if (fd < 0 || ::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) {
            std::perror(path);
            return;
        }
        mount_ = status.stx_mnt_id;
        read(fd);
    }

    Found found;

private:
    void read(int fd) // NOLINT(misc-no-recursion): as deep as the tree of the benchmark
    {
        ++found.directories;
        std::vector<std::string> children;
        std::array<char, 65536> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
        for (long got = 0; (got = ::syscall(SYS_getdents64, fd, buffer.data(), buffer.size())) > 0;) {
            take(fd, buffer.data(), got, children);
        }
        for (const auto& child : children) {
            const int opened = ::openat(fd, child.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (opened >= 0) {
                read(opened);
            }
        }
        ::close(fd);
    }

    void take(int fd, const char* entries, long bytes, std::vector<std::string>& children)
    {
        for (long at = 0; at < bytes;) {
            const char* entry = entries + at;
            std::uint16_t length = 0;
            std::memcpy(&length, entry + 16, sizeof(length));
            at += length;
            const char* name = entry + 19;
            if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) {
                continue;
            }
            ++found.entries;
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

    std::uint64_t mount_ = 0;
};

} // namespace

int main(int argc, char** argv)
{
    std::vector<Walk> walks(static_cast<std::size_t>(argc > 1 ? argc - 1 : 0));
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < walks.size(); ++i) {
            threads.emplace_back([&, i] { walks[i].add(argv[i + 1]); });
        }
    }
    Found all;
    for (const auto& walk : walks) {
        all.entries += walk.found.entries;
        all.directories += walk.found.directories;
    }
    std::printf("%ju entries in %ju directories\n", all.entries, all.directories);
    return all.entries == 0;
}
