// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/limits.h"

#include "hardening/models/conf_files.h"

namespace hostward::hardening {

std::vector<LimitLine> parse_limits(std::string_view text, const std::string& file)
{
    std::vector<LimitLine> lines;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto parts = words(line.substr(0, line.find('#')));
        if (parts.size() != 4) {
            return; // `DOMAIN -` alone means no limits at all; nothing else is a limit
        }
        LimitLine limit{std::string(parts[0]), lower(parts[1]), lower(parts[2]), lower(parts[3]), Origin{file, number}};
        if (limit.type == "hard" || limit.type == "soft" || limit.type == "-") {
            lines.push_back(std::move(limit));
        }
    });
    return lines;
}

Result<Limits> Limits::read(Facts& facts)
{
    TRY_ASSIGN(auto files, conf_file(facts.host(), "/etc/security/limits.conf"));
    const std::vector<std::string> folder{"/etc/security/limits.d"};
    TRY_ASSIGN(const auto more, conf_files(facts.host(), folder, ".conf"));
    files.insert(files.end(), more.begin(), more.end());
    Limits limits;
    for (const auto& file : files) {
        for (auto& line : parse_limits(file.text, file.path)) {
            limits.lines.push_back(std::move(line));
        }
    }
    return limits;
}

} // namespace hostward::hardening
