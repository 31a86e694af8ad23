// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/login_defs.h"

#include "agent/base/text.h"
#include "hardening/models/account_fields.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::string_view kSpaces = " \t\n\v\f\r";

std::string_view without_trailing_spaces(std::string_view text)
{
    const auto last = text.find_last_not_of(kSpaces);
    return text.substr(0, last == text.npos ? 0 : last + 1);
}

} // namespace

std::optional<std::int64_t> c_number(std::string_view text)
{
    text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
    const bool is_negative = text.starts_with('-');
    if (is_negative || text.starts_with('+')) {
        text.remove_prefix(1);
    }
    int base = 10;
    if (text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == '0') {
        base = 8;
    }
    if (text.starts_with('-')) {
        return std::nullopt; // from_chars would take a second sign
    }
    const auto value = parse_number<std::int64_t>(text, base);
    return value && is_negative ? -*value : value;
}

LoginDefs parse_login_defs(std::string_view text, const std::string& file)
{
    LoginDefs out{true, {}};
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        line = without_trailing_spaces(line);
        line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
        const auto name_end = line.find_first_of(" \t");
        if (line.empty() || line[0] == '#' || name_end == line.npos) {
            return;
        }
        auto value = line.substr(name_end);
        value.remove_prefix(std::min(value.find_first_not_of(" \"\t"), value.size()));
        value = value.substr(0, value.find('"'));
        out.settings[std::string(line.substr(0, name_end))].push_back({{file, number}, std::string(value)});
    });
    return out;
}

UseraddDefaults parse_useradd_defaults(std::string_view text, const std::string& file)
{
    UseraddDefaults out{true, {}};
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto equals = line.find('=');
        if (equals != line.npos && !line.starts_with('#')) {
            out.settings.insert_or_assign(std::string(line.substr(0, equals)),
                                          Setting{{file, number}, std::string(line.substr(equals + 1))});
        }
    });
    return out;
}

Shells parse_shells(std::string_view text, const std::string& file)
{
    Shells out{true, {}};
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto start = line.find_first_of("#/");
        if (start == line.npos || line[start] == '#' || start + 1 == line.size()) {
            return;
        }
        line.remove_prefix(start);
        out.shells.push_back({{file, number}, std::string(line.substr(0, line.find_first_of(" \t\v\f\r#")))});
    });
    return out;
}

Result<LoginDefs> LoginDefs::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), "/etc/login.defs"));
    return text ? parse_login_defs(*text, "/etc/login.defs") : LoginDefs{};
}

Result<UseraddDefaults> UseraddDefaults::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), "/etc/default/useradd"));
    return text ? parse_useradd_defaults(*text, "/etc/default/useradd") : UseraddDefaults{};
}

Result<Shells> Shells::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), "/etc/shells"));
    return text ? parse_shells(*text, "/etc/shells") : Shells{false, {{{}, "/bin/sh"}, {{}, "/bin/csh"}}};
}

const Setting* LoginDefs::last(const std::string& name) const
{
    const auto found = settings.find(name);
    return found == settings.end() ? nullptr : &found->second.back();
}

const Setting* LoginDefs::first(const std::string& name) const
{
    const auto found = settings.find(name);
    return found == settings.end() ? nullptr : &found->second.front();
}

std::optional<std::int64_t> LoginDefs::number(const std::string& name) const
{
    const Setting* setting = last(name);
    return setting == nullptr ? std::nullopt : c_number(setting->value);
}

std::int64_t UseraddDefaults::inactive_days() const
{
    const auto found = settings.find("INACTIVE");
    const auto days = found == settings.end() ? std::nullopt : c_number(found->second.value);
    return std::max<std::int64_t>(days.value_or(-1), -1);
}

bool Shells::has(std::string_view shell) const
{
    return std::ranges::any_of(shells, [&](const Setting& known) { return known.value == shell; });
}

} // namespace hostward::hardening
