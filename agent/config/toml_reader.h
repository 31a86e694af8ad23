// SPDX-License-Identifier: Apache-2.0
// Reading TOML into structs by tables of fields: unknown keys, missing keys and wrong types are complaints with their
// place. Used by every file format that hostward reads.
#pragma once

#include "agent/base/text.h"
#include "agent/config/complaints.h"
#include "agent/config/toml_tree.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace hostward::config {

/// One value of a file with its full key, for messages.
struct TomlItem {
    Complaints& complaints;
    std::string key;
    const TomlNode& node;

    void complain(const std::string& text) const { complaints.add(node.place, key + " " + text); }
};

/// A key of a table and what reads it into T.
template <typename T> struct TomlField {
    std::string_view key;
    bool required;
    void (*read)(const TomlItem& item, T& out);
};

/// `table` must be a table.
template <typename T> void read_table(const TomlItem& table, std::span<const TomlField<T>> fields, T& out)
{
    const std::string prefix = table.key.empty() ? "" : table.key + ".";
    for (const auto& [key, place, node] : table.node.entries) {
        const auto field = std::ranges::find(fields, std::string_view(key), &TomlField<T>::key);
        if (field != fields.end()) {
            field->read(TomlItem{table.complaints, prefix + key, node}, out);
            continue;
        }
        std::vector<std::string> allowed;
        std::ranges::transform(fields, std::back_inserter(allowed), [](const auto& f) { return std::string(f.key); });
        table.complaints.add(place, "unknown key " + quote(prefix + key) + ": allowed are " + quoted_list(allowed));
    }
    for (const auto& field : fields) {
        if (field.required && table.node.find(field.key) == nullptr) {
            table.complaints.add(table.node.place, prefix + std::string(field.key) + " is missing");
        }
    }
}

/// `[[rule]]` and its like: an array of nothing but tables. T has a member `place`.
template <typename T> void read_tables(const TomlItem& item, std::span<const TomlField<T>> fields, std::vector<T>& out)
{
    if (!item.node.is(TomlNode::Type::Array)) {
        item.complain("is " + item.node.type_text + ": allowed are tables, each begun with [[" + item.key + "]]");
        return;
    }
    if (item.node.elements.empty()) {
        item.complain("is empty: write at least one [[" + item.key + "]] or leave the key out");
    }
    for (const auto& element : item.node.elements) {
        const TomlItem one{item.complaints, item.key, element};
        if (element.is(TomlNode::Type::Table)) {
            T& added = out.emplace_back();
            added.place = element.place;
            read_table<T>(one, fields, added);
        } else {
            one.complain("holds " + element.type_text + ": allowed are tables, each begun with [[" + item.key + "]]");
        }
    }
}

/// The string, or a complaint.
[[nodiscard]] std::optional<std::string> read_string(const TomlItem& item);

/// A string of 1 to `bytes_max` bytes on one line, or a complaint.
[[nodiscard]] std::optional<std::string> read_line(const TomlItem& item, std::size_t bytes_max);

template <typename Value> using Choice = std::pair<const char*, Value>;

template <typename Value, std::size_t size>
void read_choice(const TomlItem& item, const std::array<Choice<Value>, size>& choices, Value& out)
{
    std::vector<std::string> allowed;
    for (const auto& choice : choices) {
        allowed.emplace_back(choice.first);
    }
    if (!item.node.is(TomlNode::Type::Text)) {
        item.complain("is " + item.node.type_text + ": allowed are " + quoted_list(allowed));
        return;
    }
    const auto found = std::ranges::find(choices, item.node.text, &Choice<Value>::first);
    if (found == choices.end()) {
        item.complain("is " + quote(item.node.text) + ": allowed are " + quoted_list(allowed));
        return;
    }
    out = found->second;
}

} // namespace hostward::config
