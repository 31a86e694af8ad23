// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/guard.h"

#include "agent/base/text.h"
#include "agent/guard/bpf_objects.h"
#include "agent/guard/cgroup_path.h"
#include "agent/guard/connections.h"
#include "agent/guard/flows.h"
#include "agent/guard/instance_lock.h"
#include "agent/guard/kernel_maps.h"
#include "agent/guard/links.h"
#include "agent/guard/pins.h"
#include "agent/guard/policy.h"
#include "agent/guard/resolver.h"
#include "agent/guard/swap.h"
#include "agent/guard/tc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace hostward::guard {

namespace {

struct FreeRing {
    void operator()(ring_buffer* ring) const { ::ring_buffer__free(ring); }
};

Error sealed_error()
{
    return Error{ErrorKind::Denied, EPERM, "the guard is sealed until the next boot: nothing can be changed"};
}

/// Stops the use of a set whose maps mean something else.
Status check_adoptable(const KernelMaps& maps, const std::string& cgroup)
{
    TRY_ASSIGN(const hw_control control, maps.read<hw_control>(MapId::Control));
    TRY_ASSIGN(const hw_about about, maps.read<hw_about>(MapId::About));
    if (control.sealed != 0) {
        return sealed_error();
    }
    const std::string guarded(static_cast<const char*>(about.cgroup),
                              ::strnlen(static_cast<const char*>(about.cgroup), HW_TEXT_MAX));
    if (guarded != cgroup) {
        return Error{ErrorKind::Conflict, 0,
                     "the guard at this pin directory guards cgroup " + quote(guarded) + ", not " + quote(cgroup) +
                         ": unload it first, or choose another --pin-dir"};
    }
    return success();
}

Result<KernelMaps> maps_of(const BpfObject& object)
{
    KernelMaps maps;
    for (std::size_t i = 0; i < static_cast<std::size_t>(MapId::Count); ++i) {
        const auto id = static_cast<MapId>(i);
        TRY_ASSIGN(UniqueFd fd, object.map_fd(map_name(id)));
        maps.set(id, std::move(fd));
    }
    return maps;
}

Status write_about(const KernelMaps& maps, const std::string& cgroup)
{
    hw_about about{};
    about.build = build_digest();
    std::memcpy(static_cast<char*>(about.cgroup), cgroup.data(), std::min<std::size_t>(cgroup.size(), HW_TEXT_MAX - 1));
    return maps.write(MapId::About, 0, about);
}

Status write_seal_place(const KernelMaps& maps, const std::string& pin_dir)
{
    struct stat info {};
    if (::stat(pin_dir.c_str(), &info) < 0) {
        const int error = errno;
        return system_error(error, "cannot look at " + quote(pin_dir));
    }
    hw_seal_place place{};
    place.pin_dir_inode = info.st_ino;
    place.device = (major(info.st_dev) << 20) | minor(info.st_dev); // MKDEV of include/linux/kdev_t.h
    return maps.write(MapId::SealPlace, 0, place);
}

Status seal_map(const KernelMaps& maps, std::uint32_t id)
{
    const std::uint32_t one = 1;
    return maps.write_raw(MapId::SealMaps, &id, &one);
}

/// Every fixed map and the policy tables of both slots.
Status list_sealed_maps(const KernelMaps& maps)
{
    for (std::size_t i = 0; i < static_cast<std::size_t>(MapId::Count); ++i) {
        bpf_map_info info{};
        std::uint32_t size = sizeof(info);
        if (const int error = ::bpf_obj_get_info_by_fd(maps.fd(static_cast<MapId>(i)), &info, &size); error < 0) {
            return system_error(-error, "cannot identify a map");
        }
        TRY(seal_map(maps, info.id));
    }
    for (const auto tables : {MapId::Facts, MapId::Names}) {
        for (std::uint32_t slot = 0; slot < HW_SLOTS; ++slot) {
            if (const auto id = maps.read<std::uint32_t>(tables, slot); id) { // an empty slot has none
                TRY(seal_map(maps, *id));
            }
        }
    }
    return success();
}

std::vector<std::string> attempts_to_warnings(const std::vector<Attempt>& attempts)
{
    std::vector<std::string> warnings;
    for (const auto& attempt : attempts) {
        if (!attempt.problem.empty()) {
            warnings.push_back("security hook " + attempt.program +
                               " is not attached, continuing without it: " + attempt.problem);
        }
    }
    return warnings;
}

template <typename Map> bool same_table(const Map& a, const Map& b)
{
    return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](const auto& x, const auto& y) {
               return std::memcmp(&x.first, &y.first, sizeof(x.first)) == 0 &&
                      std::memcmp(&x.second, &y.second, sizeof(x.second)) == 0;
           });
}

/// The same text resolved to the same facts. Tables are zeroed before they are filled, padding included.
bool same_policy(const CompiledPolicy& a, const CompiledPolicy& b)
{
    return std::memcmp(&a.head, &b.head, sizeof(a.head)) == 0 && same_table(a.facts, b.facts) &&
           same_table(a.names, b.names);
}

void append(std::vector<std::string>& to, std::vector<std::string> from)
{
    to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

} // namespace

struct Guard::Impl {
    Options options;
    PinPaths pins;
    InstanceLock lock;
    UniqueFd cgroup_fd;
    HostFacts host;
    KernelMaps maps;
    std::optional<BpfObject> programs; ///< loaded and not attached yet, until the first apply()
    bool adopted = false;
    bool same_build = false; ///< the pinned programs are those of this binary: they stay as they are
    std::optional<CompiledPolicy> policy;
    std::unique_ptr<ring_buffer, FreeRing> ring;

    Status create_maps();
    Status adopt();
    Status attach_first();
    Status attach_aside();
    Status attach_tc_programs(const std::string& directory);
    std::vector<std::string> attach_optional();
    Status seal();
    Status start_ring();
};

/// Loads everything, attaches nothing.
Status Guard::Impl::create_maps()
{
    TRY_ASSIGN(programs, BpfObject::open(ObjectId::Guard, nullptr));
    TRY(programs->load());
    TRY_ASSIGN(maps, maps_of(*programs));
    hw_control control{};
    control.abi_version = HW_ABI_VERSION;
    TRY(maps.write(MapId::Control, 0, control));
    return write_about(maps, options.cgroup);
}

/// Takes over the pinned set. The same build: nothing is loaded. Another build with the same maps: its programs
/// are replaced one hook at a time; every one of them enforces before, after and in between.
Status Guard::Impl::adopt()
{
    TRY_ASSIGN(maps, KernelMaps::open(pins.current, false));
    TRY(check_adoptable(maps, options.cgroup));
    TRY(wait_for_readers(maps)); // of a loader that was killed after its switch: the other slot is ours to change
    adopted = true;
    TRY_ASSIGN(const hw_about about, maps.read<hw_about>(MapId::About));
    same_build = about.build == build_digest();
    bool complete = same_build;
    for (const auto& program : program_names(ObjectId::Guard)) {
        complete = complete && link_is_attached(pins.current + "/link_" + program, host.root_cgroup);
    }
    if (!complete) {
        TRY_ASSIGN(BpfObject fresh, BpfObject::open(ObjectId::Guard, &maps));
        TRY(fresh.load());
        TRY(replace_in_cgroup(fresh, cgroup_fd.get(), pins.current));
    }
    return success();
}

/// A set that could not be completed is taken down at once: nobody would know of its hooks.
Status Guard::Impl::attach_first()
{
    Status attached = attach_aside(); // not const: returned by moving
    if (attached) {
        return attached;
    }
    Error failure = attached.error();
    if (const Status removed = remove_pins(pins.staging); !removed) {
        failure.text += "; what was attached stays until the next load: " + removed.error().text;
    }
    return failure;
}

/// Attaches and pins aside, then gives the set its name: a killed loader leaves either a complete set or one that
/// the next start removes.
Status Guard::Impl::attach_aside()
{
    if (::mkdir(pins.staging.c_str(), 0700) < 0) {
        const int error = errno;
        return system_error(error, "cannot create " + quote(pins.staging));
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(MapId::Count); ++i) {
        const auto id = static_cast<MapId>(i);
        TRY(pin(maps.fd(id), pins.staging + "/map_" + map_name(id)));
    }
    TRY(attach_to_cgroup(*programs, cgroup_fd.get(), pins.staging));
    if (::rename(pins.staging.c_str(), pins.current.c_str()) < 0) {
        const int error = errno;
        return system_error(error, "cannot complete the pins in " + quote(pins.current));
    }
    programs.reset();
    adopted = true;
    for (const auto& old : other_versions(pins)) {
        TRY(remove_pins(old)); // only now: the new set enforces already
    }
    return success();
}

Status Guard::Impl::attach_tc_programs(const std::string& directory)
{
    TRY_ASSIGN(BpfObject object, BpfObject::open(ObjectId::Tc, &maps));
    TRY(object.load());
    for (const auto& program : program_names(ObjectId::Tc)) {
        const std::string path = directory + "/prog_" + program;
        (void)::unlink(path.c_str()); // of an earlier build: interfaces hold their own reference
        TRY(pin(object.program_fd(program), path));
    }
    return success();
}

/// The layers that a kernel may lack. Missing ones are warnings here and rows in the status.
std::vector<std::string> Guard::Impl::attach_optional()
{
    std::vector<std::string> warnings;
    const bool tc_stays = same_build && pinned_tc_programs(pins.current).size() == program_names(ObjectId::Tc).size();
    if (const auto tc = tc_stays ? success() : attach_tc_programs(pins.current); !tc) {
        warnings.push_back("tc layer is not attached, continuing without it: " + tc.error().text);
    }
    if (const std::string reason = lsm_inactive_reason(); !reason.empty()) {
        warnings.push_back("LSM layer is not attached, continuing without it: " + reason);
        return warnings;
    }
    // Attaching a security hook patches the kernel's code: what is there already is not attached again.
    const auto wanted = same_build ? missing_links(ObjectId::Lsm, pins.current) : program_names(ObjectId::Lsm);
    if (!wanted.empty()) {
        append(warnings, attempts_to_warnings(attach_lsm(ObjectId::Lsm, wanted, maps, pins.current)));
    }
    return warnings;
}

/// From here on nobody changes the guard, we included. Everything is in place before the flag is set.
Status Guard::Impl::seal()
{
    // Hooks that the kernel never calls attach without complaint: a seal of those would bind only us.
    if (const std::string reason = lsm_inactive_reason(); !reason.empty()) {
        return Error{ErrorKind::Unsupported, 0, reason};
    }
    for (const auto& attempt : attach_lsm(ObjectId::Seal, program_names(ObjectId::Seal), maps, pins.current)) {
        if (!attempt.problem.empty()) {
            return Error{ErrorKind::Unsupported, 0, "hook " + attempt.program + ": " + attempt.problem};
        }
    }
    TRY(write_seal_place(maps, pins.current));
    TRY(list_sealed_maps(maps));
    TRY_ASSIGN(hw_control control, maps.read<hw_control>(MapId::Control));
    control.sealed = 1;
    return maps.write(MapId::Control, 0, control);
}

Status Guard::Impl::start_ring()
{
    const auto ignore = [](void*, void*, std::size_t) { return 0; };
    ring.reset(::ring_buffer__new(maps.fd(MapId::Wake), ignore, nullptr, nullptr));
    if (!ring) {
        return system_error(errno, "cannot map the wake-up ring");
    }
    return success();
}

Guard::Guard(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Guard::~Guard() = default;

Result<std::unique_ptr<Guard>> Guard::open(const Options& options)
{
    auto impl = std::make_unique<Impl>();
    impl->options = options;
    TRY_ASSIGN(impl->options.cgroup, guarded_cgroup(options.cgroup));
    impl->pins = pin_paths(options.pin_dir);
    TRY_ASSIGN(impl->lock, InstanceLock::take(options.run_dir));
    impl->cgroup_fd.reset(::open(impl->options.cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!impl->cgroup_fd) {
        const int error = errno;
        return system_error(error, "cannot open cgroup " + quote(impl->options.cgroup));
    }
    TRY_ASSIGN(impl->host, read_host_facts(impl->options.cgroup));
    TRY(prepare_pin_dir(impl->pins));
    TRY(remove_pins(impl->pins.staging)); // of a loader that was killed
    TRY(list_pins(impl->pins.current).empty() ? impl->create_maps() : impl->adopt());
    TRY(impl->start_ring());
    return std::unique_ptr<Guard>(new Guard(std::move(impl))); // lint: allow(new): the constructor is private
}

Result<Applied> Guard::apply(const config::GuardConfig& config)
{
    TRY_ASSIGN(const hw_control control, impl_->maps.read<hw_control>(MapId::Control));
    if (control.sealed != 0) {
        return sealed_error();
    }
    TRY_ASSIGN(const auto resolver, make_resolver());
    TRY_ASSIGN(CompiledPolicy policy, compile(config, *resolver));
    Applied applied;
    applied.rules = policy.rule_names.size();
    applied.watched_files = policy.watched_files;
    applied.warnings = policy.warnings;
    applied.notes = policy.notes;

    if (impl_->policy && same_policy(*impl_->policy, policy)) {
        TRY_ASSIGN(const hw_head active, impl_->maps.read<hw_head>(MapId::Heads, control.active));
        applied.generation = active.generation;
        append(applied.warnings, cover_interfaces());
        return applied;
    }
    TRY_ASSIGN(applied.generation, install_policy(impl_->maps, policy, impl_->host));
    applied.changed = true;
    if (!impl_->adopted) {
        TRY(impl_->attach_first());
    }
    if (!impl_->policy) {
        append(applied.warnings, impl_->attach_optional());
        // Only now: a loader killed before leaves a set that the next one completes.
        TRY(write_about(impl_->maps, impl_->options.cgroup));
    }
    append(applied.warnings, cover_interfaces());
    if (config.seal_until_reboot) {
        if (const auto sealed = impl_->seal(); !sealed) {
            applied.warnings.push_back("the guard is not sealed, continuing without: " + sealed.error().text);
        }
    }
    if (config.mode == config::Mode::Enforce) {
        auto destroyed = destroy_stale(impl_->maps, policy, applied.generation);
        if (destroyed) {
            applied.destroyed = *destroyed;
        } else {
            applied.warnings.push_back("connections that are not allowed any more will time out: " +
                                       destroyed.error().text);
        }
    }
    impl_->policy = std::move(policy);
    return applied;
}

std::vector<std::string> Guard::cover_interfaces()
{
    const auto interfaces = list_interfaces();
    if (!interfaces) {
        return {interfaces.error().text};
    }
    const auto ether = open_pin(impl_->pins.current + "/prog_guard_tc_ether");
    const auto ip = open_pin(impl_->pins.current + "/prog_guard_tc_ip");
    if (!ether || !ip) {
        return {}; // said when the layer was attached
    }
    std::vector<std::string> warnings;
    for (const auto& interface : *interfaces) {
        const auto attached = attach_tc(interface, interface.ethernet ? ether->get() : ip->get());
        if (!attached) {
            warnings.push_back(attached.error().text);
        }
    }
    return warnings;
}

bool Guard::has_policy() const { return impl_->adopted; }

Result<std::vector<Flow>> Guard::drain() { return drain_flows(impl_->maps); }

int Guard::wake_fd() const { return ::ring_buffer__epoll_fd(impl_->ring.get()); }

void Guard::consume_wake() { (void)::ring_buffer__consume(impl_->ring.get()); } // the records carry nothing

namespace {

std::string label_at(const KernelMaps& maps, std::uint64_t generation, std::uint32_t offset)
{
    for (std::uint32_t slot = 0; slot < HW_SLOTS; ++slot) {
        const auto head = maps.read<hw_head>(MapId::Heads, slot);
        if (!head || head->generation != generation) {
            continue;
        }
        const auto label = maps.read<hw_label>(MapId::Labels, slot * HW_COUNTERS + offset);
        return label ? static_cast<const char*>(label->name) : "";
    }
    return "";
}

} // namespace

std::string Guard::rule_name(std::uint32_t rule, std::uint64_t generation) const
{
    return rule < HW_RULES_MAX ? label_at(impl_->maps, generation, rule) : "";
}

std::string Guard::endpoint_name(std::uint32_t endpoint, std::uint64_t generation) const
{
    return endpoint < HW_ENDPOINTS_MAX ? label_at(impl_->maps, generation, HW_RULES_MAX + endpoint) : "";
}

Status unload(const Options& options)
{
    const PinPaths pins = pin_paths(options.pin_dir);
    TRY_ASSIGN(const InstanceLock lock, InstanceLock::take(options.run_dir));
    const auto others = other_versions(pins);
    if (list_pins(pins.current).empty() && others.empty()) {
        return Error{ErrorKind::NotFound, ENOENT, "no guard is loaded at " + quote(options.pin_dir)};
    }
    if (const auto control_fd = open_pin(pins.current + "/map_control", true); control_fd) {
        hw_control control{};
        const std::uint32_t zero = 0;
        if (::bpf_map_lookup_elem(control_fd->get(), &zero, &control) == 0 && control.sealed != 0) {
            return sealed_error();
        }
    }
    if (const auto interfaces = list_interfaces(); interfaces) {
        const auto ours = pinned_tc_programs(pins.current);
        for (const auto& interface : *interfaces) {
            if (ours.contains(tc_program(interface))) {
                TRY(detach_tc(interface));
            }
        }
    }
    detach_links(pins.current);
    TRY(remove_pins(pins.current));
    for (const auto& other : others) {
        TRY(remove_pins(other));
    }
    (void)::rmdir(pins.base.c_str()); // stays if somebody keeps pins of their own in it
    return success();
}

} // namespace hostward::guard
