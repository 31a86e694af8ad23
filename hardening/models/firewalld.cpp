// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/firewalld.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr auto kConf = "/etc/firewalld/firewalld.conf";
constexpr auto kUsualZone = "public"; ///< what firewalld takes where nothing is said
constexpr std::array kZoneFolders{"/etc/firewalld/zones/", "/usr/lib/firewalld/zones/"};
constexpr std::string_view kBlanks = " \t\r\n";

struct Entity {
    std::string_view written;
    char meant;
};
constexpr std::array kEntities{Entity{"&lt;", '<'}, Entity{"&gt;", '>'}, Entity{"&amp;", '&'}, Entity{"&quot;", '"'},
                               Entity{"&apos;", '\''}};

std::string resolved(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto* known = std::ranges::find_if(
            kEntities, [&](const Entity& entity) { return text.substr(at).starts_with(entity.written); });
        out += known == kEntities.end() ? text[at] : known->meant;
        at += known == kEntities.end() ? 1 : known->written.size();
    }
    return out;
}

/// The place behind `text[at]`'s markup that is no tag: a comment, a declaration, an instruction.
std::size_t behind_other(std::string_view text, std::size_t at)
{
    const std::string_view end = text.substr(at).starts_with("<!--") ? "-->" : ">";
    const auto found = text.find(end, at);
    return found == text.npos ? text.size() : found + end.size();
}

/// ` NAME="VALUE" ...` up to `>`; gives the place behind it.
std::size_t read_attributes(std::string_view text, std::size_t at, XmlTag& tag)
{
    while (at < text.size() && text[at] != '>') {
        const auto name_end = text.find_first_of(" \t\r\n=/>", at);
        if (name_end == text.npos) {
            return text.size();
        }
        const auto equals = text.find_first_not_of(kBlanks, name_end);
        const auto open =
            equals != text.npos && text[equals] == '=' ? text.find_first_not_of(kBlanks, equals + 1) : text.npos;
        const bool has_value = name_end > at && open != text.npos && (text[open] == '"' || text[open] == '\'');
        if (!has_value) {
            at = name_end > at ? name_end : at + 1;
            continue;
        }
        const auto close = text.find(text[open], open + 1);
        if (close == text.npos) {
            return text.size();
        }
        tag.attributes.emplace(text.substr(at, name_end - at), resolved(text.substr(open + 1, close - open - 1)));
        at = close + 1;
    }
    return at + 1;
}

std::string attribute(const XmlTag& tag, std::string_view name)
{
    const auto at = tag.attributes.find(name);
    return at == tag.attributes.end() ? "" : at->second;
}

std::string default_zone(std::string_view text, Origin& where)
{
    std::string zone = kUsualZone;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto words = trimmed(line);
        const auto equals = words.find('=');
        if (!words.starts_with('#') && equals != words.npos && trimmed(words.substr(0, equals)) == "DefaultZone") {
            zone = std::string(trimmed(words.substr(equals + 1)));
            where.line = number;
        }
    });
    return zone;
}

} // namespace

std::vector<XmlTag> xml_tags(std::string_view text)
{
    std::vector<XmlTag> found;
    for (auto at = text.find('<'); at < text.size(); at = text.find('<', at)) {
        if (text.substr(at).starts_with("<!") || text.substr(at).starts_with("<?")) {
            at = behind_other(text, at);
            continue;
        }
        XmlTag tag;
        tag.is_end = text.substr(at).starts_with("</");
        const auto name = at + (tag.is_end ? 2 : 1);
        const auto end = std::min(text.find_first_of(" \t\r\n/>", name), text.size());
        tag.name = std::string(text.substr(std::min(name, end), end - std::min(name, end)));
        at = std::min(read_attributes(text, end, tag), text.size());
        found.push_back(std::move(tag));
    }
    return found;
}

void parse_firewalld_zone(std::string_view text, FirewalldZone& zone)
{
    constexpr std::array<std::string_view, 4> kNamed{"service", "port", "protocol", "source-port"};
    bool is_rich = false;
    for (const auto& tag : xml_tags(text)) {
        if (tag.name == "rule") {
            is_rich = !tag.is_end;
            if (is_rich) {
                zone.opens.push_back("a rich rule");
            }
        } else if (tag.name == "zone" && !tag.is_end) {
            zone.target = attribute(tag, "target");
        } else if (!is_rich && !tag.is_end && std::ranges::find(kNamed, tag.name) != kNamed.end()) {
            const std::string what =
                attribute(tag, tag.name == "service" ? "name" : (tag.name == "protocol" ? "value" : "port"));
            const std::string protocol = attribute(tag, "protocol");
            zone.opens.push_back(tag.name + " " + what + (protocol.empty() ? "" : "/" + protocol));
        }
    }
}

Result<Firewalld> Firewalld::read(Facts& facts)
{
    Firewalld found;
    TRY_ASSIGN(const auto conf, host::read_optional(facts.host(), kConf));
    found.is_there = conf.has_value();
    found.zone_where = Origin{kConf, 0};
    found.zone.name = default_zone(conf.value_or(""), found.zone_where);
    if (found.zone.name.find('/') != std::string::npos) {
        return found;
    }
    for (const auto* folder : kZoneFolders) {
        const std::string path = folder + found.zone.name + ".xml";
        TRY_ASSIGN(const auto text, host::read_optional(facts.host(), path));
        if (text) {
            found.zone.file = path;
            parse_firewalld_zone(*text, found.zone);
            return found;
        }
    }
    return found;
}

} // namespace hostward::hardening
