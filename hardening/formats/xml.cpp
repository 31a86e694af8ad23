// SPDX-License-Identifier: Apache-2.0
#include "hardening/formats/xml.h"

#include "agent/base/terminal.h"
#include "agent/base/text.h"

namespace hostward::hardening {

namespace {

const char* entity(char c)
{
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return nullptr;
    }
}

} // namespace

std::string xml_text(std::string_view raw)
{
    std::string out;
    bool is_first = true;
    for (const auto line : split(raw, '\n')) {
        out += is_first ? "" : "\n";
        is_first = false;
        for (const char c : printable(line)) {
            const char* named = entity(c);
            out += named == nullptr ? std::string(1, c) : std::string(named);
        }
    }
    return out;
}

} // namespace hostward::hardening
