// SPDX-License-Identifier: Apache-2.0
// What one thread of a sweep has found. Inside hardening/models only.
#pragma once

#include "hardening/models/sweep.h"

#include <sys/stat.h>

#include <functional>
#include <string_view>

namespace hostward::hardening {

/// Owners seen beyond this make the sweep partial: only a hostile tree has so many.
inline constexpr std::size_t kOwnersMax = 65536;

class SweepRecord {
public:
    SweepRecord() = default;
    SweepRecord(const SweepRecord&) = delete; // it points into itself
    SweepRecord& operator=(const SweepRecord&) = delete;

    /// One entry that is a regular file or directory. `path` is asked only where the entry is kept.
    void take(const struct statx& status, bool is_in_container_store, const std::function<std::string()>& path);
    /// Something could not be looked at.
    void miss(const std::string& why);
    void merge_into(Sweep& out) const;

    std::uint64_t entries = 0;
    std::uint64_t directories = 0;

private:
    /// A file's owner is most often that of the file before it, so the one found last is looked at first.
    struct Owners {
        std::map<std::uint32_t, SweptFiles> files;
        std::map<std::uint32_t, SweptFiles>::iterator last = files.end();
    };
    void take_owner(Owners& owners, std::uint32_t id, const struct statx& status,
                    const std::function<std::string()>& path);

    SweptFiles world_writable_files_;
    SweptFiles open_directories_;
    SweptFiles set_id_files_;
    Owners by_uid_;
    Owners by_gid_;
    std::uint64_t missed_ = 0;
    std::string first_miss_;
};

/// Sorts what was kept, so that two runs over one tree say the same.
void finish_sweep(Sweep& out);

} // namespace hostward::hardening
