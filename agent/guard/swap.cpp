// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/swap.h"

#include "agent/base/text.h"

#include <bpf/bpf.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iterator>
#include <map>
#include <set>

namespace hostward::guard {

namespace {

constexpr std::uint32_t kBatch = 512; ///< elements that one call takes out of a table

/// Room for more than the content: the next policy is rarely much larger, and then fits.
template <typename Key, typename Value> Result<UniqueFd> make_table(const char* name, std::size_t entries)
{
    bpf_map_create_opts options{};
    options.sz = sizeof(options);
    options.map_flags = BPF_F_NO_PREALLOC;
    const auto room = std::bit_ceil(static_cast<std::uint32_t>(std::max<std::size_t>(1, entries)));
    const int fd = ::bpf_map_create(BPF_MAP_TYPE_HASH, name, sizeof(Key), sizeof(Value), room, &options);
    if (fd < 0) {
        return system_error(-fd, std::string("cannot create the policy table ") + name);
    }
    return UniqueFd(fd);
}

template <typename Key, typename Value> Status empty_table(int fd)
{
    std::vector<Key> keys(kBatch);
    std::vector<Value> values(kBatch);
    std::uint32_t cursor = 0;
    int error = 0;
    for (bool is_first = true; error == 0; is_first = false) {
        std::uint32_t count = kBatch;
        error = ::bpf_map_lookup_and_delete_batch(fd, is_first ? nullptr : &cursor, &cursor, keys.data(), values.data(),
                                                  &count, nullptr);
    }
    if (error != -ENOENT) { // ENOENT: no more
        return system_error(-error, "cannot empty a policy table");
    }
    return success();
}

template <typename Key, typename Value, typename Less>
Status fill_table(int fd, const std::map<Key, Value, Less>& content)
{
    std::vector<Key> keys;
    std::vector<Value> values;
    for (const auto& [key, value] : content) {
        keys.push_back(key);
        values.push_back(value);
    }
    auto count = static_cast<std::uint32_t>(keys.size());
    if (const int error = count == 0 ? 0 : ::bpf_map_update_batch(fd, keys.data(), values.data(), &count, nullptr);
        error < 0) {
        return system_error(-error, "cannot fill a policy table");
    }
    return success();
}

Result<std::uint32_t> namespace_inode(const char* name)
{
    struct stat info {};
    const std::string path = std::string("/proc/self/ns/") + name;
    if (::stat(path.c_str(), &info) < 0) {
        const int error = errno;
        return system_error(error, "cannot read namespace " + path);
    }
    return static_cast<std::uint32_t>(info.st_ino);
}

Result<std::uint64_t> cgroup_id(const std::string& path)
{
    // A cgroup2 file handle is the 64-bit id that the programs see (kernfs exports it so since 5.5).
    constexpr unsigned kIdBytes = 8;
    alignas(file_handle) std::array<unsigned char, sizeof(file_handle) + kIdBytes> buffer{};
    auto* handle = reinterpret_cast<file_handle*>(buffer.data()); // the system call's variable-length struct
    handle->handle_bytes = kIdBytes;
    int mount_id = 0;
    if (::name_to_handle_at(AT_FDCWD, path.c_str(), handle, &mount_id, 0) < 0) {
        const int error = errno;
        return system_error(error, "cannot identify cgroup " + quote(path));
    }
    std::uint64_t id = 0;
    std::memcpy(&id, buffer.data() + sizeof(file_handle), sizeof(id));
    return id;
}

hw_label label_of(const std::string& name)
{
    hw_label label{};
    std::memcpy(static_cast<char*>(label.name), name.data(), std::min<std::size_t>(name.size(), HW_LABEL_MAX - 1));
    return label;
}

/// Counters by the name that they count for, and which ones there are for this kind of names.
struct Counters {
    std::uint32_t first = 0;
    std::uint32_t size = 0;
    std::map<std::string, std::uint32_t> of;
};

std::string name_in(const hw_label& label)
{
    return {static_cast<const char*>(label.name), ::strnlen(static_cast<const char*>(label.name), HW_LABEL_MAX)};
}

Result<Counters> rule_counters(const KernelMaps& maps, std::uint32_t slot, const hw_head& head)
{
    Counters found{0, HW_RULES_MAX, {}};
    const auto count = std::min<std::uint32_t>(head.rule_count, HW_RULES_MAX);
    TRY_ASSIGN(const auto labels, maps.read_range<hw_label>(MapId::Labels, slot * HW_COUNTERS, count));
    for (std::size_t rule = 0; rule < labels.size(); ++rule) {
        found.of.emplace(name_in(labels[rule]), head.counter[rule]);
    }
    return found;
}

Result<Counters> endpoint_counters(const KernelMaps& maps, std::uint32_t slot, const hw_head& head)
{
    Counters found{HW_RULES_MAX, HW_ENDPOINTS_MAX, {}};
    const auto count = std::min<std::uint32_t>(head.endpoint_count, HW_ENDPOINTS_MAX);
    TRY_ASSIGN(const auto labels, maps.read_range<hw_label>(MapId::Labels, slot * HW_COUNTERS + HW_RULES_MAX, count));
    for (std::size_t endpoint = 0; endpoint < labels.size(); ++endpoint) {
        found.of.emplace(name_in(labels[endpoint]), head.endpoints[endpoint].counter);
    }
    return found;
}

/// Free counters first, then those of names that are gone.
std::vector<std::uint32_t> spare_counters(const std::vector<std::string>& names, const Counters& before)
{
    std::set<std::uint32_t> kept;
    for (const auto& name : names) {
        if (const auto old = before.of.find(name); old != before.of.end()) {
            kept.insert(old->second);
        }
    }
    std::set<std::uint32_t> in_use;
    for (const auto& [name, counter] : before.of) {
        in_use.insert(counter);
    }
    std::vector<std::uint32_t> spare;
    for (const bool gone : {false, true}) {
        for (std::uint32_t counter = before.first; counter < before.first + before.size; ++counter) {
            if (!kept.contains(counter) && in_use.contains(counter) == gone) {
                spare.push_back(counter);
            }
        }
    }
    return spare;
}

/// Gives every name a counter: the one it had, else a spare one. `changed` gets those that change their name: they
/// have to be cleared.
std::vector<std::uint32_t> assign_counters(const std::vector<std::string>& names, const Counters& before,
                                           std::vector<std::uint32_t>& changed)
{
    const auto spare = spare_counters(names, before);
    std::vector<std::uint32_t> out;
    std::size_t next = 0;
    for (const auto& name : names) {
        if (const auto old = before.of.find(name); old != before.of.end()) {
            out.push_back(old->second);
        } else {
            out.push_back(spare[next++]);
            changed.push_back(out.back());
        }
    }
    return out;
}

hw_head complete_head(const CompiledPolicy& policy, const HostFacts& host, std::uint64_t generation)
{
    hw_head head = policy.head;
    head.generation = generation;
    head.root_cgroup = host.root_cgroup;
    head.pid_ns = host.pid_ns;
    head.net_ns = host.net_ns;
    head.user_ns = host.user_ns;
    head.cgroup_ns = host.cgroup_ns;
    head.loaded_at = static_cast<std::uint64_t>(::time(nullptr));
    for (const auto& [key, fact] : policy.facts) {
        if (key.kind == HW_FACT_ENDPOINT) {
            head.endpoint_facts[fact.endpoint] = fact;
        }
    }
    return head;
}

Status write_labels(const KernelMaps& maps, std::uint32_t slot, const CompiledPolicy& policy)
{
    const auto write = [&](std::uint32_t first, const std::vector<std::string>& names) {
        std::vector<hw_label> labels;
        std::ranges::transform(names, std::back_inserter(labels), label_of);
        return maps.write_range(MapId::Labels, slot * HW_COUNTERS + first, labels);
    };
    TRY(write(0, policy.rule_names));
    return write(HW_RULES_MAX, policy.endpoint_names);
}

Status put_table(const KernelMaps& maps, MapId id, std::uint32_t slot, const UniqueFd& table)
{
    const int fd = table.get();
    return maps.write(id, slot, fd);
}

/// The table in a slot; none where no policy was yet.
Result<UniqueFd> table_in(const KernelMaps& maps, MapId tables, std::uint32_t slot)
{
    const auto id = maps.read<std::uint32_t>(tables, slot);
    if (!id) {
        return id.error().error_number == ENOENT ? Result<UniqueFd>(UniqueFd()) : id.error();
    }
    const int fd = ::bpf_map_get_fd_by_id(*id);
    if (fd < 0) {
        return system_error(-fd, "cannot open a policy table");
    }
    return UniqueFd(fd);
}

bool has_room(const UniqueFd& table, std::size_t entries)
{
    bpf_map_info info{};
    std::uint32_t size = sizeof(info);
    return table && ::bpf_obj_get_info_by_fd(table.get(), &info, &size) == 0 && info.max_entries >= entries;
}

/// Nobody reads this slot: the previous switch waited for its readers. So the table that is there is used again if it
/// has the room: for another one in its place the kernel would wait for a grace period, before the policy is in force.
template <typename Key, typename Value, typename Less>
Status fill_slot(const KernelMaps& maps, MapId tables, std::uint32_t slot, const std::map<Key, Value, Less>& content,
                 std::size_t room)
{
    const std::size_t entries = content.size() + room;
    TRY_ASSIGN(UniqueFd table, table_in(maps, tables, slot));
    if (has_room(table, entries)) {
        TRY((empty_table<Key, Value>(table.get())));
        return fill_table(table.get(), content);
    }
    TRY_ASSIGN(table, (make_table<Key, Value>(tables == MapId::Facts ? "hw_facts" : "hw_names", entries)));
    TRY(fill_table(table.get(), content));
    return put_table(maps, tables, slot, table);
}

/// What nobody reads any more need not be kept until the next change.
Status empty_slot(const KernelMaps& maps, std::uint32_t slot)
{
    TRY_ASSIGN(const UniqueFd facts, table_in(maps, MapId::Facts, slot));
    TRY_ASSIGN(const UniqueFd names, table_in(maps, MapId::Names, slot));
    TRY((facts ? empty_table<hw_fact_key, hw_fact>(facts.get()) : success()));
    return names ? empty_table<hw_name_key, hw_name>(names.get()) : success();
}

/// The switch itself. Addresses of both policies may be guarded until no reader of the old one is left.
Status switch_to(const KernelMaps& maps, std::uint32_t slot, const CompiledPolicy& policy, bool is_first)
{
    TRY_ASSIGN(hw_control control, maps.read<hw_control>(MapId::Control));
    for (std::size_t i = 0; i < 4; ++i) {
        control.filter[i] |= policy.filter[i];
    }
    TRY(maps.write(MapId::Control, 0, control));
    control.active = slot;
    TRY(maps.write(MapId::Control, 0, control));
    std::copy(std::begin(policy.filter), std::end(policy.filter), std::begin(control.filter));
    TRY(is_first ? success() : wait_for_readers(maps));
    TRY(maps.write(MapId::Control, 0, control));
    return empty_slot(maps, 1 - slot);
}

/// Counters follow rules and endpoints by name. Returns those to clear.
Result<std::vector<std::uint32_t>> move_counters(const KernelMaps& maps, std::uint32_t slot, const hw_head& before,
                                                 const CompiledPolicy& policy, hw_head& after)
{
    std::vector<std::uint32_t> changed;
    TRY_ASSIGN(const Counters rules, rule_counters(maps, slot, before));
    const auto of_rules = assign_counters(policy.rule_names, rules, changed);
    for (std::size_t rule = 0; rule < of_rules.size(); ++rule) {
        after.counter[rule] = static_cast<__u16>(of_rules[rule]);
    }
    TRY_ASSIGN(const Counters endpoints, endpoint_counters(maps, slot, before));
    const auto of_endpoints = assign_counters(policy.endpoint_names, endpoints, changed);
    for (std::size_t endpoint = 0; endpoint < of_endpoints.size(); ++endpoint) {
        after.endpoints[endpoint].counter = of_endpoints[endpoint];
    }
    return changed;
}

} // namespace

Result<HostFacts> read_host_facts(const std::string& cgroup_path)
{
    HostFacts facts;
    TRY_ASSIGN(facts.root_cgroup, cgroup_id(cgroup_path));
    TRY_ASSIGN(facts.pid_ns, namespace_inode("pid"));
    TRY_ASSIGN(facts.net_ns, namespace_inode("net"));
    TRY_ASSIGN(facts.user_ns, namespace_inode("user"));
    TRY_ASSIGN(facts.cgroup_ns, namespace_inode("cgroup"));
    return facts;
}

Status wait_for_readers(const KernelMaps& maps)
{
    // Writing an element of a map of maps waits for an RCU grace period (kernel/bpf/syscall.c,
    // maybe_wait_bpf_programs): putting the table in use where it already is changes nothing else.
    TRY_ASSIGN(const hw_control control, maps.read<hw_control>(MapId::Control));
    TRY_ASSIGN(const UniqueFd facts, table_in(maps, MapId::Facts, control.active));
    return facts ? put_table(maps, MapId::Facts, control.active, facts) : success();
}

Result<std::uint64_t> install_policy(const KernelMaps& maps, const CompiledPolicy& policy, const HostFacts& host)
{
    TRY_ASSIGN(const hw_control control, maps.read<hw_control>(MapId::Control));
    TRY_ASSIGN(const hw_head active, maps.read<hw_head>(MapId::Heads, control.active));
    const std::uint32_t slot = 1 - (control.active & 1);

    hw_head head = complete_head(policy, host, active.generation + 1);
    TRY_ASSIGN(const auto changed, move_counters(maps, control.active & 1, active, policy, head));

    TRY(fill_slot(maps, MapId::Facts, slot, policy.facts, HW_CGROUP_CACHE_MAX));
    TRY(fill_slot(maps, MapId::Names, slot, policy.names, 0));
    TRY(write_labels(maps, slot, policy));
    TRY(maps.write(MapId::Heads, slot, head));
    for (const auto counter : changed) {
        TRY(maps.clear_counter(counter));
    }
    TRY(switch_to(maps, slot, policy, active.generation == 0)); // the first: nothing is attached that could read
    return head.generation;
}

} // namespace hostward::guard
