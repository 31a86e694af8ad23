// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sweep_record.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

/// Paths kept of one owner: evidence, not an inventory.
constexpr std::size_t kOwnerPathsMax = 10;

SweptFile file_of(const struct statx& status, bool is_in_container_store, std::string path)
{
    constexpr std::uint32_t kPermissionBits = 07777;
    return SweptFile{std::move(path),
                     S_ISDIR(status.stx_mode) ? host::FileType::Directory : host::FileType::Regular,
                     status.stx_mode & kPermissionBits,
                     status.stx_uid,
                     status.stx_gid,
                     is_in_container_store};
}

void merge(const SweptFiles& from, SweptFiles& to)
{
    to.count += from.count;
    to.kept.insert(to.kept.end(), from.kept.begin(), from.kept.end());
}

void finish(SweptFiles& files, std::size_t max)
{
    std::ranges::sort(files.kept, {}, &SweptFile::path);
    if (files.kept.size() > max) {
        files.kept.resize(max);
    }
}

} // namespace

void SweepRecord::take(const struct statx& status, bool is_in_container_store, const std::function<std::string()>& path)
{
    const auto keep = [&](SweptFiles& files) {
        ++files.count;
        if (files.kept.size() < kSweptFilesMax) {
            files.kept.push_back(file_of(status, is_in_container_store, path()));
        }
    };
    const auto mode = status.stx_mode;
    if (S_ISREG(mode) && (mode & S_IWOTH) != 0) {
        keep(world_writable_files_);
    }
    if (S_ISDIR(mode) && (mode & S_IWOTH) != 0 && (mode & S_ISVTX) == 0) {
        keep(open_directories_);
    }
    if (S_ISREG(mode) && (mode & (S_ISUID | S_ISGID)) != 0) {
        keep(set_id_files_);
    }
    if (!is_in_container_store) {
        take_owner(by_uid_, status.stx_uid, status, path);
        take_owner(by_gid_, status.stx_gid, status, path);
    }
}

void SweepRecord::take_owner(Owners& owners, std::uint32_t id, const struct statx& status,
                             const std::function<std::string()>& path)
{
    if (owners.last == owners.files.end() || owners.last->first != id) {
        owners.last = owners.files.find(id);
    }
    if (owners.last == owners.files.end()) {
        if (owners.files.size() >= kOwnersMax) {
            miss("files have more than " + std::to_string(kOwnersMax) + " owners");
            return;
        }
        owners.last = owners.files.emplace(id, SweptFiles{}).first;
    }
    SweptFiles& files = owners.last->second;
    ++files.count;
    if (files.kept.size() < kOwnerPathsMax) {
        files.kept.push_back(file_of(status, false, path()));
    }
}

void SweepRecord::miss(const std::string& why) { first_miss_ = missed_++ == 0 ? why : first_miss_; }

void SweepRecord::merge_into(Sweep& out) const
{
    merge(world_writable_files_, out.world_writable_files);
    merge(open_directories_, out.open_directories);
    merge(set_id_files_, out.set_id_files);
    for (const auto& [id, files] : by_uid_.files) {
        merge(files, out.by_uid[id]);
    }
    for (const auto& [id, files] : by_gid_.files) {
        merge(files, out.by_gid[id]);
    }
    out.entries += entries;
    out.directories += directories;
    if (missed_ > 0) {
        out.partial.push_back(first_miss_ + (missed_ > 1 ? " and " + std::to_string(missed_ - 1) + " more" : ""));
    }
}

void finish_sweep(Sweep& out)
{
    finish(out.world_writable_files, kSweptFilesMax);
    finish(out.open_directories, kSweptFilesMax);
    finish(out.set_id_files, kSweptFilesMax);
    for (auto* owners : {&out.by_uid, &out.by_gid}) {
        for (auto& [id, files] : *owners) {
            finish(files, kOwnerPathsMax);
        }
    }
}

} // namespace hostward::hardening
