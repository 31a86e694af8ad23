// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/iptables.h"

#include "agent/base/text.h"

#include <array>

namespace hostward::hardening {

namespace {

struct Kind {
    std::string family;
    std::string program; ///< without its end
    std::string legacy;  ///< what the kernel lists of the tables that legacy programs made
    std::array<std::string, 2> files;
};

const std::array<Kind, 2>& kinds()
{
    static const std::array<Kind, 2> kKinds{
        Kind{"ip", "iptables", "/proc/net/ip_tables_names", {"/etc/iptables/rules.v4", "/etc/sysconfig/iptables"}},
        Kind{"ip6", "ip6tables", "/proc/net/ip6_tables_names", {"/etc/iptables/rules.v6", "/etc/sysconfig/ip6tables"}}};
    return kKinds;
}

/// The first of the programs that is there; NotFound: none is.
Result<std::string> ask(const host::Host& host, const std::vector<std::string>& programs)
{
    for (const auto& program : programs) {
        const auto answer = host.run({"/usr/sbin/" + program});
        if (!answer && answer.error().kind == ErrorKind::NotFound) {
            continue;
        }
        if (!answer) {
            return answer.error().in("asking " + program + " for the kernel's rules");
        }
        if (answer->exit_code != 0) {
            return Error{ErrorKind::System, 0,
                         program + " cannot list the kernel's rules: " + escape(trimmed(answer->err))};
        }
        return answer->out;
    }
    return Error{ErrorKind::NotFound, 0, "there is no " + programs.back() + " to ask which rules the kernel has"};
}

/// Asking a legacy program where there is no such table could make one: the kernel's list is looked at first.
Result<bool> has_legacy_tables(const host::Host& host, const Kind& kind)
{
    const auto names = host.read(kind.legacy);
    if (!names && names.error().kind == ErrorKind::NotFound) {
        return false;
    }
    return names ? Result<bool>(!trimmed(*names).empty()) : Result<bool>(names.error());
}

Status read_running(const host::Host& host, const Kind& kind, FilterRules& out)
{
    TRY_ASSIGN(const std::string text, ask(host, {kind.program + "-nft-save", kind.program + "-save"}));
    parse_iptables(text, kind.program + "-save", kind.family, out);
    TRY_ASSIGN(const bool has_legacy, has_legacy_tables(host, kind));
    if (has_legacy) {
        TRY_ASSIGN(const std::string legacy, ask(host, {kind.program + "-legacy-save", kind.program + "-save"}));
        parse_iptables(legacy, kind.program + "-legacy-save", kind.family, out, " (legacy)");
    }
    return success();
}

} // namespace

Result<RunningIptables> RunningIptables::read(Facts& facts)
{
    if (!facts.host().is_running()) {
        return Error{ErrorKind::Unsupported, 0, "an image has no rules in a kernel"};
    }
    RunningIptables running;
    for (const auto& kind : kinds()) {
        TRY(read_running(facts.host(), kind, running.rules));
    }
    return running;
}

Result<BootIptables> BootIptables::read(Facts& facts)
{
    BootIptables boot;
    for (const auto& kind : kinds()) {
        for (const auto& file : kind.files) {
            TRY_ASSIGN(const auto text, host::read_optional(facts.host(), file));
            if (text) {
                boot.files.push_back(file);
                parse_iptables(*text, file, kind.family, boot.rules);
                break;
            }
        }
    }
    return boot;
}

} // namespace hostward::hardening
