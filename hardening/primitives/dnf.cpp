// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/dnf_config.h"
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"key", ValueType::Text, true, "`gpgcheck`: on in [main], and no repository turns it off", {}},
};

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& config = facts.get<DnfConfig>();
    if (!config) {
        return config.error();
    }
    const auto& key = arguments.text("key");
    if (!config->is_there && config->repositories.empty()) {
        return Outcome::not_applicable("there is neither /etc/dnf/dnf.conf nor a repository of dnf");
    }
    const auto* main = config->setting(key);
    const bool is_on = main != nullptr && dnf_flag(main->value) == true;
    const std::string nothing = "not set, which dnf takes as off unless its builder said otherwise";
    std::vector<Outcome> parts{Outcome::pass_if(
        is_on, {key + " on in [main]", main == nullptr ? nothing : key + "=" + main->value,
                main != nullptr ? main->where.text() : (config->is_there ? config->path : "/etc/dnf/dnf.conf")})};
    Outcome repositories;
    repositories.verdict = Verdict::Pass;
    for (const auto& one : config->repositories) {
        const auto* setting = one.last(key);
        if (setting != nullptr && dnf_flag(setting->value) != true) {
            const auto* enabled = one.last("enabled");
            const bool is_disabled = enabled != nullptr && dnf_flag(enabled->value) == false;
            repositories.verdict = Verdict::Fail;
            repositories.add({"not turned off for a repository",
                              "[" + one.name + "] has " + key + "=" + setting->value +
                                  (is_disabled ? " (it is not enabled by default)" : ""),
                              setting->where.text()});
        }
    }
    if (repositories.evidence.empty()) {
        repositories.add({"not turned off for a repository",
                          std::to_string(config->repositories.size()) + " repositories, none does",
                          "/etc/yum.repos.d"});
    }
    parts.push_back(std::move(repositories));
    return all_of(parts);
}

} // namespace

const Primitive kDnfPrimitive{"dnf", "A safeguard of dnf is on, and no repository turns it off.", kArguments, evaluate};

} // namespace hostward::hardening
