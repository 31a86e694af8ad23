// SPDX-License-Identifier: Apache-2.0
// firewalld's files: the default zone and what it lets in. firewalld.conf(5), firewalld.zone(5).
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

/// One tag of an XML file, without what stands between tags.
struct XmlTag {
    std::string name;
    std::map<std::string, std::string, std::less<>> attributes; ///< the five named entities resolved
    bool is_end = false;                                        ///< `</NAME>`
};

/// Comments, declarations and text are left out. Nothing is fetched or defined by a document.
[[nodiscard]] std::vector<XmlTag> xml_tags(std::string_view text);

struct FirewalldZone {
    std::string name;
    std::string file;               ///< empty: there is no such zone
    std::string target;             ///< ACCEPT, DROP, ...; empty: what is not let in is rejected
    std::vector<std::string> opens; ///< `service ssh`, `port 80/tcp`, `protocol gre`, ...
};

struct Firewalld {
    static Result<Firewalld> read(Facts& facts);

    bool is_there = false; ///< its configuration is
    FirewalldZone zone;    ///< the default one
    Origin zone_where;     ///< line 0: nothing says it, firewalld takes `public`
};

/// Adds what the file of a zone says.
void parse_firewalld_zone(std::string_view text, FirewalldZone& zone);

} // namespace hostward::hardening
