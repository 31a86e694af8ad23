// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/oracle/random_policy.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>
#include <set>

namespace hostward::test {

namespace {

using config::At;
using config::Rule;
using guard::Caller;

At<std::string> written(std::string text) { return {std::move(text), {"random", 1, 1}}; }

/// What rules of one policy may spell: shapes and paths are bounded over the whole policy.
struct Spelling {
    Width width = Width::Mixed;
    std::vector<std::pair<std::size_t, std::size_t>> shapes; ///< bytes before and after `*`
    std::vector<std::string> units;
    std::vector<std::string> paths;
};

bool is_spellable(const std::string& name)
{
    return name.size() <= HW_NAME_MAX && name.find_first_of("*\t") == std::string::npos;
}

/// A component: a known name, exact or with one of the policy's shapes cut out of it.
std::string random_component(Rng& rng, const World& world, const Spelling& spelling)
{
    while (true) {
        const std::string& name = rng.pick(world.cgroup_names);
        if (rng.one_in(2)) {
            if (is_spellable(name)) {
                return name;
            }
            continue;
        }
        const auto& [before, after] = rng.pick(spelling.shapes);
        const bool fits = before + after <= name.size();
        std::string glob = fits ? name.substr(0, before) + "*" + name.substr(name.size() - after) : "";
        if (fits && std::ranges::count(glob, '*') == 1 && glob.find('\t') == std::string::npos) {
            return glob;
        }
    }
}

bool is_unit_name(const std::string& name)
{
    static const std::array<std::string, 6> kEnds{".service", ".scope", ".slice", ".socket", ".mount", ".swap"};
    return std::ranges::any_of(kEnds,
                               [&](const std::string& end) { return name.size() > end.size() && name.ends_with(end); });
}

Spelling random_spelling(Rng& rng, const World& world)
{
    Spelling spelling;
    // (0, 0) is `*` itself; the last is as long as a name can be.
    spelling.shapes = {{0, 0}, {7, 6}, {1, 8}, {HW_NAME_MAX, 0}, {0, 8}};
    // Half of what fits: a short prefix such as `m*` stands for `_m*` as well, which is a shape of its own.
    constexpr std::size_t kShapes = HW_SHAPES_MAX / 2;
    const std::size_t shapes = rng.one_in(2) ? kShapes : 5 + rng.below(kShapes - 4);
    std::set<std::pair<std::size_t, std::size_t>> seen(spelling.shapes.begin(), spelling.shapes.end());
    while (spelling.shapes.size() < shapes) {
        const std::pair<std::size_t, std::size_t> shape{rng.below(9), rng.below(9)};
        if (seen.insert(shape).second) {
            spelling.shapes.push_back(shape);
        }
    }
    for (int tries = 0; tries < 200; ++tries) {
        if (std::string unit = random_component(rng, world, spelling); is_unit_name(unit)) {
            spelling.units.push_back(std::move(unit));
        }
    }
    const std::size_t paths = rng.one_in(2) ? HW_PATTERNS_MAX : 1 + rng.below(HW_PATTERNS_MAX);
    while (spelling.paths.size() < paths) {
        std::string path;
        const std::size_t depth = rng.one_in(4) ? HW_PATTERN_DEPTH_MAX : 1 + rng.below(3);
        for (std::size_t i = 0; i < depth; ++i) {
            path += "/" + random_component(rng, world, spelling);
        }
        // `*` everywhere names nothing and is refused.
        if (path.find_first_not_of("/*") != std::string::npos) {
            spelling.paths.push_back(std::move(path));
        }
    }
    return spelling;
}

std::vector<At<std::string>> random_accounts(Rng& rng, const std::map<std::string, std::uint32_t>& accounts,
                                             const std::vector<std::uint32_t>& ids)
{
    std::vector<At<std::string>> out;
    for (std::size_t i = 1 + rng.below(4); i > 0; --i) {
        if (rng.one_in(6)) {
            out.push_back(written("nobody-yet"));
        } else if (rng.one_in(2)) {
            out.push_back(written(std::to_string(rng.pick(ids))));
        } else {
            out.push_back(written(std::next(accounts.begin(), static_cast<long>(rng.below(accounts.size())))->first));
        }
    }
    return out;
}

std::vector<At<std::string>> random_picks(Rng& rng, const std::vector<std::string>& from)
{
    std::vector<At<std::string>> out;
    for (std::size_t i = 1 + rng.below(3); i > 0; --i) {
        out.push_back(written(rng.pick(from)));
    }
    return out;
}

std::vector<std::string> paths_of(const World& world)
{
    std::vector<std::string> out{"/opt/not-there"};
    for (const auto& [path, info] : world.exes) {
        out.push_back(path);
    }
    return out;
}

void add_conditions(Rng& rng, const World& world, const Spelling& spelling, Rule& rule)
{
    // `which` has at least one of four bits: a rule without any condition is refused.
    const bool narrow = spelling.width == Width::Narrow;
    const std::size_t which = narrow ? 15 : 1 + rng.below(15);
    if ((which & 1) != 0) {
        rule.users = random_accounts(rng, world.users, world.uids);
    }
    if ((which & 2) != 0 && (narrow || !rng.one_in(3))) {
        rule.groups = random_accounts(rng, world.groups, world.gids);
    }
    if ((which & 4) != 0) {
        rule.exes = random_picks(rng, paths_of(world));
    }
    if ((which & 8) != 0 || rule.users.size() + rule.groups.size() + rule.exes.size() == 0) {
        if (rng.one_in(2) && !spelling.units.empty()) {
            rule.units = random_picks(rng, spelling.units);
        } else {
            rule.cgroups = random_picks(rng, spelling.paths);
        }
    }
}

Rule random_rule(Rng& rng, const World& world, const Spelling& spelling, const config::GuardConfig& config)
{
    Rule rule;
    rule.name = "rule-" + std::to_string(config.rules.size());
    rule.place = {"random", static_cast<std::uint32_t>(config.rules.size() + 1), 1};
    rule.action = rng.one_in(2) ? config::Action::Allow : config::Action::Deny;
    rule.scope = static_cast<config::Scope>(rng.below(3));
    add_conditions(rng, world, spelling, rule);
    for (std::size_t i = rng.one_in(2) ? 0 : 1 + rng.below(2); i > 0; --i) {
        rule.endpoints.push_back(written(rng.pick(config.endpoints).name));
    }
    return rule;
}

std::vector<config::Endpoint> random_endpoints(Rng& rng, const World& world)
{
    std::vector<std::string> addresses = world.addresses;
    for (std::size_t i = addresses.size(); i > 1; --i) {
        std::swap(addresses[i - 1], addresses[rng.below(i)]);
    }
    const std::size_t count = rng.one_in(3) ? HW_ENDPOINTS_MAX : 1 + rng.below(HW_ENDPOINTS_MAX);
    const std::size_t used = rng.one_in(3) ? HW_ADDRESSES_MAX : count + rng.below(HW_ADDRESSES_MAX - count + 1);
    std::vector<config::Endpoint> out(count);
    for (std::size_t i = 0; i < count; ++i) {
        out[i].name = "endpoint-" + std::to_string(i);
        out[i].default_action = rng.one_in(4) ? config::Action::Allow : config::Action::Deny;
        out[i].place = {"random", 1, 1};
    }
    for (std::size_t i = 0; i < std::min(used, addresses.size()); ++i) {
        out[i < count ? i : rng.below(count)].addresses.push_back(written(addresses[i]));
    }
    return out;
}

std::vector<std::uint32_t> random_groups(Rng& rng, const World& world)
{
    static const std::array<std::size_t, 3> kAroundBound{HW_GROUPS_MAX - 1, HW_GROUPS_MAX, HW_GROUPS_MAX + 1};
    const std::size_t count = rng.one_in(40) ? rng.pick(kAroundBound) : rng.below(4);
    std::vector<std::uint32_t> out;
    for (std::size_t i = 0; i < count; ++i) {
        // Only the last few of a long list mean anything, so that a bound one too low shows.
        out.push_back(i + 2 < count && count > 10 ? 7000000 + static_cast<std::uint32_t>(i) : rng.pick(world.gids));
    }
    return out;
}

std::string random_path(Rng& rng, const World& world)
{
    static const std::array<std::size_t, 3> kAroundBound{HW_CGROUP_DEPTH_MAX - 1, HW_CGROUP_DEPTH_MAX,
                                                         HW_CGROUP_DEPTH_MAX + 1};
    const std::size_t depth = rng.one_in(20) ? rng.pick(kAroundBound) : rng.below(10);
    const bool in_slices = rng.one_in(3);
    std::string path;
    for (std::size_t i = 0; i < depth; ++i) {
        path += "/" + (in_slices && i + 1 < depth ? std::string("a.slice") : rng.pick(world.cgroup_names));
    }
    return path;
}

/// Every `*` of a pattern filled with something; always a name that a cgroup can have.
std::string instance_of(Rng& rng, const std::string& pattern)
{
    static const std::array<std::string, 5> kFillings{"", "x", "*", ".", "abc-123"};
    std::string out;
    for (const auto part : split(pattern, '/')) {
        std::string name(part);
        if (const auto at = name.find('*'); at != std::string::npos) {
            name.replace(at, 1, rng.pick(kFillings));
            name += name.empty() || name == "." || name == ".." ? "y" : "";
        }
        out += (out.empty() && part.empty() ? "" : "/") + name;
    }
    return out;
}

std::optional<std::uint32_t> id_of(const std::string& name, const std::map<std::string, std::uint32_t>& accounts)
{
    if (const auto found = accounts.find(name); found != accounts.end()) {
        return found->second;
    }
    return parse_number<std::uint32_t>(name);
}

/// Changes the caller so that it satisfies what the rule says about user, group and program.
void satisfy_identity(Rng& rng, const World& world, const Rule& rule, Caller& caller)
{
    if (!rule.users.empty()) {
        caller.uid = id_of(rng.pick(rule.users).value, world.users).value_or(caller.uid);
        caller.euid = rng.one_in(8) ? caller.euid : id_of(rng.pick(rule.users).value, world.users).value_or(caller.uid);
    }
    if (!rule.groups.empty()) {
        const auto gid = id_of(rng.pick(rule.groups).value, world.groups);
        if (gid && (caller.groups.empty() || rng.one_in(2))) {
            caller.gid = *gid;
        } else if (gid) {
            caller.groups.back() = *gid;
        }
    }
    if (!rule.exes.empty()) {
        if (const auto found = world.exes.find(rng.pick(rule.exes).value); found != world.exes.end()) {
            caller.exe = found->second.fact;
        }
    }
}

void satisfy(Rng& rng, const World& world, const Rule& rule, const CallerOptions& options, Caller& caller)
{
    satisfy_identity(rng, world, rule, caller);
    if (!rule.units.empty()) {
        caller.cgroup_path = rng.one_in(2) ? "/system.slice" : "/a.slice/user.slice";
        caller.cgroup_path += instance_of(rng, rng.pick(rule.units).value);
    } else if (!rule.cgroups.empty()) {
        caller.cgroup_path = instance_of(rng, rng.pick(rule.cgroups).value);
    }
    if (!rule.units.empty() || !rule.cgroups.empty()) {
        caller.cgroup_path += rng.one_in(3) ? "/below/it" : "";
    }
    if (rule.scope != config::Scope::Any && options.containers) {
        caller.container = rule.scope == config::Scope::Container;
    }
}

} // namespace

config::GuardConfig random_config(Rng& rng, const World& world, std::size_t rules, Width width)
{
    config::GuardConfig config;
    config.mode = rng.one_in(4) ? config::Mode::Audit : config::Mode::Enforce;
    config.forwarded = rng.one_in(2) ? config::Action::Allow : config::Action::Deny;
    config.bypass_sockets = rng.one_in(2) ? config::Action::Allow : config::Action::Deny;
    config.endpoints = random_endpoints(rng, world);
    Spelling spelling = random_spelling(rng, world);
    spelling.width = width;
    for (std::size_t i = 0; i < rules; ++i) {
        config.rules.push_back(random_rule(rng, world, spelling, config));
    }
    return config;
}

Caller random_caller(Rng& rng, const World& world, const config::GuardConfig& config, const CallerOptions& options)
{
    Caller caller;
    caller.uid = rng.pick(world.uids);
    caller.euid = rng.one_in(4) ? rng.pick(world.uids) : caller.uid;
    caller.gid = rng.pick(world.gids);
    caller.groups = random_groups(rng, world);
    if (!rng.one_in(5)) {
        caller.exe = std::next(world.exes.begin(), static_cast<long>(rng.below(world.exes.size())))->second.fact;
    }
    if (caller.exe && rng.one_in(6)) {
        caller.exe->generation ^= 1; // another file that was given the same inode number
    }
    caller.cgroup_path = random_path(rng, world);
    caller.container = options.containers && rng.one_in(3);
    caller.kernel_thread = options.kernel_threads && rng.one_in(200);
    if (!config.rules.empty() && rng.one_in(2)) {
        satisfy(rng, world, rng.pick(config.rules), options, caller);
    }
    return caller;
}

std::string random_address(Rng& rng, const config::GuardConfig& config)
{
    static const std::array<std::string, 4> kOthers{"169.254.169.253", "::1", "127.0.0.1", "fd00:ec2::255"};
    return rng.one_in(10) ? rng.pick(kOthers) : rng.pick(rng.pick(config.endpoints).addresses).value;
}

} // namespace hostward::test
