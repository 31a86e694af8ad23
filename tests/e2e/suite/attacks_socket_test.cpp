// SPDX-License-Identifier: Apache-2.0
// Rows that a plain socket of an unprivileged user can try.
#include "tests/e2e/support/rows.h"

#include <cstdint>

namespace hostward::e2e {
namespace {

class SocketAttacks : public AttackTest {};

Row row(std::string id, std::vector<Attempt> attempts, Attempt control)
{
    return {std::move(id), kOnlyAllowedUnit, std::move(attempts), std::move(control), {}};
}

TEST_F(SocketAttacks, Tcp) { check_row(row("tcp", {attempt(site().attack({"tcp", kImds4}))}, allowed_unit())); }

TEST_F(SocketAttacks, Udp)
{
    std::vector<Attempt> attempts;
    for (const char* way : {"connected", "sendto", "sendmsg", "sendmmsg"}) {
        for (const char* address : {kImds4, kImds6, "::ffff:169.254.169.254"}) {
            attempts.push_back(attempt(site().attack({"udp", way, address})));
        }
    }
    check_row(row("udp", std::move(attempts), attempt(site().as_allowed({"udp", "sendto", kImds4}))));
}

TEST_F(SocketAttacks, FastopenSendmsg)
{
    check_row(row("fastopen-sendmsg",
                  {attempt(site().attack({"fastopen", "sendmsg", kImds4})),
                   attempt(site().attack({"fastopen", "sendmsg", kImds6}))},
                  attempt(site().as_allowed({"fastopen", "sendmsg", kImds4}))));
}

TEST_F(SocketAttacks, FastopenConnect)
{
    check_row(row("fastopen-connect",
                  {attempt(site().attack({"fastopen", "connect", kImds4})),
                   attempt(site().attack({"fastopen", "connect", kImds6}))},
                  attempt(site().as_allowed({"fastopen", "connect", kImds4}))));
}

TEST_F(SocketAttacks, V4Mapped)
{
    check_row(row("v4-mapped",
                  {attempt(site().attack({"tcp", "::ffff:169.254.169.254"})),
                   attempt(site().attack({"fastopen", "sendmsg", "::ffff:169.254.169.254"}))},
                  attempt(site().as_allowed({"tcp", "::ffff:169.254.169.254"}))));
}

TEST_F(SocketAttacks, Ipv6)
{
    check_row(row("ipv6", {attempt(site().attack({"tcp", kImds6}))}, attempt(site().as_allowed({"tcp", kImds6}))));
}

TEST_F(SocketAttacks, AddressForms)
{
    check_row(row("address-forms", {attempt(site().attack({"address_forms"}))},
                  attempt(site().as_allowed({"address_forms"}))));
}

TEST_F(SocketAttacks, IpOptions)
{
    std::vector<Attempt> attempts;
    for (const char* way : {"tcp", "udp", "first-hop"}) {
        attempts.push_back(attempt(site().attack({"ip_options", way, kNeighbour4, kImds4, kClient4})));
    }
    for (const char* way : {"tcp", "udp", "first-hop", "raw"}) {
        Launch raw = site().attack({"ip_options", way, kNeighbour4, kImds4, kClient4});
        raw.who = nobody_with_raw_sockets();
        attempts.push_back(attempt(std::string(way) + " with CAP_NET_RAW", raw));
    }
    Launch segments = site().attack({"ip_options", "raw", kNeighbour6, kImds6, kClient6});
    segments.who = nobody_with_raw_sockets();
    attempts.push_back(attempt("raw with a segment routing header", segments));
    check_row(row("ip-options", std::move(attempts), allowed_unit()));
}

TEST_F(SocketAttacks, IoUring)
{
    std::vector<Attempt> attempts;
    for (const char* way : {"plain", "async", "sqpoll"}) {
        attempts.push_back(attempt(site().attack({"io_uring", way, kImds4})));
    }
    attempts.push_back(attempt(site().attack({"io_uring", "async", kImds6})));
    check_row(row("io-uring", std::move(attempts), attempt(site().as_allowed({"io_uring", "plain", kImds4}))));
}

TEST_F(SocketAttacks, Mptcp)
{
    check_row(
        row("mptcp",
            {attempt(site().attack({"mptcp", "mptcp", kImds4})), attempt(site().attack({"mptcp", "mptcp", kImds6})),
             attempt(site().attack({"mptcp", "smc", kImds4})), attempt(site().attack({"mptcp", "smc", kImds6}))},
            attempt(site().as_allowed({"mptcp", "mptcp", kImds4}))));
}

TEST_F(SocketAttacks, Dnat)
{
    const Status set = nft(site().network.client(), R"(
table inet hw_dnat {
    chain output {
        type nat hook output priority -100;
        ip daddr 203.0.113.9 dnat ip to 169.254.169.254
        ip6 daddr 2001:db8:9::9 dnat ip6 to fd00:ec2::254
    }
}
)");
    ASSERT_TRUE(set) << set.error().text;
    check_row(row("dnat",
                  {attempt(site().attack({"tcp", "203.0.113.9"})), attempt(site().attack({"tcp", "2001:db8:9::9"})),
                   attempt(site().attack({"udp", "sendto", "203.0.113.9"}))},
                  allowed_unit()));
    const Status removed = nft(site().network.client(), "delete table inet hw_dnat\n");
    EXPECT_TRUE(removed) << removed.error().text;
}

} // namespace
} // namespace hostward::e2e
