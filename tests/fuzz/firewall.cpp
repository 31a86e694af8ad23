// SPDX-License-Identifier: Apache-2.0
// Any bytes as rules of packet filters: nft's JSON and text, iptables' files, zones of firewalld. What was read is
// followed for the packets that the checks ask about.
#include "hardening/models/firewalld.h"
#include "hardening/models/iptables.h"
#include "hardening/models/nft.h"
#include "hardening/models/packet_walk.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string_view>

namespace {

using namespace hostward::hardening;

void follow(const FilterRules& rules)
{
    for (const auto& chain : rules.chains) {
        FUZZ_CHECK(rules.find(chain.family, chain.table, chain.name) == &chain);
    }
    for (const auto family : {IpFamily::V4, IpFamily::V6}) {
        for (const bool is_lo : {true, false}) {
            const auto fate = fate_of(rules, packets_in(family, is_lo));
            // Packets do not get lost: some are accepted or some are dropped.
            FUZZ_CHECK(!fate || fate->accepted || fate->dropped);
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto json = parse_nft_json(text)) {
        follow(*json);
    }
    FilterRules nft;
    NftNames names;
    parse_nft_text(text, "f", nft, names, [](const std::string&) {});
    follow(nft);
    FilterRules tables;
    parse_iptables(text, "f", "ip", tables);
    parse_iptables(text, "f", "ip6", tables);
    follow(tables);
    FirewalldZone zone;
    parse_firewalld_zone(text, zone);
    FUZZ_CHECK(zone.opens.size() <= text.size());
    return 0;
}
