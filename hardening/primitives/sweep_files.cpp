// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/accounts.h"
#include "hardening/models/glob.h"
#include "hardening/models/sweep.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 4> kKinds{"world-writable-files", "open-directories", "unowned", "ungrouped"};
constexpr std::array kArguments{
    ArgumentSpec{"kind", ValueType::Text, true, "what must not be there", kKinds},
    ArgumentSpec{"except", ValueType::List, false, "shell patterns over whole paths (* also matches /) that may", {}},
};

bool is_excepted(const std::string& path, const std::vector<std::string>& patterns)
{
    return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches_text(pattern, path); });
}

void add_all(const SweptFiles& files, const std::string& expected, const std::vector<std::string>& except, Outcome& out,
             std::uint64_t& bad)
{
    for (const auto& file : files.kept) {
        if (is_excepted(file.path, except)) {
            continue;
        }
        ++bad;
        out.add({expected, "owner " + std::to_string(file.uid) + ", group " + std::to_string(file.gid), file.path});
    }
    // Beyond those that were kept nobody can say which are excepted: they count.
    bad += files.count - files.kept.size();
}

/// Files whose owner or group nobody knows. `is_known` from the accounts of the host.
template <typename IsKnown> void add_unknown(const std::map<std::uint32_t, SweptFiles>& owners,
                                             const std::string& expected, const std::vector<std::string>& except,
                                             IsKnown is_known, Outcome& out, std::uint64_t& bad)
{
    for (const auto& [id, files] : owners) {
        if (!is_known(id)) {
            add_all(files, expected, except, out, bad);
        }
    }
}

/// Empty: all that own files may be told from the files of accounts alone.
Result<std::string> others_who_know(Facts& facts, const std::string& database)
{
    const auto& services = facts.get<NameServices>();
    if (!services) {
        return services.error();
    }
    std::string names;
    for (const auto& name : services->beyond_files(database)) {
        // systemd's own makes up users of running services; they own nothing that stays.
        if (name != "systemd" && name != "compat" && name != "myhostname") {
            names += (names.empty() ? "" : ", ") + name;
        }
    }
    return names;
}

Result<Outcome> judge_unknown(const Sweep& sweep, bool by_user, const std::vector<std::string>& except, Facts& facts,
                              std::uint64_t& bad)
{
    Outcome out;
    TRY_ASSIGN(const std::string others, others_who_know(facts, by_user ? "passwd" : "group"));
    if (by_user) {
        const auto& passwd = facts.get<Passwd>();
        if (!passwd) {
            return passwd.error();
        }
        const auto is_known = [&](std::uint32_t id) {
            return std::ranges::find(passwd->users, id, &User::uid) != passwd->users.end();
        };
        add_unknown(sweep.by_uid, "an owner that exists", except, is_known, out, bad);
    } else {
        const auto& groups = facts.get<Groups>();
        if (!groups) {
            return groups.error();
        }
        const auto is_known = [&](std::uint32_t id) { return groups->find(id) != nullptr; };
        add_unknown(sweep.by_gid, "a group that exists", except, is_known, out, bad);
    }
    if (bad > 0 && !others.empty()) {
        out.verdict = Verdict::CannotTell;
        out.reason = "accounts may also come from " + others + ", which is not asked";
        return out;
    }
    out.verdict = bad == 0 ? Verdict::Pass : Verdict::Fail;
    return out;
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& sweep = facts.get<Sweep>();
    if (!sweep) {
        return sweep.error();
    }
    const std::string& kind = arguments.text("kind");
    const auto except = arguments.list_or_none("except");
    std::uint64_t bad = 0;
    Outcome out;
    if (kind == "unowned" || kind == "ungrouped") {
        TRY_ASSIGN(out, judge_unknown(*sweep, kind == "unowned", except, facts, bad));
    } else {
        const bool is_file = kind == "world-writable-files";
        add_all(is_file ? sweep->world_writable_files : sweep->open_directories,
                is_file ? "not writable by everybody" : "the sticky bit on what everybody may write to", except, out,
                bad);
        out.verdict = bad == 0 ? Verdict::Pass : Verdict::Fail;
    }
    if (out.verdict == Verdict::Pass && !sweep->partial.empty()) {
        out.verdict = Verdict::CannotTell;
        out.reason = "not everything was seen: " + sweep->partial.front();
    }
    out.add({"none", std::to_string(bad) + " of " + std::to_string(sweep->entries) + " entries",
             std::to_string(std::max<std::size_t>(sweep->plan.walk.size(), 1)) + " file systems"});
    return out;
}

} // namespace

const Primitive kSweptFilesPrimitive{"swept-files", "No file of a kind is anywhere on the local file systems.",
                                     kArguments, evaluate};

} // namespace hostward::hardening
