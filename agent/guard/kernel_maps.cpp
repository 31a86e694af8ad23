// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/kernel_maps.h"

#include "agent/guard/pins.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <numeric>

namespace hostward::guard {

namespace {

/// Reads one element of a per-CPU array: one T for each possible CPU (values are padded to 8 bytes).
template <typename T> Result<std::vector<T>> per_cpu(const KernelMaps& maps, MapId id, std::uint32_t index)
{
    static_assert(sizeof(T) % 8 == 0);
    const int cpus = ::libbpf_num_possible_cpus();
    if (cpus < 0) {
        return system_error(-cpus, "cannot count the CPUs");
    }
    std::vector<T> values(static_cast<std::size_t>(cpus));
    TRY(maps.read_raw(id, &index, values.data()));
    return values;
}

} // namespace

const char* map_name(MapId id)
{
    switch (id) {
    case MapId::Control: return "control";
    case MapId::Heads: return "heads";
    case MapId::Facts: return "facts";
    case MapId::Names: return "names";
    case MapId::Tags: return "tags";
    case MapId::Streams: return "streams";
    case MapId::Requests: return "requests";
    case MapId::Counters: return "counters";
    case MapId::Reasons: return "reasons";
    case MapId::Lost: return "lost";
    case MapId::FlowsEven: return "flows_even";
    case MapId::FlowsOdd: return "flows_odd";
    case MapId::Wake: return "wake";
    case MapId::Scratch: return "scratch";
    case MapId::Blank: return "blank";
    case MapId::Labels: return "labels";
    case MapId::SealMaps: return "seal_maps";
    case MapId::SealPlace: return "seal_place";
    case MapId::About: return "about";
    case MapId::Count: break;
    }
    return "";
}

Result<KernelMaps> KernelMaps::open(const std::string& directory, bool read_only)
{
    KernelMaps maps;
    for (std::size_t i = 0; i < static_cast<std::size_t>(MapId::Count); ++i) {
        const auto id = static_cast<MapId>(i);
        TRY_ASSIGN(UniqueFd fd, open_pin(directory + "/map_" + map_name(id), read_only));
        maps.set(id, std::move(fd));
    }
    return maps;
}

Status KernelMaps::read_raw(MapId id, const void* key, void* value) const
{
    const int error = ::bpf_map_lookup_elem(fd(id), key, value);
    if (error < 0) {
        return system_error(-error, std::string("cannot read map ") + map_name(id));
    }
    return success();
}

Status KernelMaps::write_raw(MapId id, const void* key, const void* value) const
{
    const int error = ::bpf_map_update_elem(fd(id), key, value, BPF_ANY);
    if (error < 0) {
        return system_error(-error, std::string("cannot write map ") + map_name(id));
    }
    return success();
}

Status KernelMaps::read_range_raw(MapId id, std::uint32_t first, std::uint32_t count, void* values) const
{
    if (count == 0) {
        return success();
    }
    const std::uint32_t before = first - 1; // a batch goes on behind a key; none: at the first
    std::uint32_t last = 0;
    std::uint32_t read = count;
    std::vector<std::uint32_t> keys(count);
    const int error = ::bpf_map_lookup_batch(
        fd(id), first == 0 ? nullptr : const_cast<std::uint32_t*>(&before), // libbpf takes no const
        &last, keys.data(), values, &read, nullptr);
    if (error < 0 && (error != -ENOENT || read != count)) { // ENOENT: the map's end
        return system_error(-error, std::string("cannot read map ") + map_name(id));
    }
    return success();
}

Status KernelMaps::write_range_raw(MapId id, std::uint32_t first, std::uint32_t count, const void* values) const
{
    if (count == 0) {
        return success();
    }
    std::vector<std::uint32_t> keys(count);
    std::iota(keys.begin(), keys.end(), first);
    if (const int error = ::bpf_map_update_batch(fd(id), keys.data(), values, &count, nullptr); error < 0) {
        return system_error(-error, std::string("cannot write map ") + map_name(id));
    }
    return success();
}

Result<hw_counter> KernelMaps::counter(std::uint32_t index) const
{
    TRY_ASSIGN(const auto values, per_cpu<hw_counter>(*this, MapId::Counters, index));
    hw_counter sum{};
    for (const auto& value : values) {
        sum.allowed += value.allowed;
        sum.denied += value.denied;
        sum.would_deny += value.would_deny;
        for (std::size_t i = 0; i < HW_IMDS_COUNT; ++i) {
            sum.requests[i] += value.requests[i];
        }
    }
    return sum;
}

Result<std::uint64_t> KernelMaps::number(MapId id, std::uint32_t index) const
{
    TRY_ASSIGN(const auto values, per_cpu<std::uint64_t>(*this, id, index));
    std::uint64_t sum = 0;
    for (const auto value : values) {
        sum += value;
    }
    return sum;
}

Status KernelMaps::clear_counter(std::uint32_t index) const
{
    const int cpus = ::libbpf_num_possible_cpus();
    if (cpus < 0) {
        return system_error(-cpus, "cannot count the CPUs");
    }
    const std::vector<hw_counter> zero(static_cast<std::size_t>(cpus));
    return write_raw(MapId::Counters, &index, zero.data());
}

} // namespace hostward::guard
