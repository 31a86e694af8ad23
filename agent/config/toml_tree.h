// SPDX-License-Identifier: Apache-2.0
// A TOML text as plain values, each with its place: what readers of configuration and rules work on.
#pragma once

#include "agent/base/result.h"
#include "agent/config/guard_config.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::config {

struct TomlEntry;

struct TomlNode {
    enum class Type { Table, Array, Text, Integer, Flag, Other };

    Type type = Type::Other;
    std::string type_text; ///< for messages: `a table`, `a date`
    Place place;
    std::string text;               ///< Text
    std::int64_t integer = 0;       ///< Integer
    bool flag = false;              ///< Flag
    std::vector<TomlNode> elements; ///< Array
    std::vector<TomlEntry> entries; ///< Table, sorted by key

    [[nodiscard]] bool is(Type wanted) const { return type == wanted; }
    [[nodiscard]] const TomlNode* find(std::string_view key) const; ///< of a table, or null
};

struct TomlEntry {
    std::string key;
    Place place; ///< of the key
    TomlNode node;
};

/// The whole text as a table, or one Error (kind Invalid) with `FILE:LINE: what`. `file` is for messages only.
[[nodiscard]] Result<TomlNode> parse_toml(std::string_view toml, const std::string& file);

} // namespace hostward::config
