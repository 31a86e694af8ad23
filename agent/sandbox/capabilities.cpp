// SPDX-License-Identifier: Apache-2.0
#include "agent/sandbox/capabilities.h"

#include <sys/capability.h>

#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <memory>

namespace hostward::sandbox {

namespace {

/// Who needs a capability, and what for. The units have the same lists (lint/lists).
struct Need {
    cap_value_t capability;
    Program program;
    std::string_view reason;
};

// One line per program and capability, in the order of the programs and of the numbers.
constexpr std::array kNeeds{
    Need{CAP_DAC_READ_SEARCH, Program::Config, "policies in folders that are closed to others"},

    Need{CAP_DAC_READ_SEARCH, Program::GuardRead, "events in a folder of somebody else"},
    Need{CAP_NET_ADMIN, Program::GuardRead, "which programs are attached where"},
    Need{CAP_SYS_ADMIN, Program::GuardRead, "BPF objects by id"},
    Need{CAP_BPF, Program::GuardRead, "read maps"},

    Need{CAP_DAC_READ_SEARCH, Program::GuardExplain, "programs below folders of other users"},
    Need{CAP_NET_ADMIN, Program::GuardExplain, "which programs are attached where"},
    Need{CAP_SYS_PTRACE, Program::GuardExplain, "the program and the places of the process that is asked about"},
    Need{CAP_SYS_ADMIN, Program::GuardExplain, "BPF objects by id"},
    Need{CAP_SYS_RESOURCE, Program::GuardExplain, "memory for maps, before kernels counted it in the cgroup"},
    Need{CAP_PERFMON, Program::GuardExplain, "the iterator that tells files apart reads kernel structures"},
    Need{CAP_BPF, Program::GuardExplain, "read maps, load that iterator"},

    Need{CAP_DAC_READ_SEARCH, Program::Guard, "look at programs below folders of other users"},
    Need{CAP_NET_ADMIN, Program::Guard, "cgroup and tc programs, ending connections"},
    Need{CAP_SYS_PTRACE, Program::Guard, "open files of processes"},
    Need{CAP_SYS_ADMIN, Program::Guard, "BPF objects by id, LSM programs before they had a capability of their own"},
    Need{CAP_SYS_RESOURCE, Program::Guard, "memory for maps, before kernels counted it in the cgroup"},
    Need{CAP_PERFMON, Program::Guard, "programs that read kernel structures"},
    Need{CAP_BPF, Program::Guard, "load programs, make maps"},

    Need{CAP_DAC_OVERRIDE, Program::GuardDoctor,
         "a cgroup below the root, whose folder nobody may write to by its mode"},
    Need{CAP_NET_RAW, Program::GuardDoctor,
         "raw sockets and frames in a namespace of its own, besides what guard run has"},

    Need{CAP_CHOWN, Program::Check, "the folder of the posture belongs to the group that reports"},
    Need{CAP_DAC_READ_SEARCH, Program::Check, "read files of all users"},
    Need{CAP_NET_ADMIN, Program::Check, "nft and iptables-save list rules, which programs are attached where"},
    Need{CAP_SYS_PTRACE, Program::Check, "whose process a socket is"},
    Need{CAP_SYS_ADMIN, Program::Check, "BPF objects by id"},
    Need{CAP_AUDIT_CONTROL, Program::Check, "the audit rules in force"},
    Need{CAP_BPF, Program::Check, "read the guard's maps"},

    Need{CAP_SETGID, Program::ReportCollect, "root gives up root once it has the posture"},
    Need{CAP_SETUID, Program::ReportCollect, "as above"},

    Need{CAP_DAC_READ_SEARCH, Program::Verify, "reports in a folder of somebody else"},
};

/// Whose needs a program has besides its own.
Program also(Program program)
{
    switch (program) {
    case Program::GuardChange:
    case Program::GuardDoctor: return Program::Guard;
    case Program::ReportCollect: return Program::Check;
    case Program::Config:
    case Program::GuardRead:
    case Program::GuardExplain:
    case Program::Guard:
    case Program::Check:
    case Program::Report:
    case Program::Verify: return program;
    }
    return program;
}

bool is_kept(cap_value_t capability, Program program, Output output)
{
    if (capability == CAP_DAC_OVERRIDE && output == Output::Named) {
        return true;
    }
    return std::ranges::any_of(kNeeds, [&](const Need& need) {
        return need.capability == capability && (need.program == program || need.program == also(program));
    });
}

struct FreeCapabilities {
    void operator()(_cap_struct* set) const { (void)::cap_free(set); } // fails for foreign memory only
};
using Capabilities = std::unique_ptr<_cap_struct, FreeCapabilities>;

Status capability_error(const char* what)
{
    const int error_number = errno;
    return system_error(error_number, what);
}

/// Without CAP_SETPCAP the bounding set stays as it is: then nothing that we could gain by executing is wanted either,
/// which no_new_privs sees to.
Status drop_bounding_set(bool permitted, Program program, Output output)
{
    for (cap_value_t capability = 0; permitted && capability < ::cap_max_bits(); ++capability) {
        if (!is_kept(capability, program, output) && ::cap_get_bound(capability) == 1 &&
            ::cap_drop_bound(capability) != 0) {
            return capability_error("cannot give up a capability for later");
        }
    }
    return success();
}

} // namespace

Status keep_capabilities(Program program, Output output)
{
    const Capabilities now(::cap_get_proc());
    const Capabilities kept(::cap_init());
    if (!now || !kept) {
        return capability_error("cannot read the capabilities");
    }
    cap_flag_value_t may_bound = CAP_CLEAR;
    (void)::cap_get_flag(now.get(), CAP_SETPCAP, CAP_EFFECTIVE, &may_bound); // valid arguments cannot fail
    TRY(drop_bounding_set(may_bound == CAP_SET, program, output));
    for (cap_value_t capability = 0; capability < ::cap_max_bits(); ++capability) {
        cap_flag_value_t has = CAP_CLEAR;
        (void)::cap_get_flag(now.get(), capability, CAP_PERMITTED, &has); // as above
        if (has == CAP_SET && is_kept(capability, program, output)) {
            (void)::cap_set_flag(kept.get(), CAP_PERMITTED, 1, &capability, CAP_SET);
            (void)::cap_set_flag(kept.get(), CAP_EFFECTIVE, 1, &capability, CAP_SET);
        }
    }
    // Not asked where there is nothing to give up: the units of unprivileged processes do not allow the call.
    if (::cap_compare(now.get(), kept.get()) != 0 && ::cap_set_proc(kept.get()) != 0) {
        return capability_error("cannot give up capabilities");
    }
    if (::cap_reset_ambient() != 0 || ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return capability_error("cannot exclude new privileges");
    }
    return success();
}

std::vector<std::string> kept_capabilities(Program program, Output output)
{
    std::vector<std::string> out;
    for (cap_value_t capability = 0; capability <= CAP_LAST_CAP; ++capability) {
        if (is_kept(capability, program, output)) {
            char* name = ::cap_to_name(capability);
            out.emplace_back(name == nullptr ? "" : name);
            (void)::cap_free(name); // as above
        }
    }
    return out;
}

} // namespace hostward::sandbox
