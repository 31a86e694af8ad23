// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sockets.h"

#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;

constexpr auto kHead =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

std::string row(const std::string& address, const std::string& state, const std::string& inode = "77")
{
    return "   0: " + address + " 00000000:0000 " + state + " 00000000:00000000 00:00000000 00000000   102        0 " +
           inode + " 1 0000000000000000 100 0 0 10 0\n";
}

TEST(SocketTable, WhatListens)
{
    const auto found = parse_socket_table(
        kHead + row("0100007F:0019", "0A") + row("00000000:0016", "0A") + row("0100007F:8000", "01"), "tcp");
    ASSERT_TRUE(found) << found.error().text;
    ASSERT_EQ(found->size(), 2U);
    EXPECT_EQ((*found)[0].text(), "tcp 127.0.0.1:25");
    EXPECT_TRUE((*found)[0].is_loopback());
    EXPECT_EQ((*found)[0].uid, 102U);
    EXPECT_EQ((*found)[1].text(), "tcp 0.0.0.0:22");
    EXPECT_FALSE((*found)[1].is_loopback());
}

TEST(SocketTable, SixAndMapped)
{
    const auto found = parse_socket_table(kHead + row("00000000000000000000000001000000:0277", "07") +
                                              row("0000000000000000FFFF00000100007F:0035", "07") +
                                              row("00000000000000000000000000000000:0044", "07"),
                                          "udp6");
    ASSERT_TRUE(found) << found.error().text;
    EXPECT_EQ((*found)[0].text(), "udp6 [::1]:631");
    EXPECT_TRUE((*found)[0].is_loopback());
    EXPECT_TRUE((*found)[1].is_loopback());
    EXPECT_FALSE((*found)[2].is_loopback());
}

TEST(SocketTable, AnotherFormIsAnError)
{
    EXPECT_TRUE(parse_socket_table("", "tcp")->empty());
    EXPECT_TRUE(parse_socket_table(kHead, "tcp")->empty());
    for (const auto& line : {std::string("x\n"), row("0100007F", "0A"), row("0100007:0019", "0A"),
                             row("0100007F:10000", "0A"), row("0100007F:0019", "0A", "x")}) {
        EXPECT_FALSE(parse_socket_table(kHead + line, "tcp")) << line;
    }
}

TEST(ListeningSockets, WithTheirProcess)
{
    MemoryHost host;
    host.file("/proc/self/net/tcp", kHead + row("00000000:0016", "0A", "77") + row("00000000:0019", "0A", "78"));
    host.file("/proc/self/net/udp", kHead);
    host.file("/proc/12/comm", "sshd\n").link("/proc/12/fd/3", "socket:[77]").link("/proc/12/fd/4", "pipe:[78]");
    Facts facts(host, 0);
    const auto& sockets = facts.get<ListeningSockets>();
    ASSERT_TRUE(sockets) << sockets.error().text;
    ASSERT_EQ(sockets->all.size(), 2U);
    EXPECT_EQ(sockets->all[0].process, "sshd[12]");
    EXPECT_EQ(sockets->all[1].process, "");
}

TEST(ListeningSockets, NoTableIsNotNoSocket)
{
    const MemoryHost host;
    Facts facts(host, 0);
    EXPECT_FALSE(facts.get<ListeningSockets>());
    MemoryHost image;
    image.image().file("/proc/self/net/tcp", kHead);
    Facts offline(image, 0);
    EXPECT_EQ(offline.get<ListeningSockets>().error().kind, ErrorKind::Unsupported);
}

} // namespace
} // namespace hostward::hardening
