// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/learn.h"

#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/guard/events_text.h"
#include "agent/guard/events_time.h"
#include "agent/guard/learn_identity.h"
#include "agent/guard/reasons.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

namespace hostward::guard {

namespace {

constexpr std::uint32_t kNoId = 0xffffffff;
constexpr std::size_t kNameMax = 64;       ///< of a rule, as in policy.cpp
constexpr std::size_t kNameRoom = 6;       ///< kept free for the number that makes a name unique
constexpr std::size_t kUserInNameMax = 24; ///< bytes of the user in a rule's name

void add_saturated(std::uint64_t& sum, std::uint64_t more)
{
    sum =
        sum > std::numeric_limits<std::uint64_t>::max() - more ? std::numeric_limits<std::uint64_t>::max() : sum + more;
}

void remember(std::set<std::string>& names, const std::string& name)
{
    if (!name.empty() && names.size() < Sighting::kNamesMax) {
        names.insert(name);
    }
}

std::string place_text(const EventRecord& event)
{
    const std::string unit = unit_of(event.cgroup);
    return unit.empty() ? event.cgroup : unit;
}

std::string reason_text(const std::string& name)
{
    const auto reason = reason_number(name);
    return reason ? std::string(reason_wording(*reason).text) : "unknown reason " + quote(name);
}

/// Why no rule of any kind helps, from the event alone; empty: one may.
std::string refusal(const EventRecord& event)
{
    if (event.reason != "default" && event.reason != "rule") {
        return "no rule can allow it: " + reason_text(event.reason);
    }
    if (!event.uid || !event.euid || *event.uid == kNoId || *event.euid == kNoId) {
        return "it is not known who asked";
    }
    if (!event.cgroup.starts_with('/')) {
        return "its cgroup is nested too deep to be known";
    }
    return "";
}

std::string sanitized(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           std::string_view("._:@").find(c) != std::string_view::npos;
        if (plain || (!out.empty() && out.back() != '-')) {
            out += plain ? c : '-';
        }
    }
    while (out.ends_with('-') || out.ends_with('@')) {
        out.pop_back();
    }
    return out;
}

std::string subject_of(const Identity& identity)
{
    if (!identity.exe.empty()) {
        return sanitized(identity.exe.substr(identity.exe.rfind('/') + 1));
    }
    if (!identity.unit.empty()) {
        return sanitized(identity.unit.substr(0, identity.unit.rfind('.')));
    }
    return identity.cgroup.empty() ? "user" : sanitized(identity.cgroup.substr(1));
}

std::vector<config::At<std::string>> values(const std::set<std::string>& texts)
{
    std::vector<config::At<std::string>> out;
    for (const auto& text : texts) {
        if (!text.empty()) {
            out.push_back({text, {}});
        }
    }
    return out;
}

struct Group {
    Sighting seen;
    std::set<std::string> endpoints;
    std::vector<std::string> remarks;
    std::string user; ///< name of the real user as recorded
};

struct Refusal {
    NotLearned listed;
    Caller sample;
    std::optional<std::uint32_t> endpoint;
};

} // namespace

void Sighting::add(const EventRecord& event)
{
    first_ns = count == 0 ? event.first_ns : std::min(first_ns, event.first_ns);
    last_ns = count == 0 ? event.last_ns : std::max(last_ns, event.last_ns);
    add_saturated(count, event.count);
    add_saturated(imdsv1, event.imds_version == "1" ? event.count : 0);
    remember(users, user_text(event));
    remember(exes, event.exe);
    remember(places, place_text(event));
}

struct Learner::Impl {
    Impl(config::GuardConfig config, CompiledPolicy compiled_policy, Resolver& world, GroupsOf groups_of)
        : present(std::move(config)), compiled(std::move(compiled_policy)), resolver(world), exes(world),
          groups(std::move(groups_of))
    {
    }

    config::GuardConfig present;
    CompiledPolicy compiled;
    Resolver& resolver;
    ExeBook exes;
    GroupsOf groups;
    std::map<Identity, Group> proposed;
    std::map<std::vector<std::string>, Refusal> refused;
    Learned out;

    /// As the present policy would see this caller today: rules name paths, so the file that is there now counts.
    [[nodiscard]] Caller caller(const EventRecord& event)
    {
        Caller caller = caller_of(event, groups(event.uid.value_or(kNoId)));
        if (caller.exe && !event.container && is_plain_path(event.exe)) {
            const auto& info = exes.look_up(event.exe);
            caller.exe = info && info->fact ? info->fact : caller.exe;
        }
        return caller;
    }

    [[nodiscard]] std::optional<std::uint32_t> endpoint(const EventRecord& event) const
    {
        const auto found = std::ranges::find(compiled.endpoint_names, event.endpoint);
        return found == compiled.endpoint_names.end()
                   ? std::nullopt
                   : std::optional(static_cast<std::uint32_t>(found - compiled.endpoint_names.begin()));
    }

    [[nodiscard]] bool has_room() const { return proposed.size() + refused.size() < kCallersMax; }

    void refuse(const EventRecord& event, const std::string& why)
    {
        const std::vector<std::string> key{why, user_text(event), event.exe, place_text(event)};
        const auto known = refused.find(key);
        if (known == refused.end() && !has_room()) {
            add_saturated(out.too_many, event.count);
            return;
        }
        if (known != refused.end()) {
            known->second.listed.seen.add(event);
            return;
        }
        Refusal& added = refused[key];
        added.listed.why = why;
        added.listed.seen.add(event);
        if (refusal(event).empty()) {
            added.sample = caller(event);
            added.endpoint = endpoint(event);
        }
    }

    void propose(const EventRecord& event, Choice choice)
    {
        if (!proposed.contains(*choice.identity) && !has_room()) {
            add_saturated(out.too_many, event.count);
            return;
        }
        Group& group = proposed[*choice.identity];
        group.seen.add(event);
        group.endpoints.insert(event.endpoint);
        group.user = event.user;
        for (auto& remark : choice.remarks) {
            if (std::ranges::find(group.remarks, remark) == group.remarks.end()) {
                group.remarks.push_back(std::move(remark));
            }
        }
    }

    void add(const EventRecord& event)
    {
        const auto asked = endpoint(event);
        if (const std::string why = refusal(event); !why.empty()) {
            return refuse(event, why);
        }
        if (!asked) {
            return refuse(event, "the present policy has no endpoint " + quote(event.endpoint));
        }
        const Decision decision = decide(compiled, caller(event), *asked);
        if (decision.verdict == HW_ALLOW) {
            return add_saturated(out.allowed_already, event.count);
        }
        if (decision.reason == HW_REASON_RULE) {
            return refuse(event, "rule " + quote(compiled.rule_names[decision.rule]) + " denies it on purpose");
        }
        if (decision.reason != HW_REASON_DEFAULT) {
            return refuse(event, "no rule can allow it: " + std::string(reason_wording(decision.reason).text));
        }
        if (event.exe_untrusted) {
            return refuse(event, "its program file is deleted, in memory only, or on a mount of an unprivileged user: "
                                 "such a program is never proposed");
        }
        Choice choice = choose_identity(event, exes);
        if (!choice.identity) {
            return refuse(event, choice.why_not);
        }
        propose(event, std::move(choice));
    }

    /// The account's name where it still means this number, else the number.
    [[nodiscard]] std::string account(std::uint32_t uid, const std::string& name)
    {
        const bool is_number = name.find_first_not_of("0123456789") == std::string::npos; // the empty one, too
        const bool is_plain = printable(name) == name && name.find_first_of(":/+") == std::string::npos &&
                              !name.starts_with('-') && name.size() <= kNameMax;
        return !is_number && is_plain && resolver.user(name) == uid ? name : std::to_string(uid);
    }

    [[nodiscard]] std::string unique_name(const Identity& identity, const std::string& user,
                                          std::set<std::string>& used)
    {
        std::string base = identity.container ? "learned-container-" : "learned-";
        const std::string tail = "-" + sanitized(user).substr(0, kUserInNameMax);
        const std::size_t room = kNameMax - kNameRoom - base.size() - tail.size();
        base += subject_of(identity).substr(0, room) + tail;
        std::string name = base;
        for (int number = 2; !used.insert(name).second; ++number) {
            name = base + "-" + std::to_string(number);
        }
        return name;
    }

    [[nodiscard]] LearnedRule learned(const Identity& identity, const Group& group, std::set<std::string>& used)
    {
        const std::string user = account(identity.uid, group.user);
        LearnedRule out_rule;
        out_rule.seen = group.seen;
        out_rule.remarks = group.remarks;
        config::Rule& rule = out_rule.rule;
        rule.name = unique_name(identity, user, used);
        rule.action = config::Action::Allow;
        rule.users = values({user});
        if (identity.euid != identity.uid) {
            rule.users.push_back({account(identity.euid, identity.euid == 0 ? "root" : ""), {}});
        }
        rule.exes = values({identity.exe});
        rule.units = values({identity.unit});
        rule.cgroups = values({identity.cgroup});
        rule.scope = identity.container ? config::Scope::Container : config::Scope::Host;
        rule.endpoints = values(group.endpoints);
        rule.why = "learned: " + std::to_string(group.seen.count) + " decisions until " + rfc3339(group.seen.last_ns);
        return out_rule;
    }

    void list_unproposed(const Group& group, const std::string& why) { out.refused.push_back({why, group.seen, ""}); }

    /// Patterns have bounds of their own in a policy. `trial`: the present rules and the patterns taken so far.
    [[nodiscard]] bool fits(const config::Rule& rule, config::GuardConfig& trial)
    {
        if (rule.cgroups.empty() && (rule.units.empty() || rule.units[0].value.find('*') == std::string::npos)) {
            return true;
        }
        trial.rules.push_back(rule);
        if (compile(trial, resolver)) {
            return true;
        }
        trial.rules.pop_back();
        return false;
    }

    void build_rules(std::uint64_t min_count)
    {
        std::set<std::string> used(compiled.rule_names.begin(), compiled.rule_names.end());
        const std::size_t room = HW_RULES_MAX - std::min<std::size_t>(HW_RULES_MAX, present.rules.size());
        config::GuardConfig trial = present;
        for (const auto& [identity, group] : proposed) {
            if (group.seen.count < min_count) {
                list_unproposed(group, "seen fewer than " + std::to_string(min_count) + " times");
                continue;
            }
            LearnedRule rule = learned(identity, group, used);
            if (out.rules.size() < room && fits(rule.rule, trial)) {
                out.rules.push_back(std::move(rule));
            } else {
                list_unproposed(group, "the policy has no room for one more rule or pattern like it");
            }
        }
    }

    /// Compiles all of it, as the guard will; and says of those without a rule who passes by another's.
    [[nodiscard]] Status confirm()
    {
        config::GuardConfig all = present;
        // As in a drop-in: behind the host's own rules, before those of presets.
        auto place = std::ranges::find_if(all.rules, [](const auto& rule) { return !rule.preset.empty(); });
        for (const auto& learned : out.rules) {
            place = std::next(all.rules.insert(place, learned.rule));
        }
        const auto policy = compile(all, resolver);
        if (!policy) {
            return policy.error().in("the learned rules do not fit behind the present ones");
        }
        for (auto& [key, refusal] : refused) {
            if (refusal.endpoint) {
                const Decision decision = decide(*policy, refusal.sample, *refusal.endpoint);
                const bool passes = decision.verdict == HW_ALLOW && decision.rule != HW_NO_RULE;
                refusal.listed.allowed_by = passes ? policy->rule_names[decision.rule] : "";
            }
            out.refused.push_back(std::move(refusal.listed));
        }
        return success();
    }
};

Learner::Learner(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Learner::~Learner() = default;
Learner::Learner(Learner&&) noexcept = default;
Learner& Learner::operator=(Learner&&) noexcept = default;

// NOLINTNEXTLINE(performance-unnecessary-value-param): handed over
Result<Learner> Learner::create(const config::GuardConfig& present, Resolver& resolver, GroupsOf groups)
{
    TRY_ASSIGN(CompiledPolicy compiled, compile(present, resolver));
    return Learner(std::make_unique<Impl>(present, std::move(compiled), resolver, std::move(groups)));
}

void Learner::add(const EventRecord& event)
{
    if (event.outcome == Outcome::Allow) {
        return;
    }
    Learned& out = impl_->out;
    out.first_ns = out.events == 0 ? event.first_ns : std::min(out.first_ns, event.first_ns);
    out.last_ns = out.events == 0 ? event.last_ns : std::max(out.last_ns, event.last_ns);
    ++out.events;
    add_saturated(out.decisions, event.count);
    impl_->add(event);
}

Result<Learned> Learner::finish(std::uint64_t min_count)
{
    impl_->build_rules(min_count);
    TRY(impl_->confirm());
    return std::move(impl_->out);
}

} // namespace hostward::guard
