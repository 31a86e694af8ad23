// SPDX-License-Identifier: Apache-2.0
// What worked when it was tried.
#include "agent/base/text.h"
#include "agent/guard/diagnose_checks.h"
#include "agent/guard/rows.h"

#include <algorithm>

namespace hostward::guard {

namespace {

/// How several trials went together.
struct Tally {
    Lines failed; ///< names
    Lines untried;
    Lines why; ///< one line per reason, with the names
};

Tally tally_of(const DoctorFacts& facts, const Lines& names)
{
    Tally tally;
    std::map<std::string, Lines> names_by_why;
    for (const auto& name : names) {
        const Trial trial = trial_of(facts, name);
        if (trial.outcome == Trial::Outcome::Works) {
            continue;
        }
        (trial.outcome == Trial::Outcome::Fails ? tally.failed : tally.untried).push_back(name);
        names_by_why[trial.why].push_back(name);
    }
    for (const auto& [why, same] : names_by_why) {
        tally.why.push_back(joined(same) + ": " + why);
    }
    return tally;
}

/// Why trials of the layers without which nothing loads fail: what the checks of group kernel say.
Lines look_above()
{
    return {"see the findings of group kernel: one of them is the usual reason", "docs/kernel-support.md"};
}

/// What is said of a set of trials that are one layer.
struct Layer {
    const char* what;      ///< completes "cannot tell whether ..."
    const char* works;     ///< title when all of them work
    const char* fails;     ///< title when one does not
    Severity severity;     ///< of a failure
    const char* row_layer; ///< whose rows stay open
};

Answer judge(const DoctorFacts& facts, const Layer& layer, const Lines& names)
{
    const Tally tally = tally_of(facts, names);
    if (!tally.failed.empty()) {
        return {layer.severity, layer.fails, tally.why, look_above(), rows_of(layer.row_layer, tally.failed)};
    }
    if (!tally.untried.empty()) {
        Answer answer = unknown(std::string("whether ") + layer.what, joined(tally.why, "; "), facts.kernel);
        answer.open = rows_of(layer.row_layer, tally.untried);
        return answer;
    }
    return {Severity::Ok, layer.works, {}, {}, {}};
}

/// Every program that some row of the layer needs.
Lines programs_of(std::string_view layer)
{
    Lines names;
    for (const auto& row : rows()) {
        for (const auto program : row.programs) {
            if (row.layer == layer && !program.empty() && std::ranges::find(names, program) == names.end()) {
                names.emplace_back(program);
            }
        }
    }
    return names;
}

/// Whether programs that attach would also run. Empty: yes.
Lines inactive(const KernelFacts& kernel)
{
    const auto& modules = kernel.security_modules;
    if (modules && std::ranges::find(*modules, "bpf") == modules->end()) {
        return {"the kernel's list of security modules lacks bpf: the programs attach and are never called"};
    }
    return {};
}

/// The security programs of `layer`; `severity` is what it means that they do not work.
Answer security_layer(const DoctorFacts& facts, std::string_view layer, const Layer& words)
{
    const auto& kernel = facts.kernel;
    if (const Lines never = inactive(kernel); !never.empty()) {
        return {words.severity, words.fails, never, lsm_remedy(kernel), rows_of(layer)};
    }
    Answer answer = judge(facts, words, programs_of(layer));
    if (answer.severity == Severity::Ok && !kernel.security_modules) {
        answer = unknown(std::string("whether ") + words.what,
                         "the programs attach, but " + kernel.security_modules.error().text, kernel);
        answer.open = rows_of(layer);
    }
    if (answer.severity == words.severity) {
        answer.remedy = {kernel.machine == "aarch64"
                             ? "boot a kernel from 6.4 on: earlier ones for arm64 cannot attach security programs"
                             : "boot a kernel with CONFIG_BPF_LSM, CONFIG_DEBUG_INFO_BTF and "
                               "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS that lets root attach them"};
    }
    return answer;
}

} // namespace

Answer check_layer_connect(const DoctorFacts& facts)
{
    const Layer layer{"the connect layer works", "connect and sendmsg are decided, over IPv4 and IPv6",
                      "the connect layer does not work: the guard does not load", Severity::Error, "connect"};
    return judge(facts, layer, {trial::kConnect4, trial::kConnect6, trial::kSendmsg4, trial::kSendmsg6});
}

Answer check_layer_egress(const DoctorFacts& facts)
{
    const Layer layer{"the egress layer works", "packets of sockets that were never allowed are dropped",
                      "the egress layer does not work: the guard does not load", Severity::Error, "egress"};
    return judge(facts, layer, {trial::kEgress});
}

Answer check_socket_tags(const DoctorFacts& facts)
{
    const Layer layer{"sockets can be tagged", "an allowed socket is tagged and its packets pass",
                      "sockets cannot be tagged: who is allowed would be refused", Severity::Error, ""};
    return judge(facts, layer, {trial::kTags});
}

Answer check_event_ring(const DoctorFacts& facts)
{
    const Layer layer{"decisions are reported", "decisions are reported to user space",
                      "decisions are not reported: nothing would be listed", Severity::Error, ""};
    return judge(facts, layer, {trial::kEvents});
}

Answer check_exe_facts(const DoctorFacts& facts)
{
    const Layer layer{"program files can be identified", "program files can be identified as the kernel knows them",
                      "program files cannot be identified: a policy with exe does not load", Severity::Error, ""};
    return judge(facts, layer, {trial::kExeFacts});
}

Answer check_layer_tc(const DoctorFacts& facts)
{
    const Layer layer{"the tc layer works", "frames that never met the socket layer are dropped",
                      "the tc layer does not work", Severity::Warning, "tc"};
    Answer answer = judge(facts, layer, {trial::kTc});
    if (answer.severity == layer.severity) {
        answer.remedy = {"load the module of the clsact qdisc (modprobe sch_ingress), or boot a kernel with "
                         "CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF"};
    }
    return answer;
}

Answer check_layer_lsm(const DoctorFacts& facts)
{
    return security_layer(facts, "lsm",
                          {"the security programs work", "the security programs attach",
                           "the LSM layer does not work, or not completely", Severity::Warning, "lsm"});
}

Answer check_layer_seal(const DoctorFacts& facts)
{
    const auto* config = policy_of(facts);
    const bool is_wanted = config != nullptr && config->seal_until_reboot;
    Answer answer = security_layer(facts, "seal",
                                   {"the guard could be sealed", "the guard can be sealed",
                                    is_wanted ? "the policy asks for a seal that this kernel does not give"
                                              : "this kernel could not seal the guard",
                                    Severity::Warning, "seal"});
    if (answer.severity == Severity::Warning && !is_wanted) {
        answer.severity = Severity::Info; // nobody asked for it
    }
    return answer;
}

} // namespace hostward::guard
