// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/account_fields.h"

#include <algorithm>
#include <limits>

namespace hostward::hardening {

namespace {

constexpr std::string_view kSpaces = " \t\n\v\f\r"; // isspace(3) in the C locale
constexpr std::uint64_t kIdMax = std::numeric_limits<std::uint32_t>::max();

struct Number {
    std::uint64_t value = 0;
    bool is_found = false;
    std::string_view rest; ///< what follows the digits
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// strtoul(3) in base 10: a minus sign wraps, a number too large is the largest.
Number unsigned_long(std::string_view field)
{
    const auto start = std::min(field.find_first_not_of(kSpaces), field.size());
    auto rest = field.substr(start);
    const bool is_negative = rest.starts_with('-');
    if (is_negative || rest.starts_with('+')) {
        rest.remove_prefix(1);
    }
    Number out{0, !rest.empty() && is_digit(rest[0]), field};
    bool is_too_large = false;
    for (; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1)) {
        const auto digit = static_cast<std::uint64_t>(rest[0] - '0');
        is_too_large = is_too_large || out.value > (std::numeric_limits<std::uint64_t>::max() - digit) / 10;
        out.value = out.value * 10 + digit;
    }
    if (is_too_large) {
        out.value = std::numeric_limits<std::uint64_t>::max();
    } else if (is_negative) {
        out.value = 0 - out.value;
    }
    out.rest = out.is_found ? rest : field;
    return out;
}

} // namespace

std::optional<std::uint32_t> libc_id(std::string_view field)
{
    const Number number = unsigned_long(field);
    if (!number.is_found || !number.rest.empty() || number.value > kIdMax) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(number.value);
}

std::optional<std::int64_t> libc_number_or(std::string_view field, std::int64_t empty)
{
    const Number number = unsigned_long(field);
    if (!number.rest.empty() || number.value > kIdMax) {
        return std::nullopt;
    }
    return number.is_found ? static_cast<std::int32_t>(static_cast<std::uint32_t>(number.value)) : empty;
}

std::string_view without_leading_blanks(std::string_view line)
{
    return line.substr(std::min(line.find_first_not_of(kSpaces), line.size()));
}

std::vector<std::string> member_list(std::string_view field)
{
    std::vector<std::string> members;
    while (true) {
        const auto comma = field.find(',');
        const auto name = without_leading_blanks(field.substr(0, comma));
        if (!name.empty()) {
            members.emplace_back(name);
        }
        if (comma == field.npos) {
            return members;
        }
        field.remove_prefix(comma + 1);
    }
}

void for_each_account_line(std::string_view text,
                           const std::function<void(std::string_view line, std::uint32_t number)>& each)
{
    for_each_line(text, [&](std::string_view whole, std::uint32_t number) {
        const auto line = without_leading_blanks(whole.substr(0, whole.find('\0')));
        if (!line.empty() && line[0] != '#') {
            each(line, number);
        }
    });
}

std::vector<std::string_view> account_fields(std::string_view line, std::size_t count)
{
    std::vector<std::string_view> fields;
    while (true) {
        const auto colon = fields.size() + 1 == count ? line.npos : line.find(':');
        fields.push_back(line.substr(0, colon));
        if (colon == line.npos) {
            return fields;
        }
        line.remove_prefix(colon + 1);
    }
}

} // namespace hostward::hardening
