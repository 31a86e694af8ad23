// SPDX-License-Identifier: Apache-2.0
// What the kernel and its mounts offer.
#include "agent/base/text.h"
#include "agent/guard/diagnose_checks.h"

#include <linux/capability.h>

#include <algorithm>
#include <array>

namespace hostward::guard {

namespace {

// What the guard's programs need: socket storage in connect hooks, ring buffer, task reads, file iterator.
constexpr unsigned kMajorMin = 5;
constexpr unsigned kMinorMin = 8;
// Since 5.11 maps count against the cgroup's memory instead (commit 97306be45fbe).
constexpr unsigned kMemlockGoneMinor = 11;
constexpr std::uint64_t kMemlockMin = 64U << 20; // the guard's maps, with room

struct Capability {
    unsigned number;
    const char* name;
    bool in_sys_admin; ///< CAP_SYS_ADMIN implies it where BPF is concerned
    const char* use;
};

// keep_guard_capabilities() of agent/cli/process.cpp and hostward-guard.service have the same list.
constexpr std::array kNeeded{
    Capability{CAP_BPF, "CAP_BPF", true, "load programs and make maps"},
    Capability{CAP_PERFMON, "CAP_PERFMON", true, "programs that read kernel structures"},
    Capability{CAP_NET_ADMIN, "CAP_NET_ADMIN", false, "attach to cgroups and interfaces, end connections"},
    Capability{CAP_SYS_ADMIN, "CAP_SYS_ADMIN", false, "open BPF objects by number"},
    Capability{CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false, "open files of processes"},
    Capability{CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", false, "look at programs below folders of other users"},
};

bool holds(std::uint64_t set, unsigned capability) { return ((set >> capability) & 1U) != 0; }

bool is_confidential(const KernelFacts& kernel) { return kernel.lockdown && *kernel.lockdown == "confidentiality"; }

bool lists_bpf(const std::vector<std::string>& modules) { return std::ranges::find(modules, "bpf") != modules.end(); }

bool names_units(const config::GuardConfig* config)
{
    return config != nullptr && std::ranges::any_of(config->rules, [](const config::Rule& rule) {
               return !rule.units.empty() || !rule.cgroups.empty();
           });
}

} // namespace

Lines lsm_remedy(const KernelFacts& kernel)
{
    if (!kernel.security_modules) {
        return {"mount -t securityfs securityfs /sys/kernel/security, then run hostward guard doctor again"};
    }
    const std::string parameter = "lsm=" + escape(joined(*kernel.security_modules, ",")) + ",bpf";
    Lines steps;
    switch (kernel.boot_tool) {
    case BootTool::Grubby: steps = {"grubby --update-kernel=ALL --args=\"" + parameter + "\""}; break;
    case BootTool::UpdateGrub:
        // A file of its own, sorted last: cloud images set the parameters in files of this folder.
        steps = {"write to /etc/default/grub.d/99-hostward.cfg: GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " + parameter +
                     "\"",
                 "update-grub"};
        break;
    case BootTool::Bottlerocket:
        steps = {"set settings.boot.kernel-parameters.lsm = [\"" + parameter.substr(4) +
                 "\"] and "
                 "settings.boot.reboot-to-reconcile = true"};
        break;
    case BootTool::Unknown: steps = {"add to the kernel's boot parameters: " + parameter}; break;
    }
    steps.emplace_back("reboot. The parameter replaces the whole list, so it repeats what is active now");
    return steps;
}

Answer check_kernel_version(const DoctorFacts& facts)
{
    const auto& kernel = facts.kernel;
    const Lines seen{"Linux " + escape(kernel.release) + " on " + escape(kernel.machine)};
    const auto enough = is_at_least(kernel.release, kMajorMin, kMinorMin);
    if (!enough) {
        return unknown("how old the kernel is", "release " + quote(kernel.release), kernel);
    }
    if (*enough) {
        return {Severity::Ok, "the kernel is new enough", seen, {}, {}};
    }
    // Not an error by itself: distributions carry features back, and the trials tell.
    return {Severity::Warning,
            "the kernel is older than 5.8, where socket storage, ring buffer and task reads come together",
            seen,
            {"look at the layers below: they were tried for real", "boot a kernel from 5.10 on"},
            {}};
}

Answer check_capabilities(const DoctorFacts& facts)
{
    const auto& kernel = facts.kernel;
    if (!kernel.capabilities) {
        return unknown("which capabilities this process has", kernel.capabilities.error().text, kernel);
    }
    const bool admin = holds(*kernel.capabilities, CAP_SYS_ADMIN);
    Lines missing;
    for (const auto& need : kNeeded) {
        if (!holds(*kernel.capabilities, need.number) && !(admin && need.in_sys_admin)) {
            missing.push_back(std::string(need.name) + ": " + need.use);
        }
    }
    if (missing.empty()) {
        return {Severity::Ok, "this process has every capability that the guard needs", {}, {}, {}};
    }
    if (kernel.uid != 0) {
        return unknown("what the kernel offers: this process lacks capabilities", joined(missing, "; "), kernel);
    }
    return {
        Severity::Error,
        "root lacks capabilities here: what needs them cannot be loaded or examined",
        missing,
        {"give them back: CapabilityBoundingSet= of the service, or --cap-add of the container", "run it on the host"},
        {}};
}

Answer check_btf(const DoctorFacts& facts)
{
    const auto& kernel = facts.kernel;
    if (!kernel.has_btf) {
        return unknown("whether the kernel has BTF", kernel.has_btf.error().text, kernel);
    }
    if (*kernel.has_btf) {
        return {Severity::Ok, "the kernel describes its types (BTF)", {}, {}, {}};
    }
    return {
        Severity::Error,
        "the kernel has no BTF: the guard does not load",
        {"/sys/kernel/btf/vmlinux does not exist"},
        {"boot a kernel built with CONFIG_DEBUG_INFO_BTF=y: those of Amazon Linux 2023, Debian from 11, Ubuntu from "
         "20.10 and RHEL from 8.2 are",
         "in a container, mount the host's /sys"},
        {}};
}

Answer check_lockdown(const DoctorFacts& facts)
{
    const auto& kernel = facts.kernel;
    if (!kernel.lockdown) {
        return unknown("whether the kernel is locked down", kernel.lockdown.error().text, kernel);
    }
    const Lines seen{"/sys/kernel/security/lockdown says " + escape(*kernel.lockdown)};
    if (is_confidential(kernel)) {
        const bool works = trial_of(facts, trial::kConnect4).outcome == Trial::Outcome::Works;
        return {
            works ? Severity::Info : Severity::Error,
            works ? "lockdown is confidentiality, and the guard loads nevertheless"
                  : "lockdown is confidentiality: BPF programs may not read kernel memory, so the guard does not load",
            seen,
            {"boot with lockdown=integrity, or without lockdown= where Secure Boot does not set it"},
            {}};
    }
    if (*kernel.lockdown == "integrity") {
        return {Severity::Info, "lockdown is integrity: it does not hinder the guard", seen, {}, {}};
    }
    return {Severity::Ok, "the kernel is not locked down", {}, {}, {}};
}

Answer check_memlock(const DoctorFacts& facts)
{
    const auto& kernel = facts.kernel;
    const auto is_gone = is_at_least(kernel.release, kMajorMin, kMemlockGoneMinor);
    if (is_gone && *is_gone) {
        return {Severity::Ok, "this kernel does not count maps as locked memory", {}, {}, {}};
    }
    if (!kernel.memlock || !kernel.capabilities || !is_gone) {
        return unknown("whether the maps fit the limit of locked memory",
                       !kernel.memlock ? kernel.memlock.error().text : "unknown kernel or capabilities", kernel);
    }
    if (*kernel.memlock >= kMemlockMin || holds(*kernel.capabilities, CAP_SYS_RESOURCE)) {
        return {Severity::Ok, "the limit of locked memory is high enough, or can be raised", {}, {}, {}};
    }
    return {Severity::Error,
            "the limit of locked memory is too low for the guard's maps on this kernel",
            {"RLIMIT_MEMLOCK " + std::to_string(*kernel.memlock) + " bytes, CAP_SYS_RESOURCE missing"},
            {"LimitMEMLOCK=infinity in the service, or ulimit -l unlimited"},
            {}};
}

Answer check_bpffs(const DoctorFacts& facts)
{
    const auto& place = facts.place;
    if (!place.pins_on_bpffs) {
        return unknown("whether " + quote(place.pin_dir) + " is on a bpf file system", place.pins_on_bpffs.error().text,
                       facts.kernel);
    }
    if (*place.pins_on_bpffs) {
        return {Severity::Ok, "the pin directory is on a bpf file system", {}, {}, {}};
    }
    return {Severity::Error,
            "the pin directory is not on a bpf file system: nothing can outlive the agent, the guard does not load",
            {quote(place.pin_dir) + " is on another file system"},
            {"mount -t bpf bpf /sys/fs/bpf",
             "for every boot, in /etc/fstab: bpf /sys/fs/bpf bpf mode=0700,nosuid,nodev,noexec 0 0"},
            {}};
}

Answer check_cgroup2(const DoctorFacts& facts)
{
    const auto& place = facts.place;
    if (!place.cgroup2_mounts) {
        return unknown("whether cgroup2 is mounted", place.cgroup2_mounts.error().text, facts.kernel);
    }
    if (!place.cgroup2_mounts->empty()) {
        return {Severity::Ok, "cgroup2 is mounted", {"at " + escape(place.cgroup2_mounts->front())}, {}, {}};
    }
    return {Severity::Error,
            "cgroup2 is not mounted: there is nowhere to attach, the guard does not load",
            {"no cgroup2 in /proc/self/mountinfo"},
            {"mkdir -p /run/cgroup2 && mount -t cgroup2 cgroup2 /run/cgroup2, which serves the guard beside cgroup v1",
             "or boot with systemd.unified_cgroup_hierarchy=1"},
            {}};
}

Answer check_cgroup_hybrid(const DoctorFacts& facts)
{
    const auto& place = facts.place;
    if (!place.cgroup1_mounts) {
        return unknown("whether cgroup v1 is in use", place.cgroup1_mounts.error().text, facts.kernel);
    }
    if (place.cgroup1_mounts->empty()) {
        return {Severity::Ok, "no cgroup v1 is mounted: one tree has every process", {}, {}, {}};
    }
    return {Severity::Info,
            "cgroup v1 is mounted: containers may have no cgroup of their own in cgroup2, and paths there may differ",
            {"at " + escape(place.cgroup1_mounts->front()) + (place.cgroup1_mounts->size() > 1 ? " and more" : "")},
            {"enforcement is complete; for container paths boot with systemd.unified_cgroup_hierarchy=1"},
            {}};
}

Answer check_cgroup_units(const DoctorFacts& facts)
{
    const auto& place = facts.place;
    if (!place.init_cgroup) {
        return unknown("whether cgroup2 has the units", place.init_cgroup.error().text, facts.kernel);
    }
    if (*place.init_cgroup != "/") {
        return {Severity::Ok, "cgroup2 has the units", {"process 1 is in " + escape(*place.init_cgroup)}, {}, {}};
    }
    return {names_units(policy_of(facts)) ? Severity::Warning : Severity::Info,
            "nobody keeps units in cgroup2: rules with unit or cgroup match nothing",
            {"process 1 is in the root of cgroup2"},
            {"boot with systemd.unified_cgroup_hierarchy=1", "or name user and exe instead of units"},
            {}};
}

Answer check_lsm_list(const DoctorFacts& facts)
{
    const auto& kernel = facts.kernel;
    if (!kernel.security_modules) {
        Answer answer =
            unknown("whether the kernel runs BPF security programs", kernel.security_modules.error().text, kernel);
        answer.open = rows_of("lsm");
        const Lines how = lsm_remedy(kernel);
        answer.remedy.insert(answer.remedy.end(), how.begin(), how.end());
        return answer;
    }
    const Lines seen{"/sys/kernel/security/lsm: " + escape(joined(*kernel.security_modules, ","))};
    if (lists_bpf(*kernel.security_modules)) {
        return {Severity::Ok, "BPF is among the active security modules", seen, {}, {}};
    }
    if (kernel.has_bpf_lsm && !*kernel.has_bpf_lsm) {
        return {Severity::Warning,
                "this kernel is built without BPF security programs",
                seen,
                {"boot a kernel with CONFIG_BPF_LSM=y"},
                rows_of("lsm")};
    }
    return {Severity::Warning, "BPF is not among the active security modules", seen, lsm_remedy(kernel),
            rows_of("lsm")};
}

} // namespace hostward::guard
