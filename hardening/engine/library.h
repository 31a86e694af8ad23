// SPDX-License-Identifier: Apache-2.0
// All rules and profiles of an installation, checked against each other.
#pragma once

#include "agent/base/result.h"
#include "agent/config/complaints.h"
#include "agent/host/host.h"
#include "hardening/engine/rule.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// Where rules/ and profiles/ are installed.
inline constexpr auto kLibraryDir = "/usr/share/hostward/hardening";

struct Library {
    std::map<std::string, Rule, std::less<>> rules;
    std::vector<Profile> profiles; ///< sorted by id

    [[nodiscard]] const Profile* profile(std::string_view id) const;
    [[nodiscard]] const Rule* rule(std::string_view id) const;
};

/// Values of a rule's parameters: its defaults, then those of `changes`.
[[nodiscard]] std::map<std::string, Value> parameters_of(const Rule& rule, const std::map<std::string, Value>& changes);

/// Whether `changes` are parameters of the rule, of the right type, and values that its check takes. Complaints are
/// about `place`.
void check_parameters(const Rule& rule, const std::map<std::string, Value>& changes, const Place& place,
                      config::Complaints& complaints);

/// DIRECTORY/rules/*.toml and DIRECTORY/profiles/*.toml. Any error in any file is an error: nothing is left out.
[[nodiscard]] Result<Library> load_library(const host::Host& host, const std::string& directory, Primitives primitives);

/// Rule ids are unique, profiles' ids are unique, every recommendation's rule exists and takes its parameters.
[[nodiscard]] Result<Library> link_library(std::vector<Rule> rules, std::vector<Profile> profiles);

/// The profile whose os_id and os_version are those of the host's os-release, or null.
/// Source: os-release(5); a host names its parents in ID_LIKE, which is not enough for a benchmark.
[[nodiscard]] Result<const Profile*> profile_for(const Library& library, const host::Host& host);

} // namespace hostward::hardening
