// SPDX-License-Identifier: Apache-2.0
// One rule or profile file: TOML to IR. Errors name file and line, all of them at once.
#pragma once

#include "agent/base/result.h"
#include "agent/config/complaints.h"
#include "agent/config/toml_tree.h"
#include "hardening/engine/rule.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// `[[rule]]` tables. Unknown keys, operators, primitives and arguments are complaints; so is an argument whose value,
/// or whose parameter's default, the primitive does not take.
[[nodiscard]] Result<std::vector<Rule>> parse_rules(std::string_view toml, const std::string& file,
                                                    Primitives primitives);

/// A table `profile` and an array `recommendations`. Rules are only named here: link.h looks them up.
[[nodiscard]] Result<Profile> parse_profile(std::string_view toml, const std::string& file);

/// A value of TOML as one that parameters and arguments may have, or a complaint.
[[nodiscard]] std::optional<Value> read_value(const config::TomlNode& node, const std::string& key,
                                              config::Complaints& complaints);

/// The expression that `node` holds. Complaints about it; whether its parameters exist is looked at by
/// check_arguments().
[[nodiscard]] Check read_check(const config::TomlNode& node, const std::string& key, Primitives primitives,
                               config::Complaints& complaints);

/// Every argument of every primitive in `check` fits its spec when the parameters are `values`.
void check_arguments(const Check& check, const std::map<std::string, Value>& values, config::Complaints& complaints);

/// a-z, 0-9 and `-`, 1 to kIdMax bytes.
inline constexpr std::size_t kIdMax = 80;
[[nodiscard]] bool is_id(std::string_view text);

} // namespace hostward::hardening
