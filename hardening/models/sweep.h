// SPDX-License-Identifier: Apache-2.0
// One pass over all local file systems: everything that checks want to know of every file, found together.
#pragma once

#include "agent/base/result.h"
#include "agent/host/host.h"
#include "hardening/models/facts.h"
#include "hardening/models/sweep_plan.h"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hostward::hardening {

struct SweptFile {
    std::string path;
    host::FileType type = host::FileType::Regular;
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    /// Below the store of a container runtime: its owner is a user of the container, not of the host.
    bool is_in_container_store = false;
};

/// Files of one kind: all are counted, the first few (by path, of those that were met first) are kept.
struct SweptFiles {
    std::uint64_t count = 0;
    std::vector<SweptFile> kept;
};
inline constexpr std::size_t kSweptFilesMax = 2000;

struct SweepLimits {
    std::uint64_t entries_max = 20'000'000;
    std::chrono::milliseconds time{120'000};
    unsigned threads = 2;
};

struct Sweep {
    /// Unsupported: a host that cannot be walked, or must not be (Facts::may_sweep).
    static Result<Sweep> read(Facts& facts);

    SweptFiles world_writable_files; ///< regular files
    SweptFiles open_directories;     ///< world-writable without the sticky bit
    SweptFiles set_id_files;         ///< regular files with SUID or SGID
    /// Owner -> regular files and directories of the host's own, to be held against the accounts.
    std::map<std::uint32_t, SweptFiles> by_uid;
    std::map<std::uint32_t, SweptFiles> by_gid;

    std::uint64_t entries = 0;
    std::uint64_t directories = 0;
    std::vector<std::string> partial; ///< why not everything was seen; empty: it was
    SweepPlan plan;
};

/// Walks what `plan` says below the root; an empty plan (an image): everything below it that is_swept().
[[nodiscard]] Result<Sweep> sweep(const host::Host& host, const SweepPlan& plan, const SweepLimits& limits);

} // namespace hostward::hardening
