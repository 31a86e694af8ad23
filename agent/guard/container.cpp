// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/container.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace hostward::guard {

namespace {

constexpr std::size_t kIdSize = 64;
constexpr std::size_t kPodUidMax = 36;
constexpr std::string_view kSlice = ".slice";
constexpr std::string_view kScope = ".scope";
constexpr std::string_view kPods = "kubepods";

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

bool is_id(std::string_view text) { return text.size() == kIdSize && std::ranges::all_of(text, is_hex); }

/// What stands between the two, or nothing.
std::optional<std::string_view> between(std::string_view text, std::string_view before, std::string_view after)
{
    if (text.size() <= before.size() + after.size() || !text.starts_with(before) || !text.ends_with(after)) {
        return std::nullopt;
    }
    return text.substr(before.size(), text.size() - before.size() - after.size());
}

/// systemd writes the dashes of a name inside a slice's name as underscores. Static pods have no dashes at all.
std::string pod_uid(std::string_view text)
{
    std::string uid(text);
    std::ranges::replace(uid, '_', '-');
    const bool valid = !uid.empty() && uid.size() <= kPodUidMax &&
                       std::ranges::all_of(uid, [](char c) { return is_hex(c) || c == '-'; });
    return valid ? uid : "";
}

/// The names that runtimes put before an id; without a runtime: not a container but its helper.
struct Prefix {
    std::string_view text;
    std::string_view runtime;
};
constexpr std::array kPrefixes{
    Prefix{"docker-", "docker"},      Prefix{"libpod-", "podman"}, Prefix{"cri-containerd-", "containerd"},
    Prefix{"nerdctl-", "containerd"}, Prefix{"crio-", "cri-o"},
};

Container by_prefix(std::string_view name, std::string_view suffix)
{
    for (const auto& prefix : kPrefixes) {
        // Not an id: the helper beside the container, as in libpod-conmon-ID.scope.
        if (const auto id = between(name, prefix.text, suffix); id && is_id(*id)) {
            return {std::string(prefix.runtime), std::string(*id), "", ""};
        }
    }
    return {};
}

/// kubepods-burstable-podUID.slice, and kubelet-kubepods-... where kubelet has a root of its own.
void read_pod_slice(std::string_view slice, Container& out)
{
    const auto name = between(slice, "", kSlice);
    const auto at = name ? name->rfind("-pod") : std::string_view::npos;
    if (at == std::string_view::npos) {
        return;
    }
    const std::string_view parent = name->substr(0, at);
    for (const std::string_view qos : {"burstable", "besteffort", "guaranteed"}) {
        const std::string end = qos == "guaranteed" ? std::string(kPods) : std::string(kPods) + "-" + std::string(qos);
        if (parent == end || parent.ends_with("-" + end)) {
            out.pod_uid = pod_uid(name->substr(at + 4));
            out.qos = out.pod_uid.empty() ? "" : qos;
        }
    }
}

/// What systemd-nspawn and lxc call a container is its name: any text. systemd escapes dashes in it.
std::string unescape_dashes(std::string_view name)
{
    constexpr std::string_view kDash = "\\x2d";
    std::string out;
    while (!name.empty()) {
        const bool dash = name.starts_with(kDash);
        out += dash ? '-' : name[0];
        name.remove_prefix(dash ? kDash.size() : 1);
    }
    return out;
}

using Names = std::vector<std::string_view>;

/// Slices all the way down to the unit of the container.
Container in_slices(const Names& names)
{
    const auto unit = std::ranges::find_if(names, [](std::string_view name) { return !name.ends_with(kSlice); });
    if (unit == names.end() || unit == names.begin()) {
        return {};
    }
    const std::string_view slice = *(unit - 1);
    Container out = by_prefix(*unit, kScope);
    if (!out.id.empty()) {
        read_pod_slice(slice, out);
        return out;
    }
    if (slice == "machine.slice") {
        auto machine = between(*unit, "machine-", kScope);
        machine = machine ? machine : between(*unit, "systemd-nspawn@", ".service");
        // Virtual machines have scopes here, too: of libvirt, by its own scheme of names.
        if (machine && !machine->starts_with("qemu\\x2d")) {
            return {"systemd-nspawn", unescape_dashes(*machine), "", ""};
        }
    }
    return {};
}

/// /kubepods/burstable/podUID/ID, /kubepods/podUID/ID
Container in_kubepods(const Names& names)
{
    const bool has_class = names.size() > 1 && (names[1] == "burstable" || names[1] == "besteffort");
    const std::size_t pod = has_class ? 2 : 1;
    const auto uid = pod < names.size() ? between(names[pod], "pod", "") : std::nullopt;
    Container out;
    out.pod_uid = uid ? pod_uid(*uid) : "";
    if (out.pod_uid.empty()) {
        return {};
    }
    out.runtime = "kubernetes";
    out.qos = has_class ? names[1] : "guaranteed";
    if (pod + 1 < names.size()) {
        const Container inner = by_prefix(names[pod + 1], "");
        out.runtime = inner.id.empty() ? out.runtime : inner.runtime;
        out.id = is_id(names[pod + 1]) ? std::string(names[pod + 1]) : inner.id;
    }
    return out;
}

/// The cgroupfs driver: managers make their cgroups themselves, at the top.
Container at_top(const Names& names)
{
    if (names[0] == kPods) {
        return in_kubepods(names);
    }
    if (const auto name = between(names[0], "lxc.payload.", "")) {
        return {"lxc", std::string(*name), "", ""};
    }
    if (names[0] == "lxc" && names.size() > 1 && !names[1].empty()) {
        return {"lxc", std::string(names[1]), "", ""};
    }
    if (names[0] == "docker" && names.size() > 1 && is_id(names[1])) {
        return {"docker", std::string(names[1]), "", ""};
    }
    if (names[0] == "ecs" && names.size() > 2 && is_id(names[2])) { // /ecs/TASK/ID
        return {"docker", std::string(names[2]), "", ""};
    }
    if (names[0] == "libpod_parent" && names.size() > 1) {
        return by_prefix(names[1], "");
    }
    return {};
}

} // namespace

Container container_of(std::string_view cgroup_path)
{
    if (!cgroup_path.starts_with('/') || cgroup_path.size() == 1) {
        return {}; // a path that was cut: who made the name is unknown
    }
    const Names names = split(cgroup_path.substr(1), '/');
    return names[0].ends_with(kSlice) ? in_slices(names) : at_top(names);
}

bool is_pod_path(std::string_view cgroup_path) { return cgroup_path.starts_with("/" + std::string(kPods)); }

} // namespace hostward::guard
