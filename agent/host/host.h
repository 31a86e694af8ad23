// SPDX-License-Identifier: Apache-2.0
// The door to the machine that is looked at: this running host, or an image of one that lies in a directory. Every
// path is absolute and resolved inside the root, symbolic links included. All methods may be called by several threads.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hostward::host {

enum class FileType { Regular, Directory, Symlink, CharDevice, BlockDevice, Fifo, Socket };

struct FileFacts {
    FileType type = FileType::Regular;
    std::uint32_t mode = 0; ///< permission bits with SUID, SGID and sticky: 07777
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint64_t size = 0; ///< bytes
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t modified_s = 0; ///< seconds since 1970
};

enum class Links { Follow, Keep }; ///< what becomes of a symbolic link in the last component

struct Finished {
    int exit_code = 0; ///< 128 + N: ended by signal N
    std::string out;
    std::string err;
};

struct RunLimits {
    std::chrono::milliseconds timeout{5000};
    std::size_t output_bytes_max = std::size_t{4} << 20; ///< of each stream
};

/// What the audit subsystem of the kernel can be asked: AUDIT_GET and AUDIT_LIST_RULES.
enum class AuditQuestion : std::uint16_t { Status = 1000, Rules = 1013 };

/// Files that are larger are an error, unless a caller asks for another limit. What is read of a host may be kept, and
/// an image may be made by somebody who wants us to run out of memory.
inline constexpr std::size_t kReadBytesMax = std::size_t{2} << 20;
/// Larger directories are an error. Sweeps do not list: they walk from open_root().
inline constexpr std::size_t kEntriesMax = 100'000;

class Host {
public:
    virtual ~Host() = default;

    /// False for an image: then there is no kernel to ask and nothing can be run.
    [[nodiscard]] virtual bool is_running() const = 0;

    [[nodiscard]] virtual Result<FileFacts> facts(const std::string& path, Links links = Links::Follow) const = 0;

    /// The whole of a regular file. Devices, pipes and sockets are never opened. NotFound: it does not exist, or a
    /// component of the path is no directory. Exhausted: larger than `bytes_max`. Never waits.
    [[nodiscard]] virtual Result<std::string> read(const std::string& path,
                                                   std::size_t bytes_max = kReadBytesMax) const = 0;

    /// Names in a directory in bytewise order, without `.` and `..`.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& directory) const = 0;

    [[nodiscard]] virtual Result<std::string> link_target(const std::string& path) const = 0;

    /// The root itself (O_PATH), to walk it. Unsupported where there is none (a fake).
    [[nodiscard]] virtual Result<UniqueFd> open_root() const = 0;

    /// Runs a program of the running host: argv[0] is an absolute path, there is no shell, the environment is
    /// `LC_ALL=C` and a PATH of system folders, standard input is empty. A run that takes longer or prints more than
    /// the limits is ended and an error (Exhausted). NotFound: no such program. Unsupported: an image.
    [[nodiscard]] virtual Result<Finished> run(const std::vector<std::string>& argv,
                                               const RunLimits& limits = {}) const = 0;

    /// The messages with which the running kernel answers, as they are (linux/audit.h). Denied: without
    /// CAP_AUDIT_CONTROL, or in a namespace of its own. Unsupported: an image, or a kernel without audit.
    [[nodiscard]] virtual Result<std::vector<std::string>> ask_audit(AuditQuestion question) const = 0;
};

/// The host below `root`: "/" is the running one, everything else an image; so is another mount of the same file
/// system.
[[nodiscard]] Result<std::unique_ptr<Host>> open_host(const std::string& root = "/");

/// read() of what only a running kernel has (/proc, /sys). Unsupported for an image, whatever lies there.
[[nodiscard]] Result<std::string> read_kernel(const Host& host, const std::string& path);

/// Whether there is such a path; what cannot be looked at is an error.
[[nodiscard]] Result<bool> exists(const Host& host, const std::string& path, Links links = Links::Follow);

/// read() where absent is a value: nothing then.
[[nodiscard]] Result<std::optional<std::string>> read_optional(const Host& host, const std::string& path);

/// list() where absent is a value: no names then.
[[nodiscard]] Result<std::vector<std::string>> list_optional(const Host& host, const std::string& directory);

} // namespace hostward::host
