// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/glob.h"

#include "agent/base/text.h"

#include <array>
#include <cctype>
#include <optional>
#include <string>

namespace hostward::hardening {

namespace {

/// What one element of a pattern says of a byte, and where the next element starts.
struct Step {
    bool is_match = false;
    std::size_t next = 0;
};

struct NamedClass {
    std::string_view name;
    int (*contains)(int);
};

constexpr std::array<NamedClass, 12> kClasses{{
    {"alnum", std::isalnum},
    {"alpha", std::isalpha},
    {"blank", std::isblank},
    {"cntrl", std::iscntrl},
    {"digit", std::isdigit},
    {"graph", std::isgraph},
    {"lower", std::islower},
    {"print", std::isprint},
    {"punct", std::ispunct},
    {"space", std::isspace},
    {"upper", std::isupper},
    {"xdigit", std::isxdigit},
}};

/// `[:name:]` at `at`.
std::optional<Step> step_class(std::string_view pattern, std::size_t at, unsigned char byte)
{
    const auto end = pattern.find(":]", at + 2);
    if (pattern.substr(at, 2) != "[:" || end == pattern.npos) {
        return std::nullopt;
    }
    const auto name = pattern.substr(at + 2, end - at - 2);
    for (const auto& known : kClasses) {
        if (known.name == name) {
            return Step{known.contains(byte) != 0, end + 2};
        }
    }
    return std::nullopt;
}

/// One byte of a bracket expression, past its backslash.
std::optional<unsigned char> take_byte(std::string_view pattern, std::size_t& at)
{
    if (at < pattern.size() && pattern[at] == '\\') {
        ++at;
    }
    return at < pattern.size() ? std::optional<unsigned char>(pattern[at++]) : std::nullopt;
}

/// `[...]` at `at`; nothing: it has no end and `[` is itself.
std::optional<Step> step_bracket(std::string_view pattern, std::size_t at, unsigned char byte)
{
    ++at;
    const bool is_inverted = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
    at += is_inverted ? 1 : 0;
    bool is_in = false;
    for (bool is_first = true; at < pattern.size() && (is_first || pattern[at] != ']'); is_first = false) {
        if (const auto named = step_class(pattern, at, byte)) {
            is_in = is_in || named->is_match;
            at = named->next;
            continue;
        }
        if (pattern.substr(at, 2) == "[." || pattern.substr(at, 2) == "[=") {
            return Step{false, at}; // the C locale knows none but single bytes, and nobody writes those so
        }
        const auto from = take_byte(pattern, at);
        auto to = from;
        if (from && at + 1 < pattern.size() && pattern[at] == '-' && pattern[at + 1] != ']') {
            ++at;
            to = take_byte(pattern, at);
        }
        if (!from || !to) {
            return std::nullopt;
        }
        is_in = is_in || (*from <= byte && byte <= *to);
    }
    return at < pattern.size() ? std::optional(Step{is_in != is_inverted, at + 1}) : std::nullopt;
}

/// One element of `pattern` that is no star.
Step step(std::string_view pattern, std::size_t at, unsigned char byte)
{
    if (pattern[at] == '?') {
        return {true, at + 1};
    }
    if (pattern[at] == '[') {
        if (const auto bracket = step_bracket(pattern, at, byte)) {
            return *bracket;
        }
    }
    if (pattern[at] == '\\') {
        ++at;
        if (at == pattern.size()) {
            return {false, at};
        }
    }
    return {static_cast<unsigned char>(pattern[at]) == byte, at + 1};
}

/// `step_of` takes one element that is no star. Without recursion: the last star is where to go on after a mismatch.
template <typename StepOf> bool matches(std::string_view pattern, std::string_view text, StepOf step_of)
{
    std::size_t p = 0;
    std::size_t t = 0;
    auto star = pattern.npos;
    std::size_t retry = 0;
    while (t < text.size()) {
        const bool is_star = p < pattern.size() && pattern[p] == '*';
        const Step taken =
            p < pattern.size() && !is_star ? step_of(pattern, p, static_cast<unsigned char>(text[t])) : Step{};
        if (is_star) {
            star = p++;
            retry = t;
        } else if (taken.is_match) {
            p = taken.next;
            ++t;
        } else if (star != pattern.npos) {
            p = star + 1;
            t = ++retry;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == pattern.npos;
}

bool has_leading_dot(std::string_view pattern) { return pattern.starts_with('.') || pattern.starts_with("\\."); }

} // namespace

bool matches_wildcards(std::string_view pattern, std::string_view text)
{
    return matches(pattern, text, [](std::string_view of, std::size_t at, unsigned char byte) {
        return Step{of[at] == '?' || static_cast<unsigned char>(of[at]) == byte, at + 1};
    });
}

bool matches_text(std::string_view pattern, std::string_view text) { return matches(pattern, text, step); }

bool matches_name(std::string_view pattern, std::string_view name)
{
    return (!name.starts_with('.') || has_leading_dot(pattern)) && matches_text(pattern, name);
}

bool matches_path(std::string_view pattern, std::string_view path)
{
    const auto patterns = split(pattern, '/');
    const auto names = split(path, '/');
    if (patterns.size() != names.size()) {
        return false;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!matches_name(patterns[i], names[i])) {
            return false;
        }
    }
    return true;
}

} // namespace hostward::hardening
