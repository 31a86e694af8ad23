// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/status.h"

#include "agent/base/text.h"
#include "agent/guard/bpf_objects.h"
#include "agent/guard/instance_lock.h"
#include "agent/guard/kernel_maps.h"
#include "agent/guard/links.h"
#include "agent/guard/pins.h"
#include "agent/guard/reasons.h"
#include "agent/guard/rows.h"
#include "agent/guard/tc.h"

#include <cstring>

namespace hostward::guard {

namespace {

std::string label(const KernelMaps& maps, std::uint32_t slot, std::uint32_t offset)
{
    const auto read = maps.read<hw_label>(MapId::Labels, slot * HW_COUNTERS + offset);
    return read ? std::string(static_cast<const char*>(read->name)) : "";
}

LayerState state_of(std::size_t attached, std::size_t wanted)
{
    if (attached == wanted) {
        return LayerState::On;
    }
    return attached == 0 ? LayerState::Off : LayerState::Partial;
}

/// A layer whose programs hang on pinned links.
LayerStatus link_layer(const std::string& name, const std::vector<std::string>& programs, const std::string& directory,
                       std::uint64_t cgroup)
{
    LayerStatus layer;
    layer.name = name;
    for (const auto& program : programs) {
        if (link_is_attached(directory + "/link_" + program, cgroup)) {
            layer.detail.push_back(program);
        } else {
            layer.why += (layer.why.empty() ? "not attached: " : ", ") + program;
        }
    }
    layer.state = state_of(layer.detail.size(), programs.size());
    return layer;
}

LayerStatus tc_layer(const std::string& directory)
{
    LayerStatus layer;
    layer.name = "tc";
    const auto ours = pinned_tc_programs(directory);
    const auto interfaces = list_interfaces();
    if (ours.empty() || !interfaces) {
        layer.state = LayerState::Unavailable;
        layer.why = interfaces ? "the kernel did not take the tc programs" : interfaces.error().text;
        return layer;
    }
    for (const auto& interface : *interfaces) {
        if (ours.contains(tc_program(interface))) {
            layer.detail.push_back(interface.name);
        } else {
            layer.why += (layer.why.empty() ? "not on interface " : ", ") + escape(interface.name);
        }
    }
    layer.state = state_of(layer.detail.size(), interfaces->size());
    return layer;
}

/// An attached security program that the kernel never calls is worth nothing.
LayerStatus lsm_layer(const std::string& name, ObjectId id, const std::string& directory)
{
    LayerStatus layer = link_layer(name, program_names(id), directory, 0);
    const std::string inactive = lsm_inactive_reason();
    if (!inactive.empty()) {
        layer.state = LayerState::Unavailable;
        layer.detail.clear();
        layer.why = inactive;
    } else if (layer.state == LayerState::Off) {
        layer.state = LayerState::Unavailable;
        layer.why = "the kernel refused every program (" + layer.why + ")";
    }
    return layer;
}

std::vector<LayerStatus> read_layers(const std::string& directory, const hw_control& control, std::uint64_t cgroup)
{
    auto hooks = program_names(ObjectId::Guard);
    const std::string egress = hooks.back();
    hooks.pop_back();
    std::vector<LayerStatus> layers{
        link_layer("connect", hooks, directory, cgroup),
        link_layer("egress", {egress}, directory, cgroup),
        tc_layer(directory),
        lsm_layer("lsm", ObjectId::Lsm, directory),
        lsm_layer("seal", ObjectId::Seal, directory),
    };
    if (control.sealed == 0 && layers.back().state != LayerState::Unavailable) {
        layers.back().state = LayerState::Off;
    }
    if (control.sealed == 0 && layers.back().detail.empty()) {
        layers.back().state = LayerState::Off;
        layers.back().why = "seal is off in the policy, or this kernel cannot";
    }
    return layers;
}

RequestCounts requests_of(const hw_counter& counter)
{
    return {counter.requests[HW_IMDS_V1], counter.requests[HW_IMDS_V2], counter.requests[HW_IMDS_UNKNOWN]};
}

Status read_counters(const KernelMaps& maps, std::uint32_t slot, const hw_head& head, GuardStatus& status)
{
    for (std::uint32_t i = 0; i < head.rule_count && i < HW_RULES_MAX; ++i) {
        TRY_ASSIGN(const hw_counter counter, maps.counter(head.counter[i]));
        const bool allow = ((head.allow[i / 64] >> (i % 64)) & 1) != 0;
        status.rules.push_back(
            {label(maps, slot, i), allow, counter.allowed, counter.denied, counter.would_deny, requests_of(counter)});
    }
    for (std::uint32_t i = 0; i < head.endpoint_count && i < HW_ENDPOINTS_MAX; ++i) {
        TRY_ASSIGN(const hw_counter counter, maps.counter(head.endpoints[i].counter));
        status.endpoints.push_back({label(maps, slot, HW_RULES_MAX + i), head.endpoints[i].default_verdict == HW_ALLOW,
                                    counter.allowed, counter.denied, counter.would_deny, requests_of(counter)});
    }
    TRY_ASSIGN(status.requests.v1, maps.number(MapId::Requests, HW_IMDS_V1));
    TRY_ASSIGN(status.requests.v2, maps.number(MapId::Requests, HW_IMDS_V2));
    TRY_ASSIGN(status.requests.unknown, maps.number(MapId::Requests, HW_IMDS_UNKNOWN));
    for (std::uint32_t i = 0; i < HW_REASON_COUNT; ++i) {
        TRY_ASSIGN(status.reasons[std::string(reason_wording(i).name)], maps.number(MapId::Reasons, i));
    }
    for (std::uint32_t i = 0; i < HW_LOST_COUNT; ++i) {
        TRY_ASSIGN(status.lost[std::string(lost_wording(i).name)], maps.number(MapId::Lost, i));
    }
    return success();
}

} // namespace

Result<GuardStatus> read_status(const Options& options)
{
    GuardStatus status;
    status.pin_dir = options.pin_dir;
    status.agent_pid = InstanceLock::holder(options.run_dir);
    status.agent_running = status.agent_pid != 0;
    const PinPaths pins = pin_paths(options.pin_dir);
    if (list_pins(pins.current).empty()) {
        return status;
    }
    TRY_ASSIGN(const KernelMaps maps, KernelMaps::open(pins.current, true));
    TRY_ASSIGN(const hw_control control, maps.read<hw_control>(MapId::Control));
    TRY_ASSIGN(const hw_about about, maps.read<hw_about>(MapId::About));
    const std::uint32_t slot = control.active & 1;
    TRY_ASSIGN(const hw_head head, maps.read<hw_head>(MapId::Heads, slot));
    status.loaded = true;
    status.audit = head.mode == HW_AUDIT;
    status.sealed = control.sealed != 0;
    status.generation = head.generation;
    status.policy_digest = hex(static_cast<const unsigned char*>(head.policy_digest), sizeof(head.policy_digest));
    status.loaded_at = head.loaded_at;
    status.cgroup.assign(static_cast<const char*>(about.cgroup),
                         ::strnlen(static_cast<const char*>(about.cgroup), HW_TEXT_MAX));
    status.abi_version = control.abi_version;
    status.layers = read_layers(pins.current, control, head.root_cgroup);
    TRY(read_counters(maps, slot, head, status));
    status.rows =
        rows_status(status.layers, RowContext{status.audit, status.sealed, (head.flags & HW_HEAD_FORWARDED_ALLOW) != 0,
                                              (head.flags & HW_HEAD_BYPASS_ALLOW) != 0});
    return status;
}

} // namespace hostward::guard
