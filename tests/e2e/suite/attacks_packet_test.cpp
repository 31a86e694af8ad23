// SPDX-License-Identifier: Apache-2.0
// Rows below the socket layer: raw IP, frames, rings, and packets that this host only passes on.
#include "tests/e2e/support/rows.h"

namespace hostward::e2e {
namespace {

class PacketAttacks : public AttackTest {
protected:
    static Attempt raw(std::vector<std::string> argv)
    {
        Launch launch = site().attack(std::move(argv));
        launch.who = nobody_with_raw_sockets();
        return attempt(std::move(launch));
    }

    static Attempt frame(const char* socket, const char* packet, bool is_v6, bool has_bypass)
    {
        std::vector<std::string> argv{"af_packet", socket, packet, is_v6 ? kImds6 : kImds4, is_v6 ? kClient6 : kClient4,
                                      kInterface,  kFarMac};
        if (has_bypass) {
            argv.emplace_back("bypass");
        }
        return raw(std::move(argv));
    }

    /// From the container's network, by a process that the guarded cgroup does not contain: like a virtual
    /// machine, only its packets are seen.
    static Attempt from_elsewhere(std::vector<std::string> argv)
    {
        Launch launch = site().attack(std::move(argv));
        launch.network = site().network.container();
        launch.cgroup.clear();
        return attempt(std::move(launch));
    }

    /// Root outside the allowed unit makes a router's packet by hand.
    static Attempt through_tun()
    {
        Launch launch = site().attack({"tun", kImds4, "198.18.0.1", "198.18.0.2"});
        launch.who = root();
        return attempt("tun device", launch);
    }

    static Row row(std::string id, std::vector<Attempt> attempts)
    {
        return {std::move(id), kOnlyAllowedUnit, std::move(attempts), allowed_unit(), {}};
    }
};

TEST_F(PacketAttacks, RawIp)
{
    check_row(row("raw-ip", {raw({"raw_ip", "udp", kImds4, kClient4}), raw({"raw_ip", "udp", kImds6, kClient6}),
                             raw({"raw_ip", "syn", kImds4, kClient4}), raw({"raw_ip", "ping", kImds4, kClient4}),
                             raw({"raw_ip", "ping", kImds6, kClient6}),
                             attempt(site().attack({"raw_ip", "ping-socket", kImds4, kClient4})),
                             attempt(site().attack({"raw_ip", "ping-socket", kImds6, kClient6}))}));
}

TEST_F(PacketAttacks, AfPacket)
{
    check_row(row("af-packet", {frame("raw", "udp", false, false), frame("raw", "syn", false, false),
                                frame("dgram", "udp", false, false), frame("dgram", "syn", false, false),
                                frame("raw", "udp", true, false), frame("dgram", "syn", true, false)}));
}

TEST_F(PacketAttacks, PacketQdiscBypass)
{
    check_row(row("packet-qdisc-bypass", {frame("raw", "udp", false, true), frame("raw", "syn", false, true),
                                          frame("dgram", "udp", true, true)}));
}

TEST_F(PacketAttacks, AfXdp)
{
    check_row(row("af-xdp", {raw({"af_xdp", kImds4, kClient4, kInterface, kFarMac}),
                             raw({"af_xdp", kImds6, kClient6, kInterface, kFarMac})}));
}

TEST_F(PacketAttacks, Forwarded)
{
    check_row(row("forwarded", {from_elsewhere({"tcp", kImds4}), from_elsewhere({"tcp", kImds6}),
                                from_elsewhere({"udp", "sendto", kImds4}), through_tun()}));
}

TEST_F(PacketAttacks, ForwardedPassesWhereThePolicySaysSo)
{
    std::string policy = kOnlyAllowedUnit;
    policy.replace(policy.find("mode ="), 0, "forwarded = \"allow\"\n");
    const Status loaded = site().guard.load(policy);
    ASSERT_TRUE(loaded) << loaded.error().text;
    const auto forwarded = from_elsewhere({"tcp", kImds4}).run();
    ASSERT_TRUE(forwarded) << forwarded.error().text;
    EXPECT_EQ(forwarded->exit_code, 0) << forwarded->text();
    // Passing on is not a right of our own processes.
    const auto own = attempt(site().attack({"tcp", kImds4})).run();
    ASSERT_TRUE(own) << own.error().text;
    EXPECT_EQ(own->exit_code, 1) << own->text();
}

} // namespace
} // namespace hostward::e2e
