// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/library.h"

#include "agent/base/text.h"
#include "agent/config/complaints.h"
#include "hardening/engine/parse.h"
#include "hardening/models/os_release.h"

#include <algorithm>
#include <set>

namespace hostward::hardening {

namespace {

using config::Complaints;

constexpr std::string_view kSuffix = ".toml";

Result<std::vector<std::string>> toml_files(const host::Host& host, const std::string& folder)
{
    TRY_ASSIGN(const auto names, host.list(folder));
    std::vector<std::string> paths;
    for (const auto& name : names) {
        if (name.ends_with(kSuffix) && !name.starts_with('.')) {
            paths.push_back(folder + "/" + name);
        }
    }
    return paths;
}

Result<std::vector<Rule>> load_rules(const host::Host& host, const std::string& folder, Primitives primitives)
{
    TRY_ASSIGN(const auto paths, toml_files(host, folder));
    std::vector<Rule> rules;
    for (const auto& path : paths) {
        TRY_ASSIGN(const std::string text, host.read(path));
        TRY_ASSIGN(auto some, parse_rules(text, path, primitives));
        std::ranges::move(some, std::back_inserter(rules));
    }
    return rules;
}

Result<std::vector<Profile>> load_profiles(const host::Host& host, const std::string& folder)
{
    TRY_ASSIGN(const auto paths, toml_files(host, folder));
    std::vector<Profile> profiles;
    for (const auto& path : paths) {
        TRY_ASSIGN(const std::string text, host.read(path));
        TRY_ASSIGN(auto one, parse_profile(text, path));
        profiles.push_back(std::move(one));
    }
    return profiles;
}

void link(const Profile& profile, const Library& library, Complaints& complaints)
{
    for (const auto& one : profile.recommendations) {
        if (one.rule.empty()) {
            continue;
        }
        const Rule* rule = library.rule(one.rule);
        if (rule == nullptr) {
            complaints.add(one.place, "recommendation " + one.number + " names the rule " + quote(one.rule) +
                                          ", which does not exist");
            continue;
        }
        if (one.is_automated && !rule->check) {
            complaints.add(one.place,
                           "recommendation " + one.number + " is automated, but the rule leaves it to a person");
        }
        check_parameters(*rule, one.parameters, one.place, complaints);
    }
}

} // namespace

const Profile* Library::profile(std::string_view id) const
{
    const auto found = std::ranges::find(profiles, id, &Profile::id);
    return found == profiles.end() ? nullptr : &*found;
}

const Rule* Library::rule(std::string_view id) const
{
    const auto found = rules.find(id);
    return found == rules.end() ? nullptr : &found->second;
}

std::map<std::string, Value> parameters_of(const Rule& rule, const std::map<std::string, Value>& changes)
{
    std::map<std::string, Value> values = changes;
    for (const auto& parameter : rule.parameters) {
        values.emplace(parameter.name, parameter.value); // keeps the change, if there is one
    }
    return values;
}

void check_parameters(const Rule& rule, const std::map<std::string, Value>& changes, const Place& place,
                      config::Complaints& complaints)
{
    for (const auto& [name, value] : changes) {
        const auto found = std::ranges::find(rule.parameters, name, &Parameter::name);
        if (found == rule.parameters.end()) {
            complaints.add(place, "the rule " + quote(rule.id) + " has no parameter " + quote(name));
            return;
        }
        if (found->value.index() != value.index()) {
            complaints.add(place, "the parameter " + quote(name) + " of " + quote(rule.id) + " is " +
                                      value_text(value) + ": allowed is a value like its default " +
                                      value_text(found->value));
            return;
        }
    }
    const auto values = parameters_of(rule, changes);
    Complaints found;
    if (rule.applies) {
        check_arguments(*rule.applies, values, found);
    }
    if (rule.check) {
        check_arguments(*rule.check, values, found);
    }
    for (const auto& line : found.lines()) {
        complaints.add(place, "parameters of " + quote(rule.id) + " do not fit " + line);
    }
}

Result<Library> link_library(std::vector<Rule> rules, std::vector<Profile> profiles)
{
    Library library;
    Complaints complaints;
    for (auto& rule : rules) {
        const auto [at, is_new] = library.rules.try_emplace(rule.id);
        if (!is_new) {
            complaints.add(rule.place,
                           "the rule " + quote(rule.id) + " is there twice, first at " + at->second.place.text());
            continue;
        }
        at->second = std::move(rule);
    }
    library.profiles = std::move(profiles);
    std::ranges::sort(library.profiles, {}, &Profile::id);
    for (std::size_t i = 0; i < library.profiles.size(); ++i) {
        const Profile& profile = library.profiles[i];
        if (i > 0 && library.profiles[i - 1].id == profile.id) {
            complaints.add(profile.place, "the profile " + quote(profile.id) + " is there twice");
        }
        link(profile, library, complaints);
    }
    if (!complaints.empty()) {
        return complaints.error();
    }
    return library;
}

Result<Library> load_library(const host::Host& host, const std::string& directory, Primitives primitives)
{
    TRY_ASSIGN(auto rules, load_rules(host, directory + "/rules", primitives));
    TRY_ASSIGN(auto profiles, load_profiles(host, directory + "/profiles"));
    return link_library(std::move(rules), std::move(profiles));
}

Result<const Profile*> profile_for(const Library& library, const host::Host& host)
{
    TRY_ASSIGN(const OsRelease os, read_os_release(host));
    const auto fits = [&os](const Profile& profile) {
        return !profile.os_id.empty() && profile.os_id == os.id &&
               (profile.os_version == os.version_id || profile.os_version == os.major());
    };
    const auto found = std::ranges::find_if(library.profiles, fits);
    return found == library.profiles.end() ? nullptr : &*found;
}

} // namespace hostward::hardening
