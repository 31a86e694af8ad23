// SPDX-License-Identifier: Apache-2.0
// The walk: threads share one stack of directories that wait. Directories are opened from their parent's descriptor and
// links are never followed, so nothing that is renamed meanwhile leads out of the tree.
#include "hardening/models/sweep.h"

#include "agent/base/text.h"
#include "hardening/models/sweep_record.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

namespace hostward::hardening {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kDepthMax = 400; ///< each open level holds a descriptor; a usual limit is 1,024 of them
constexpr std::size_t kEntryBytes = std::size_t{64} << 10;

/// Where runtimes keep the files of containers, below the root.
constexpr std::array kContainerStores{
    "/var/lib/docker",
    "/var/lib/containerd",
    "/var/lib/containers/storage",
    "/var/lib/kubelet",
    "/var/lib/rancher/k3s/agent/containerd",
    "/var/lib/lxc",
};
/// Magic numbers of file systems that is_swept() refuses by name, for trees without a mountinfo.
constexpr std::array<std::uint32_t, 12> kForeignMagics{
    PROC_SUPER_MAGIC,       SYSFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC, NFS_SUPER_MAGIC,
    0xFF534D42U /* cifs */, V9FS_MAGIC,  SECURITYFS_MAGIC,   DEBUGFS_MAGIC,       TRACEFS_MAGIC,      BPF_FS_MAGIC,
};

/// An open directory; its children hold it, so that they can be opened from it.
struct Directory {
    UniqueFd fd;
    std::shared_ptr<const Directory> parent;
    std::string name; ///< of the top one: its path, "" for the root
    std::uint64_t mount = 0;
    int depth = 0;
    bool is_in_container_store = false;

    [[nodiscard]] std::string path() const
    {
        std::vector<const Directory*> up;
        for (const Directory* at = this; at != nullptr; at = at->parent.get()) {
            up.push_back(at);
        }
        std::string text;
        for (auto at = up.rbegin(); at != up.rend(); ++at) {
            text += ((*at)->parent ? "/" : "") + (*at)->name;
        }
        return text;
    }
};
using DirectoryPtr = std::shared_ptr<const Directory>;

struct Task {
    DirectoryPtr parent; ///< none: `top` is the directory
    std::string name;
    DirectoryPtr top;
};

/// What waits, for all threads. Last in, first out: that bounds how many directories are open.
class Stack {
public:
    void push(std::vector<Task> tasks)
    {
        const std::scoped_lock lock(mutex_);
        std::ranges::move(tasks, std::back_inserter(tasks_));
        changed_.notify_all();
    }

    /// Nothing: all is done. The task before must be done.
    std::optional<Task> pop()
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return !tasks_.empty() || busy_ == 0; });
        if (tasks_.empty()) {
            changed_.notify_all();
            return std::nullopt;
        }
        Task task = std::move(tasks_.back());
        tasks_.pop_back();
        ++busy_;
        return task;
    }

    void done()
    {
        const std::scoped_lock lock(mutex_);
        --busy_;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Task> tasks_;
    unsigned busy_ = 0;
};

struct Shared {
    SweepLimits limits;
    Clock::time_point end;
    bool crosses_mounts = false; ///< an image: whatever is mounted in it belongs to it
    Stack stack;
    std::atomic<std::uint64_t> entries{0};
    std::atomic<bool> is_over_budget{false};
};

constexpr unsigned kWanted = STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_INO | STATX_MNT_ID;

bool look(int directory, const char* name, int flags, struct statx& out)
{
    return ::statx(directory, name, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_STATX_DONT_SYNC, kWanted,
                   &out) == 0;
}

bool is_container_store(const std::string& path)
{
    return std::ranges::any_of(kContainerStores, [&](const char* store) { return path == store; });
}

bool is_foreign(int fd)
{
    struct statfs system = {};
    return ::fstatfs(fd, &system) != 0 ||
           std::ranges::find(kForeignMagics, static_cast<std::uint32_t>(system.f_type)) != kForeignMagics.end();
}

class Worker {
public:
    explicit Worker(Shared& shared) : shared_(shared) {}

    void run()
    {
        while (auto task = shared_.stack.pop()) {
            if (!shared_.is_over_budget) {
                if (const auto directory = open(*task)) {
                    read(directory);
                }
            }
            *task = {}; // closes what nobody needs any more
            shared_.stack.done();
        }
    }

    SweepRecord record;

private:
    DirectoryPtr open(const Task& task)
    {
        if (task.top) {
            return task.top;
        }
        auto directory = std::make_shared<Directory>();
        directory->parent = task.parent;
        directory->name = task.name;
        directory->depth = task.parent->depth + 1;
        directory->fd.reset(
            ::openat(task.parent->fd.get(), task.name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        const int error_number = errno;
        if (!directory->fd) {
            miss(error_number, task.parent->path() + "/" + task.name);
            return nullptr;
        }
        struct statx status = {};
        if (!look(directory->fd.get(), "", AT_EMPTY_PATH, status)) {
            miss(errno, directory->path());
            return nullptr;
        }
        directory->mount = status.stx_mnt_id;
        const bool is_boundary = directory->mount != task.parent->mount;
        if (is_boundary && (!shared_.crosses_mounts || is_foreign(directory->fd.get()))) {
            return nullptr; // walked from its own mount point, or not at all
        }
        // Stores lie four levels deep at most; asking deeper costs a path for every directory.
        constexpr int kStoreDepthMax = 8;
        directory->is_in_container_store =
            task.parent->is_in_container_store ||
            (directory->depth <= kStoreDepthMax && is_container_store(directory->path()));
        return directory;
    }

    void read(const DirectoryPtr& directory)
    {
        ++record.directories;
        std::vector<Task> children;
        while (true) {
            const long got = ::syscall(SYS_getdents64, directory->fd.get(), buffer_.data(), buffer_.size());
            if (got <= 0) {
                if (got < 0) {
                    miss(errno, directory->path());
                }
                break;
            }
            take_all(directory, static_cast<std::size_t>(got), children);
            if (is_over_budget()) {
                return;
            }
        }
        shared_.stack.push(std::move(children));
    }

    void take_all(const DirectoryPtr& directory, std::size_t bytes, std::vector<Task>& children)
    {
        std::uint64_t taken = 0;
        for (std::size_t at = 0; at < bytes;) {
            // linux_dirent64: inode, offset, length, type, name
            constexpr std::size_t kLengthAt = 16;
            constexpr std::size_t kTypeAt = 18;
            constexpr std::size_t kNameAt = 19;
            std::uint16_t length = 0;
            std::memcpy(&length, &buffer_.at(at + kLengthAt), sizeof(length));
            const auto type = static_cast<unsigned char>(buffer_.at(at + kTypeAt));
            const char* name = &buffer_.at(at + kNameAt);
            at += length;
            const std::string_view text(name);
            if (text != "." && text != "..") {
                ++taken;
                take(directory, name, type, children);
            }
        }
        record.entries += taken;
        shared_.entries += taken;
    }

    void take(const DirectoryPtr& directory, const char* name, unsigned char type, std::vector<Task>& children)
    {
        constexpr unsigned char kUnknown = 0;   // DT_UNKNOWN
        constexpr unsigned char kDirectory = 4; // DT_DIR
        constexpr unsigned char kRegular = 8;   // DT_REG
        if (type != kUnknown && type != kDirectory && type != kRegular) {
            return;
        }
        struct statx status = {};
        if (!look(directory->fd.get(), name, 0, status)) {
            miss(errno, directory->path() + "/" + name);
            return;
        }
        const bool is_directory = S_ISDIR(status.stx_mode);
        if (!is_directory && !S_ISREG(status.stx_mode)) {
            return;
        }
        const bool is_boundary = is_directory && status.stx_mnt_id != directory->mount;
        if (!is_boundary || shared_.crosses_mounts) {
            record.take(status, directory->is_in_container_store, [&] { return directory->path() + "/" + name; });
        }
        if (!is_directory || (is_boundary && !shared_.crosses_mounts)) {
            return;
        }
        if (directory->depth >= kDepthMax) {
            record.miss(quote(directory->path() + "/" + name) + " is deeper than " + std::to_string(kDepthMax) +
                        " directories");
            return;
        }
        children.push_back({directory, name, nullptr});
    }

    bool is_over_budget()
    {
        if (shared_.entries > shared_.limits.entries_max || Clock::now() > shared_.end) {
            shared_.is_over_budget = true;
        }
        return shared_.is_over_budget;
    }

    void miss(int error_number, const std::string& path)
    {
        if (error_number != ENOENT && error_number != ENOTDIR && error_number != ELOOP) { // it went meanwhile
            record.miss(system_error(error_number, "looking at " + quote(path)).text);
        }
    }

    Shared& shared_;
    std::vector<char> buffer_ = std::vector<char>(kEntryBytes);
};

Result<UniqueFd> open_point(const host::Host& host, const std::string& point, int flags)
{
    TRY_ASSIGN(const UniqueFd root, host.open_root());
    open_how how = {};
    how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, root.get(), point.c_str(), &how, sizeof(how))));
    if (!fd) {
        const int error_number = errno;
        return system_error(error_number, "opening " + quote(point));
    }
    return fd;
}

Result<DirectoryPtr> open_top(const host::Host& host, const std::string& point)
{
    auto top = std::make_shared<Directory>();
    top->name = point == "/" ? "" : point;
    TRY_ASSIGN(top->fd, open_point(host, point, O_RDONLY | O_DIRECTORY));
    struct statx status = {};
    if (!look(top->fd.get(), "", AT_EMPTY_PATH, status)) {
        const int error_number = errno;
        return system_error(error_number, "looking at " + quote(point));
    }
    top->mount = status.stx_mnt_id;
    top->is_in_container_store = std::ranges::any_of(kContainerStores, [&](std::string_view store) {
        return point == store || point.starts_with(std::string(store) + "/");
    });
    return DirectoryPtr(std::move(top));
}

/// The directory that a walk starts with counts itself, too.
void take_top(const Directory& top, SweepRecord& record)
{
    struct statx status = {};
    if (look(top.fd.get(), "", AT_EMPTY_PATH, status)) {
        ++record.entries;
        record.take(status, top.is_in_container_store, [&] { return top.name.empty() ? "/" : top.name; });
    }
}

/// A file that is mounted on a file: containers have /etc/hosts that way.
Status take_file(const host::Host& host, const std::string& point, SweepRecord& record)
{
    TRY_ASSIGN(const UniqueFd fd, open_point(host, point, O_PATH));
    struct statx status = {};
    if (!look(fd.get(), "", AT_EMPTY_PATH, status)) {
        const int error_number = errno;
        return system_error(error_number, "looking at " + quote(point));
    }
    ++record.entries;
    record.take(status, false, [&] { return point; });
    return success();
}

Result<std::vector<Task>> tops_of(const host::Host& host, const SweepPlan& plan, SweepRecord& record)
{
    std::vector<Task> tasks;
    if (plan.walk.empty()) {
        TRY_ASSIGN(const DirectoryPtr top, open_top(host, "/"));
        take_top(*top, record);
        tasks.push_back({nullptr, "", top});
        return tasks;
    }
    for (const auto& mount : plan.walk) {
        const auto top = open_top(host, mount.point);
        const bool is_covered =
            top && mount.id != kUnlistedMount && (*top)->mount != mount.id; // by another on the same point
        if (!top) {
            const bool is_file = top.error().error_number == ENOTDIR;
            const auto taken = is_file ? take_file(host, mount.point, record) : Status(top.error());
            if (!taken) {
                record.miss(taken.error().text);
            }
        } else if (!is_covered) {
            take_top(**top, record);
            tasks.push_back({nullptr, "", *top});
        }
    }
    return tasks;
}

} // namespace

Result<Sweep> sweep(const host::Host& host, const SweepPlan& plan, const SweepLimits& limits)
{
    Shared shared;
    shared.limits = limits;
    shared.end = Clock::now() + limits.time;
    shared.crosses_mounts = plan.walk.empty();
    SweepRecord tops;
    TRY_ASSIGN(auto tasks, tops_of(host, plan, tops));
    shared.stack.push(std::move(tasks));
    std::vector<std::unique_ptr<Worker>> workers;
    for (unsigned i = 0; i < std::max(1U, limits.threads); ++i) {
        workers.push_back(std::make_unique<Worker>(shared));
    }
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < workers.size(); ++i) {
            threads.emplace_back([&worker = *workers[i]] { worker.run(); });
        }
        workers[0]->run();
    }
    Sweep out;
    out.plan = plan;
    tops.merge_into(out);
    for (const auto& worker : workers) {
        worker->record.merge_into(out);
    }
    if (shared.is_over_budget) {
        out.partial.push_back("it was ended after " + std::to_string(out.entries) + " entries: the budget is " +
                              std::to_string(limits.entries_max) + " entries and " +
                              std::to_string(limits.time.count()) + " ms");
    }
    finish_sweep(out);
    return out;
}

Result<Sweep> Sweep::read(Facts& facts)
{
    if (!facts.may_sweep()) {
        return Error{ErrorKind::Unsupported, 0, "the file system is not to be walked"};
    }
    SweepPlan plan;
    if (facts.host().is_running()) {
        TRY_ASSIGN(const std::string text, host::read_kernel(facts.host(), "/proc/self/mountinfo"));
        plan = plan_sweep(text);
        if (plan.walk.empty()) {
            return invalid_error("no mount in /proc/self/mountinfo that can be walked");
        }
    }
    return sweep(facts.host(), plan, SweepLimits{});
}

} // namespace hostward::hardening
