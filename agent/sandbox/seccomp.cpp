// SPDX-License-Identifier: Apache-2.0
#include "agent/sandbox/seccomp.h"

#include "agent/sandbox/trap.h"

#include <seccomp.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace hostward::sandbox {

namespace {

struct ReleaseContext {
    void operator()(void* context) const { ::seccomp_release(context); }
};
using SeccompCtx = std::unique_ptr<void, ReleaseContext>;

/// Calls younger than the libseccomp that we are built with. All architectures share the numbers above 424.
struct Young {
    std::string_view name;
    int number;
};
constexpr std::array kYoung{
    Young{"process_madvise", 440}, Young{"mount_setattr", 442}, Young{"quotactl_fd", 443}, Young{"futex_waitv", 449},
    Young{"fchmodat2", 452},       Young{"futex_wake", 454},    Young{"futex_wait", 455},  Young{"futex_requeue", 456},
    Young{"statmount", 457},       Young{"listmount", 458},     Young{"mseal", 462},       Young{"open_tree_attr", 467},
};

/// None: this architecture has no such call.
std::optional<int> number_of(std::string_view name)
{
    const int number = ::seccomp_syscall_resolve_name(std::string(name).c_str());
    if (number >= 0) {
        return number;
    }
    for (const auto& young : kYoung) {
        if (young.name == name) {
            return young.number;
        }
    }
    return std::nullopt;
}

std::uint32_t value_of(Action action, Enforcement enforcement)
{
    switch (action) {
    case Action::Allow: return SCMP_ACT_ALLOW;
    case Action::Trap: return enforcement == Enforcement::Log ? SCMP_ACT_LOG : SCMP_ACT_TRAP;
    case Action::Denied: return SCMP_ACT_ERRNO(EPERM);
    case Action::NotThere: return SCMP_ACT_ERRNO(ENOSYS);
    }
    return SCMP_ACT_TRAP;
}

Error filter_error(int error, const std::string& what)
{
    return system_error(-error, "cannot make a seccomp filter: " + what);
}

Status add_rule(void* context, const Rule& rule, Action otherwise, Enforcement enforcement)
{
    const auto number = number_of(rule.syscall);
    const std::uint32_t action = value_of(rule.action, enforcement);
    if (!number || action == value_of(otherwise, enforcement)) {
        return success(); // libseccomp refuses a rule that says what is so anyway: as a log does of what would kill
    }
    std::array<scmp_arg_cmp, 1> compared{};
    if (rule.when) {
        compared[0] = {rule.when->argument, SCMP_CMP_MASKED_EQ, rule.when->mask, rule.when->value};
    }
    const int error = ::seccomp_rule_add_array(context, action, *number, rule.when ? 1U : 0U, compared.data());
    return error == 0 ? success() : filter_error(error, std::string(rule.syscall));
}

Result<SeccompCtx> make_context(const Filter& filter, Enforcement enforcement)
{
    SeccompCtx context(::seccomp_init(value_of(filter.otherwise, enforcement)));
    if (!context) {
        return filter_error(-ENOMEM, "no memory");
    }
    // Other call conventions (i386, x32) would need tables of their own, and nothing of ours speaks them. Threads that
    // were there before are filtered, too.
    for (const auto& [attribute, value] :
         {std::pair{SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS}, std::pair{SCMP_FLTATR_CTL_NNP, std::uint32_t{1}},
          std::pair{SCMP_FLTATR_CTL_TSYNC, std::uint32_t{1}}}) {
        if (const int error = ::seccomp_attr_set(context.get(), attribute, value); error != 0) {
            return filter_error(error, "attribute " + std::to_string(attribute));
        }
    }
    for (const auto& group : filter.groups) {
        for (const auto& rule : group.rules) {
            TRY(add_rule(context.get(), rule, filter.otherwise, enforcement));
        }
    }
    return context;
}

#ifndef HOSTWARD_SANITIZED

const SyscallNames& names_here()
{
    static const SyscallNames names = [] {
        SyscallNames out;
        for (std::size_t number = 0; number < SyscallNames::kCount; ++number) {
            char* name = ::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
            if (name != nullptr) {
                std::strncpy(out.names[number].data(), name, SyscallNames::kLength - 1);
                ::free(name); // lint: allow(free): libseccomp hands out malloc memory
            }
        }
        return out;
    }();
    return names;
}

#endif

} // namespace

Status confine(Program program, Enforcement enforcement)
{
    TRY_ASSIGN(const SeccompCtx context, make_context(filter_of(program), enforcement));
#ifdef HOSTWARD_SANITIZED
    return success(); // it can be made: that is all
#else
    explain_traps(program, names_here());
    const int error = ::seccomp_load(context.get());
    if (error == -EINVAL || error == -ENOSYS || error == -EOPNOTSUPP) {
        return Error{ErrorKind::Unsupported, -error, "this kernel has no seccomp filters"};
    }
    return error == 0 ? success() : system_error(std::abs(error), "cannot load the seccomp filter");
#endif
}

} // namespace hostward::sandbox
