// SPDX-License-Identifier: Apache-2.0
// Listening sockets against ss, in a network namespace of the test's own.
#include "hardening/models/sockets.h"

#include "agent/base/text.h"
#include "hardening/models/lines.h"
#include "tests/e2e/models/oracle.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>

#include <cstring>
#include <set>

namespace hostward::hardening {
namespace {

using oracle::Random;

/// A socket that waits, or nothing where the kernel did not want it (an address in use).
UniqueFd open_socket(Random& random)
{
    const bool is_six = random.one_in(2);
    const bool is_tcp = random.one_in(2);
    UniqueFd fd(::socket(is_six ? AF_INET6 : AF_INET, (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
    const int yes = random.below(2);
    const auto port = htons(static_cast<std::uint16_t>(1024 + random.below(400)));
    sockaddr_in four{.sin_family = AF_INET, .sin_port = port, .sin_addr = {}, .sin_zero = {}};
    four.sin_addr.s_addr =
        random.one_in(2) ? htonl(INADDR_ANY) : htonl(INADDR_LOOPBACK + static_cast<unsigned>(random.below(3)));
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = port;
    six.sin6_addr = random.one_in(2) ? in6addr_any : in6addr_loopback;
    if (is_six) {
        (void)::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes)); // either is fine
    }
    const auto* address = is_six ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
    const socklen_t size = is_six ? sizeof(six) : sizeof(four);
    if (::bind(fd.get(), address, size) != 0 || (is_tcp && !random.one_in(5) && ::listen(fd.get(), 5) != 0)) {
        fd.reset();
    } else if (!is_tcp && random.one_in(4)) {
        (void)::connect(fd.get(), address, size); // a UDP socket that has its peer waits for nobody else
    }
    return fd;
}

/// `tcp 127.0.0.1:22` for each row of ss.
std::multiset<std::string> ss()
{
    const auto answer = oracle::run({"/usr/bin/ss", "-H", "-l", "-t", "-u", "-n"});
    EXPECT_EQ(answer.exit_code, 0) << answer.err;
    std::multiset<std::string> rows;
    for (const auto line : split(answer.out, '\n')) {
        const auto fields = words(line);
        if (fields.size() < 5) {
            continue;
        }
        std::string local(fields[4]);
        const bool is_six = local.starts_with('[') || local.starts_with('*');
        if (local.starts_with('*')) {
            local = "[::]" + local.substr(1);
        }
        rows.insert(std::string(fields[0]) + (is_six ? "6 " : " ") + local);
    }
    return rows;
}

TEST(SocketsAgainstSs, RandomSockets)
{
    if (::unshare(CLONE_NEWNET) != 0) {
        GTEST_SKIP() << "needs root for a network namespace";
    }
    (void)oracle::run({"/usr/sbin/ip", "link", "set", "lo", "up"});
    Random random;
    const auto host = host::open_host();
    std::size_t seen = 0;
    for (int round = 0; round < oracle::rounds(300); ++round) {
        std::vector<UniqueFd> open;
        for (int i = random.below(12); i > 0; --i) {
            open.push_back(open_socket(random));
        }
        Facts facts(**host, 0);
        const auto& sockets = facts.get<ListeningSockets>();
        ASSERT_TRUE(sockets) << sockets.error().text;
        std::multiset<std::string> told;
        for (const auto& socket : sockets->all) {
            told.insert(socket.text());
            ASSERT_NE(socket.process.find("[" + std::to_string(::getpid()) + "]"), std::string::npos) << socket.process;
        }
        seen += told.size();
        ASSERT_EQ(told, ss()) << random.text();
    }
    EXPECT_GT(seen, 50U);
}

} // namespace
} // namespace hostward::hardening
