// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/auditd_conf.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr auto kFile = "/etc/audit/auditd.conf";
constexpr std::size_t kWordsMin = 3; // name = value, with blanks around the sign
constexpr std::size_t kWordsMax = 4; // and one option

/// Parts between blanks only: auditd takes a tab for a letter.
std::vector<std::string_view> parts_of(std::string_view line)
{
    std::vector<std::string_view> parts;
    for (std::size_t at = 0; (at = line.find_first_not_of(' ', at)) != line.npos;) {
        const auto end = std::min(line.find(' ', at), line.size());
        parts.push_back(line.substr(at, end - at));
        at = end;
    }
    return parts;
}

} // namespace

AuditdConf parse_auditd_conf(std::string_view text, const std::string& file)
{
    AuditdConf conf;
    conf.is_there = true;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto parts = parts_of(line);
        if (parts.empty() || parts[0].starts_with('#')) {
            return;
        }
        if (parts.size() < kWordsMin || parts.size() > kWordsMax || parts[1] != "=") {
            conf.malformed.push_back(Origin{file, number});
            return;
        }
        conf.settings.push_back({lower(parts[0]), std::string(parts[2]), Origin{file, number}});
    });
    return conf;
}

const AuditdSetting* AuditdConf::find(std::string_view name) const
{
    const auto found = std::find_if(settings.rbegin(), settings.rend(),
                                    [&](const AuditdSetting& setting) { return setting.name == name; });
    return found == settings.rend() ? nullptr : &*found;
}

Result<AuditdConf> AuditdConf::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_optional(facts.host(), kFile));
    return text ? parse_auditd_conf(*text, kFile) : AuditdConf{};
}

} // namespace hostward::hardening
