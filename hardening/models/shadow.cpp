// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/shadow.h"

#include "hardening/models/account_fields.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::size_t kShadowFields = 9;
constexpr std::size_t kShadowFieldsOld = 5; // before there were warnings: the line ends after the longest age
constexpr std::size_t kGroupShadowFields = 4;

/// The lists of days that follow name and password, in file order.
constexpr std::array kDays{&ShadowEntry::changed_day, &ShadowEntry::min_days,      &ShadowEntry::max_days,
                           &ShadowEntry::warn_days,   &ShadowEntry::inactive_days, &ShadowEntry::expire_day};

bool add_entry(std::string_view line, Origin origin, std::vector<ShadowEntry>& out)
{
    const auto fields = account_fields(line, kShadowFields);
    if (fields.size() < kShadowFieldsOld) {
        return false;
    }
    ShadowEntry entry{
        .origin = std::move(origin), .name = std::string(fields[0]), .password = parse_password_field(fields[1])};
    // After the longest age blanks alone end the line as its end does.
    const bool is_old = fields.size() == kShadowFieldsOld ||
                        (fields.size() == kShadowFieldsOld + 1 && without_leading_blanks(fields.back()).empty());
    const std::size_t count = is_old ? 3 : kDays.size();
    for (std::size_t i = 0; i < count; ++i) {
        const bool is_missing = i + 2 >= fields.size();
        const bool is_cut = is_missing || (i + 3 == fields.size() && fields[i + 2].empty());
        // The library looks for the end of an old line here, past blanks.
        const bool is_after_old = i + 2 == kShadowFieldsOld;
        const auto days =
            is_cut ? std::nullopt
                   : libc_number_or(is_after_old ? without_leading_blanks(fields[i + 2]) : fields[i + 2], kNotSet);
        if (!days) {
            return false;
        }
        entry.*kDays.at(i) = *days;
    }
    if (fields.size() == kShadowFields && !libc_number_or(fields[8], kNotSet)) {
        return false;
    }
    out.push_back(std::move(entry));
    return true;
}

} // namespace

Shadow parse_shadow(std::string_view text, const std::string& file)
{
    Shadow out{true, {}, {}, {}};
    for_each_account_line(text, [&](std::string_view line, std::uint32_t number) {
        Origin origin{file, number};
        if (is_compat_line(line)) {
            out.compat.push_back(std::move(origin));
        } else if (!add_entry(line, origin, out.entries)) {
            out.unusable.push_back(std::move(origin));
        }
    });
    return out;
}

GroupShadow parse_group_shadow(std::string_view text, const std::string& file)
{
    GroupShadow out{true, {}};
    for_each_account_line(text, [&](std::string_view line, std::uint32_t number) {
        auto fields = account_fields(line, kGroupShadowFields);
        fields.resize(kGroupShadowFields); // a short line is one with empty fields
        if (is_compat_line(line)) {
            return; // the tools of gshadow know no NIS
        }
        out.entries.push_back({{file, number},
                               std::string(fields[0]),
                               parse_password_field(fields[1]),
                               member_list(fields[2]),
                               member_list(fields[3])});
    });
    return out;
}

Result<Shadow> Shadow::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), "/etc/shadow"));
    return text ? parse_shadow(*text, "/etc/shadow") : Shadow{};
}

Result<GroupShadow> GroupShadow::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), "/etc/gshadow"));
    return text ? parse_group_shadow(*text, "/etc/gshadow") : GroupShadow{};
}

const ShadowEntry* Shadow::find(std::string_view name) const
{
    const auto found = std::ranges::find(entries, name, &ShadowEntry::name);
    return found == entries.end() ? nullptr : &*found;
}

} // namespace hostward::hardening
