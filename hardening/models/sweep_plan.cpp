// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sweep_plan.h"

#include "agent/base/text.h"
#include "hardening/models/lines.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

namespace hostward::hardening {

namespace {

/// Not files of this host: made by the kernel, kept by another host, or packed and never writable.
constexpr std::array kNotSwept{
    "9p",         "afs",       "autofs",  "binfmt_misc", "bpf",      "ceph",    "cgroup",    "cgroup2",   "cifs",
    "configfs",   "cramfs",    "debugfs", "devpts",      "efivarfs", "fusectl", "glusterfs", "hugetlbfs", "iso9660",
    "lustre",     "mqueue",    "nfs",     "nfs4",        "nfsd",     "nsfs",    "proc",      "pstore",    "rpc_pipefs",
    "securityfs", "selinuxfs", "smb3",    "smbfs",       "squashfs", "sysfs",   "tracefs",   "virtiofs",  "fuse",
};

/// The kernel writes blanks, newlines and backslashes as \ooo.
std::string unescape(std::string_view text)
{
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto octal = text[i] == '\\' ? parse_number<std::uint8_t>(text.substr(i + 1, 3), 8) : std::nullopt;
        out += octal ? static_cast<char>(*octal) : text[i];
        i += octal ? 3U : 0U;
    }
    return out;
}

std::optional<SweepMount> parse_mount(std::string_view line)
{
    constexpr std::size_t kFixed = 6;
    const auto fields = split(line, ' ');
    const auto dash = std::ranges::find(fields, "-");
    if (fields.size() < kFixed || fields.end() - dash < 2) {
        return std::nullopt;
    }
    const auto id = parse_number<std::uint64_t>(fields[0]);
    const auto numbers = split(fields[2], ':');
    const auto major = parse_number<std::uint32_t>(numbers[0]);
    const auto minor = numbers.size() == 2 ? parse_number<std::uint32_t>(numbers[1]) : std::nullopt;
    if (!id || !major || !minor) {
        return std::nullopt;
    }
    return SweepMount{*id, unescape(fields[4]), unescape(fields[3]), std::string(*(dash + 1)), makedev(*major, *minor)};
}

bool is_below(const std::string& path, const std::string& folder)
{
    return path == folder || folder == "/" || path.starts_with(folder + "/");
}

} // namespace

bool is_swept(std::string_view type)
{
    return std::ranges::find(kNotSwept, type) == kNotSwept.end() && !type.starts_with("fuse.");
}

SweepPlan plan_sweep(std::string_view mountinfo)
{
    SweepPlan plan;
    std::vector<SweepMount> wanted;
    for_each_line(mountinfo, [&](std::string_view line, std::uint32_t /*number*/) {
        auto mount = parse_mount(line);
        if (!mount) {
            return;
        }
        const bool is_merged = mount->type == "overlay" && mount->point != "/";
        (is_swept(mount->type) && !is_merged ? wanted : plan.skipped).push_back(std::move(*mount));
    });
    // In a chroot, the root need not be a mount of its own.
    const bool is_known = !wanted.empty() || !plan.skipped.empty();
    const auto is_root = [](const SweepMount& mount) { return mount.point == "/"; };
    if (is_known && std::ranges::none_of(wanted, is_root) && std::ranges::none_of(plan.skipped, is_root)) {
        plan.walk.push_back(SweepMount{kUnlistedMount, "/", "/", "", 0});
    }
    // Of two mounts of one file system the one that shows more of it, then the earlier one.
    std::ranges::stable_sort(wanted, {}, [](const SweepMount& mount) { return mount.root.size(); });
    std::multimap<std::uint64_t, std::string> shown;
    for (auto& mount : wanted) {
        const auto [first, last] = shown.equal_range(mount.device);
        const bool is_seen =
            std::any_of(first, last, [&](const auto& other) { return is_below(mount.root, other.second); });
        shown.emplace(mount.device, mount.root);
        (is_seen ? plan.skipped : plan.walk).push_back(std::move(mount));
    }
    return plan;
}

} // namespace hostward::hardening
