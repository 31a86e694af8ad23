// SPDX-License-Identifier: Apache-2.0
#include "agent/report/ttl_watch.h"

#include <gtest/gtest.h>

namespace hostward::report {
namespace {

/// TCP from port 80 to 0x1234, header of five words.
std::string tcp(const std::string& data)
{
    std::string header(20, '\0');
    header[1] = 80;
    header[2] = 0x12;
    header[3] = 0x34;
    header[12] = 0x50;
    return header + data;
}

std::string ipv4(const std::string& segment, int ttl = 2)
{
    std::string header(20, '\0');
    header[0] = 0x45;
    header[3] = static_cast<char>(20 + segment.size());
    header[8] = static_cast<char>(ttl);
    header[9] = 6;
    header.replace(12, 4, "\xa9\xfe\xa9\xfe");
    return header + segment;
}

std::string ipv6(const std::string& segment)
{
    std::string header(40, '\0');
    header[0] = 0x60;
    header[5] = static_cast<char>(segment.size());
    header[6] = 6;
    header[7] = 3;
    header.replace(8, 16, "0123456789abcdef");
    return header + segment;
}

TEST(TcpPacket, OfBothFamiliesIsRead)
{
    const std::string packet = ipv4(tcp("HTTP")) + "padding of Ethernet";
    const auto v4 = parse_tcp_packet(packet);
    ASSERT_TRUE(v4);
    EXPECT_EQ(v4->ttl, 2);
    EXPECT_EQ(v4->source, "\xa9\xfe\xa9\xfe");
    EXPECT_EQ(v4->source_port, 80);
    EXPECT_EQ(v4->target_port, 0x1234);
    EXPECT_EQ(v4->data, "HTTP");
    const std::string other = ipv6(tcp(""));
    const auto v6 = parse_tcp_packet(other);
    ASSERT_TRUE(v6);
    EXPECT_EQ(v6->ttl, 3);
    EXPECT_EQ(v6->source, "0123456789abcdef");
    EXPECT_EQ(v6->data, "");
    EXPECT_EQ(parse_tcp_packet(ipv4(tcp(""), 255))->ttl, 255);
}

TEST(TcpPacket, CutAnywhereIsNone)
{
    for (const auto& whole : {ipv4(tcp("")), ipv6(tcp(""))}) {
        for (std::size_t size = 0; size < whole.size(); ++size) {
            EXPECT_FALSE(parse_tcp_packet(std::string(whole, 0, size))) << size;
        }
    }
}

TEST(TcpPacket, HostileOnesAreNone)
{
    const auto with = [](std::string packet, std::size_t at, char value) {
        packet[at] = value;
        return parse_tcp_packet(packet).has_value();
    };
    const std::string v4 = ipv4(tcp("data"));
    EXPECT_FALSE(with(v4, 0, 0x44)) << "header too short";
    EXPECT_FALSE(with(v4, 0, 0x4f)) << "header beyond the end";
    EXPECT_FALSE(with(v4, 0, 0x55)) << "another version";
    EXPECT_FALSE(with(v4, 2, 0x7f)) << "longer than it is";
    EXPECT_FALSE(with(v4, 3, 19)) << "shorter than its header";
    EXPECT_FALSE(with(v4, 6, 0x20)) << "more fragments";
    EXPECT_FALSE(with(v4, 7, 1)) << "not the first fragment";
    EXPECT_TRUE(with(v4, 6, 0x40)) << "don't fragment is no fragment";
    EXPECT_FALSE(with(v4, 9, 17)) << "UDP";
    EXPECT_FALSE(with(v4, 32, 0x40)) << "TCP header too short";
    EXPECT_FALSE(with(v4, 32, static_cast<char>(0xf0))) << "TCP header beyond the end";
    const std::string v6 = ipv6(tcp("data"));
    EXPECT_FALSE(with(v6, 4, 0x7f)) << "longer than it is";
    EXPECT_FALSE(with(v6, 6, 0)) << "extension header";
}

} // namespace
} // namespace hostward::report
