// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events_text.h"

#include "agent/base/text.h"
#include "agent/guard/events.h"
#include "agent/guard/unit_name.h"

#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace hostward::guard {

namespace {

/// Kinds of units that processes live in, apart from slices.
constexpr std::array<std::string_view, 5> kUnitSuffixes{".service", ".scope", ".socket", ".mount", ".swap"};

struct Protocol {
    std::uint32_t number;
    const char* name;
};
constexpr std::array kProtocols{
    Protocol{IPPROTO_ICMP, "icmp"}, Protocol{IPPROTO_TCP, "tcp"},         Protocol{IPPROTO_UDP, "udp"},
    Protocol{IPPROTO_DCCP, "dccp"}, Protocol{IPPROTO_ICMPV6, "icmpv6"},   Protocol{IPPROTO_SCTP, "sctp"},
    Protocol{IPPROTO_RAW, "raw"},   Protocol{IPPROTO_UDPLITE, "udplite"}, Protocol{262, "mptcp"},
};

} // namespace

std::string path_from_text(const char* text, std::size_t size)
{
    std::vector<std::string_view> names; // leaf first
    std::size_t at = 0;
    while (at < size && text[at] != '\0') {
        const auto* end = std::find(text + at, text + size, '\0');
        names.emplace_back(text + at, static_cast<std::size_t>(end - (text + at)));
        at += names.back().size() + 1;
    }
    // No empty name ends the list: there was no room for it, so the topmost name may be cut, or may not be the top.
    const bool cut = !names.empty() && at >= size;
    if (cut && names.size() > 1) {
        names.pop_back();
    }
    std::string path = cut ? "..." : "";
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
        path.append("/").append(*name);
    }
    return path;
}

std::string unit_of(std::string_view cgroup_path)
{
    if (!cgroup_path.starts_with('/')) {
        return "";
    }
    for (const auto name : split(cgroup_path.substr(1), '/')) {
        if (name.ends_with(".slice")) {
            continue;
        }
        const bool is_unit = std::ranges::any_of(kUnitSuffixes, [&](std::string_view suffix) {
            return name.size() > suffix.size() && name.ends_with(suffix);
        });
        return is_unit ? std::string(unit_of_cgroup(name)) : "";
    }
    return "";
}

std::string protocol_text(std::uint32_t protocol)
{
    const auto found = std::ranges::find(kProtocols, protocol, &Protocol::number);
    return found == kProtocols.end() ? std::to_string(protocol) : found->name;
}

} // namespace hostward::guard
