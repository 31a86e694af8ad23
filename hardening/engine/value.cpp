// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/value.h"

#include "agent/base/text.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstdlib>

namespace hostward::hardening {

namespace {

constexpr std::uint32_t kModeMax = 07777;
constexpr int kOctal = 8;

const char* kind_of(const Value& value)
{
    constexpr const char* kKinds[] = {"a string", "an integer", "a boolean", "an array of strings"};
    return kKinds[value.index()];
}

bool is_one_line(std::string_view text)
{
    return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::optional<std::string> regex_problem(const std::string& text)
{
    RE2::Options options;
    options.set_log_errors(false);
    const RE2 compiled(text, options);
    return compiled.ok() ? std::nullopt : std::optional("is no regular expression: " + escape(compiled.error()));
}

std::optional<std::string> mode_problem(const std::string& text)
{
    const auto mode = parse_number<std::uint32_t>(text, kOctal);
    return mode && *mode <= kModeMax
               ? std::nullopt
               : std::optional("is " + quote(text) + ": allowed is an octal mode such as \"0644\"");
}

std::string quoted(std::span<const std::string_view> values)
{
    std::string text;
    for (const auto value : values) {
        text += (text.empty() ? "" : ", ") + quote(value);
    }
    return text;
}

std::optional<std::string> choice_problem(const std::string& text, const ArgumentSpec& spec)
{
    if (spec.one_of.empty() || std::ranges::find(spec.one_of, text) != spec.one_of.end()) {
        return std::nullopt;
    }
    return "is " + quote(text) + ": allowed are " + quoted(spec.one_of);
}

std::optional<std::string> text_problem(const std::string& text, const ArgumentSpec& spec)
{
    if (text.empty() || !is_one_line(text)) {
        return "is empty or has control characters: allowed is one line of text";
    }
    switch (spec.type) {
    case ValueType::Regex: return regex_problem(text);
    case ValueType::Mode: return mode_problem(text);
    case ValueType::Path:
        return text.starts_with('/') ? std::nullopt
                                     : std::optional("is " + quote(text) + ": allowed is an absolute path");
    case ValueType::Text:
    case ValueType::Number:
    case ValueType::Flag:
    case ValueType::List: break;
    }
    return choice_problem(text, spec);
}

std::optional<std::string> list_problem(const std::vector<std::string>& list, const ArgumentSpec& spec)
{
    if (list.empty()) {
        return "is empty: allowed is at least one value";
    }
    for (const auto& text : list) {
        if (text.empty() || !is_one_line(text)) {
            return "has a value that is empty or has control characters";
        }
        if (auto problem = choice_problem(text, spec)) {
            return "has a value that " + *problem;
        }
    }
    return std::nullopt;
}

std::size_t index_of(ValueType type)
{
    switch (type) {
    case ValueType::Number: return 1;
    case ValueType::Flag: return 2;
    case ValueType::List: return 3;
    case ValueType::Text:
    case ValueType::Path:
    case ValueType::Regex:
    case ValueType::Mode: break;
    }
    return 0;
}

} // namespace

const char* value_type_name(ValueType type)
{
    switch (type) {
    case ValueType::Text: return "text";
    case ValueType::Path: return "path";
    case ValueType::Regex: return "regular expression";
    case ValueType::Mode: return "octal mode";
    case ValueType::Number: return "number";
    case ValueType::Flag: return "true or false";
    case ValueType::List: return "list of text";
    }
    return "";
}

std::optional<std::string> problem_with(const Value& value, const ArgumentSpec& spec)
{
    if (value.index() != index_of(spec.type)) {
        return std::string("is ") + kind_of(value) + ": allowed is a " + value_type_name(spec.type);
    }
    if (const auto* text = std::get_if<std::string>(&value)) {
        return text_problem(*text, spec);
    }
    if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
        return list_problem(*list, spec);
    }
    return std::nullopt;
}

std::string value_text(const Value& value)
{
    if (const auto* text = std::get_if<std::string>(&value)) {
        return quote(*text);
    }
    if (const auto* number = std::get_if<std::int64_t>(&value)) {
        return std::to_string(*number);
    }
    if (const auto* flag = std::get_if<bool>(&value)) {
        return *flag ? "true" : "false";
    }
    std::string text;
    for (const auto& one : std::get<std::vector<std::string>>(value)) {
        text += (text.empty() ? "" : ", ") + quote(one);
    }
    return "[" + text + "]";
}

template <typename T> const T& Arguments::get(std::string_view name) const
{
    const auto found = values_.find(name);
    if (found == values_.end() || !std::holds_alternative<T>(found->second)) {
        std::abort();
    }
    return std::get<T>(found->second);
}

const std::string& Arguments::text(std::string_view name) const { return get<std::string>(name); }
std::string Arguments::text_or(std::string_view name, std::string_view otherwise) const
{
    return has(name) ? text(name) : std::string(otherwise);
}
std::int64_t Arguments::number(std::string_view name) const { return get<std::int64_t>(name); }
std::int64_t Arguments::number_or(std::string_view name, std::int64_t otherwise) const
{
    return has(name) ? number(name) : otherwise;
}
bool Arguments::flag_or(std::string_view name, bool otherwise) const { return has(name) ? get<bool>(name) : otherwise; }
const std::vector<std::string>& Arguments::list(std::string_view name) const
{
    return get<std::vector<std::string>>(name);
}
std::vector<std::string> Arguments::list_or_none(std::string_view name) const
{
    return has(name) ? list(name) : std::vector<std::string>{};
}
std::uint32_t Arguments::mode(std::string_view name) const
{
    return parse_number<std::uint32_t>(text(name), kOctal).value_or(0); // checked when it was loaded
}

} // namespace hostward::hardening
