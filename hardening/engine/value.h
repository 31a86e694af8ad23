// SPDX-License-Identifier: Apache-2.0
// Arguments of primitives and parameters of rules: typed values, and what is allowed for each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hostward::hardening {

using Value = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;

enum class ValueType {
    Text,   ///< one line
    Path,   ///< absolute
    Regex,  ///< RE2 syntax, https://github.com/google/re2/wiki/Syntax
    Mode,   ///< octal text, "0644"
    Number, ///< integer
    Flag,
    List, ///< of text; never empty
};

/// `text`, `path`, ...: for messages and the rule reference.
[[nodiscard]] const char* value_type_name(ValueType type);

/// What one argument of a primitive may be.
struct ArgumentSpec {
    std::string_view name;
    ValueType type = ValueType::Text;
    bool required = false;
    std::string_view about;                     ///< one sentence for the reference
    std::span<const std::string_view> one_of{}; ///< Text, and each of a List: nothing else is allowed; none: anything
};

/// Nothing, or what is wrong: `is a number: allowed is a path`.
[[nodiscard]] std::optional<std::string> problem_with(const Value& value, const ArgumentSpec& spec);

/// As written in TOML.
[[nodiscard]] std::string value_text(const Value& value);

/// Values that fit the primitive's specs: engine/library.h has seen to it. Asking for another type than the spec's is
/// our own bug and ends the process.
class Arguments {
public:
    explicit Arguments(std::map<std::string, Value, std::less<>> values) : values_(std::move(values)) {}

    [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
    [[nodiscard]] const std::string& text(std::string_view name) const;
    [[nodiscard]] std::string text_or(std::string_view name, std::string_view otherwise) const;
    [[nodiscard]] std::int64_t number(std::string_view name) const;
    [[nodiscard]] std::int64_t number_or(std::string_view name, std::int64_t otherwise) const;
    [[nodiscard]] bool flag_or(std::string_view name, bool otherwise) const;
    [[nodiscard]] const std::vector<std::string>& list(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> list_or_none(std::string_view name) const;
    /// Of type Mode.
    [[nodiscard]] std::uint32_t mode(std::string_view name) const;

private:
    template <typename T> [[nodiscard]] const T& get(std::string_view name) const;

    std::map<std::string, Value, std::less<>> values_;
};

} // namespace hostward::hardening
