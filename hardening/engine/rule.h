// SPDX-License-Identifier: Apache-2.0
// Rules and profiles as typed data: what the files in hardening/rules and hardening/profiles become.
#pragma once

#include "agent/config/guard_config.h"
#include "hardening/engine/primitive.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace hostward::hardening {

using config::Place;

/// An argument as a rule writes it: a value, or `{ parameter = "name" }`, or `{ item = true }` within for_each.
struct ArgumentText {
    std::string name;
    Value value;
    std::string parameter; ///< not empty: the value is this parameter's
    bool is_item = false;  ///< the value is the one that for_each is at
    Place place;
};

/// A check expression: one operator or one primitive.
struct Check {
    enum class Kind { All, Any, None, ExactlyOne, If, ForEach, Primitive };

    Kind kind = Kind::All;
    std::vector<Check> parts;             ///< If: condition, then. ForEach: one
    std::vector<ArgumentText> arguments;  ///< Primitive; ForEach: `in`, a list
    const Primitive* primitive = nullptr; ///< lives as long as the program
    Place place;
};

enum class Severity { Low, Medium, High, Critical };
[[nodiscard]] const char* severity_name(Severity severity);

/// A value that a profile or an administrator may set. Its default says its type.
struct Parameter {
    std::string name;
    Value value;
    std::string about;
    Place place;
};

struct Rule {
    std::string id; ///< a-z, 0-9 and `-`; never changes
    std::string title;
    std::string rationale;
    std::string remediation; ///< may have several lines; exact enough to paste
    Severity severity = Severity::Medium;
    std::vector<Parameter> parameters;
    std::optional<Check> applies; ///< not Pass: not applicable
    std::optional<Check> check;   ///< none: a person must judge
    Place place;
};

/// One line of a benchmark.
struct Recommendation {
    std::string number; ///< `1.1.2.1`
    std::string topic;  ///< in our words, for those without a rule
    int server = 0;     ///< level: 1 or 2; 0: not in the server profile
    int workstation = 0;
    bool is_automated = true; ///< as the benchmark marks it
    std::string rule;         ///< empty: not decided yet
    std::map<std::string, Value> parameters;
    Place place;
};

struct Profile {
    std::string id; ///< `cis-debian-12`
    std::string title;
    std::string version;    ///< the benchmark's
    std::string os_id;      ///< ID of os-release(5); empty: for every host
    std::string os_version; ///< VERSION_ID or its part before the first dot
    std::vector<Recommendation> recommendations;
    Place place;
};

} // namespace hostward::hardening
