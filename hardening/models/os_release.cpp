// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/os_release.h"

#include "hardening/models/lines.h"

namespace hostward::hardening {

namespace {

constexpr std::size_t kBytesMax = 65536;

/// What a shell makes of the word: quotes taken away, backslashes resolved.
std::string unquoted(std::string_view text)
{
    std::string out;
    char quote = '\0';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
            out += text[++i];
        } else {
            out += c;
        }
    }
    return out;
}

} // namespace

std::string OsRelease::major() const { return version_id.substr(0, version_id.find('.')); }

OsRelease parse_os_release(std::string_view text)
{
    OsRelease out;
    for_each_line(text, [&out](std::string_view raw, std::uint32_t /*number*/) {
        const auto line = trimmed(raw);
        const auto equals = line.find('=');
        if (line.empty() || line[0] == '#' || equals == line.npos) {
            return;
        }
        const auto key = line.substr(0, equals);
        std::string value = unquoted(trimmed(line.substr(equals + 1)));
        if (key == "ID") {
            out.id = std::move(value);
        } else if (key == "VERSION_ID") {
            out.version_id = std::move(value);
        } else if (key == "PRETTY_NAME") {
            out.pretty_name = std::move(value);
        }
    });
    return out;
}

Result<OsRelease> read_os_release(const host::Host& host)
{
    auto text = host.read("/etc/os-release", kBytesMax);
    if (!text && text.error().kind == ErrorKind::NotFound) {
        text = host.read("/usr/lib/os-release", kBytesMax);
    }
    if (!text) {
        return text.error();
    }
    return parse_os_release(*text);
}

Result<OsRelease> OsRelease::read(Facts& facts) { return read_os_release(facts.host()); }

} // namespace hostward::hardening
