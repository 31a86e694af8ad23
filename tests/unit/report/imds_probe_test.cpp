// SPDX-License-Identifier: Apache-2.0
// What answers on loopback, from one thread that serves one connection.
#include "agent/report/imds_probe.h"

#include "agent/base/unique_fd.h"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <thread>

namespace hostward::report {
namespace {

using testing::HasSubstr;

constexpr auto kToken = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 56\r\n\r\n"
                        "0123456789012345678901234567890123456789012345678901==\r\n";

/// Answers the first request of each of `connections` with `answer`, whose packets have the TTL; "": never.
class Server {
public:
    explicit Server(std::string answer, int ttl = 64) : answer_(std::move(answer)), ttl_(ttl)
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t length = sizeof(address);
        auto* place = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener_.get(), place, length), 0);
        EXPECT_EQ(::listen(listener_.get(), 1), 0);
        EXPECT_EQ(::getsockname(listener_.get(), place, &length), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::thread([this] { serve(); });
    }
    ~Server()
    {
        (void)::shutdown(listener_.get(), SHUT_RDWR); // ends accept()
        thread_.join();
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] ImdsOptions options() const { return {false, "http://127.0.0.1:" + std::to_string(port_)}; }
    [[nodiscard]] const std::string& request() const { return request_; }

private:
    void serve()
    {
        const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
        if (!peer) {
            return;
        }
        std::array<char, 4096> buffer{};
        const auto got = ::recv(peer.get(), buffer.data(), buffer.size(), 0);
        request_.assign(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        (void)::setsockopt(peer.get(), IPPROTO_IP, IP_TTL, &ttl_, sizeof(ttl_));
        if (!answer_.empty()) {
            (void)::send(peer.get(), answer_.data(), answer_.size(), MSG_NOSIGNAL);
        }
        (void)::recv(peer.get(), buffer.data(), buffer.size(), 0); // until the client goes
    }

    std::string answer_;
    int ttl_;
    UniqueFd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint16_t port_ = 0;
    std::string request_;
    std::thread thread_;
};

std::string status_text(const std::string& answer)
{
    const Server server(answer);
    const auto status = probe_without_token(server.options());
    return status ? std::to_string(*status) : status.error().text;
}

TEST(ProbeWithoutToken, GivesTheStatus)
{
    EXPECT_EQ(status_text("HTTP/1.1 401 Unauthorized\r\n\r\n"), "401");
    EXPECT_EQ(status_text("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"), "200");
    for (const auto* garbage : {"SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 9 9999", "HTTP/1.1 abc 12", "HTTP/1.1_200 OK",
                                "\0\0\0\0\0\0\0\0\0\0\0\0\0"}) {
        EXPECT_THAT(status_text(std::string(garbage, 13)), HasSubstr("does not speak HTTP")) << garbage;
    }
    EXPECT_THAT(status_text(""), HasSubstr("did not answer"));
}

TEST(ProbeWithoutToken, SendsNoTokenAndNoHeaderOfOne)
{
    std::string request;
    {
        const Server server("HTTP/1.1 401 Unauthorized\r\n\r\n");
        ASSERT_TRUE(probe_without_token(server.options()).ok());
        request = server.request();
    }
    EXPECT_TRUE(request.starts_with("GET /latest/meta-data/ HTTP/1.1\r\nHost: 127.0.0.1"));
    EXPECT_EQ(request.find("token"), std::string::npos);
}

TEST(Probes, RefuseWhatIsNoAddress)
{
    const std::string scheme = "http:/" + std::string("/");
    for (const auto& bad :
         {std::string(), std::string("169.254.169.254"), std::string("https://169.254.169.254"), scheme,
          scheme + "imds", scheme + "1.2.3", scheme + "1.2.3.4:0x50", scheme + "1.2.3.4:99999", scheme + "[::1",
          scheme + "::1", scheme + "[::1]80", scheme + "1.2.3.4:80:80"}) {
        EXPECT_EQ(probe_without_token({false, bad}).error().kind, ErrorKind::Invalid) << bad;
        EXPECT_EQ(probe_hop_limit({false, bad}).error().kind, ErrorKind::Invalid) << bad;
    }
    EXPECT_EQ(probe_without_token({true, "http://127.0.0.1"}).error().kind, ErrorKind::Unsupported);
    EXPECT_EQ(probe_hop_limit({true, "http://127.0.0.1"}).error().kind, ErrorKind::Unsupported);
}

TEST(Probes, NobodyThereIsSystem)
{
    ImdsOptions options;
    {
        const Server server("x");
        options = server.options();
    }
    EXPECT_EQ(probe_without_token(options).error().kind, ErrorKind::System);
}

TEST(ProbeHopLimit, IsTheTtlOfTheAnswer)
{
    for (const auto& [ttl, wanted] : {std::pair{1, 1}, {2, 2}, {33, 33}, {64, 64}, {255, 64}}) {
        const Server server(kToken, ttl);
        const auto found = probe_hop_limit(server.options());
        if (!found && found.error().kind == ErrorKind::Denied) {
            GTEST_SKIP() << "this kernel lets only root filter sockets";
        }
        ASSERT_TRUE(found.ok()) << found.error().text;
        EXPECT_EQ(*found, wanted) << "TTL " << ttl;
    }
}

TEST(ProbeHopLimit, OnlyATokensAnswerCounts)
{
    const Server refused(
        "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 0\r\nX: 0123456789\r\n\r\n", 2);
    EXPECT_FALSE(probe_hop_limit(refused.options()).ok());
    const Server silent("", 2);
    EXPECT_FALSE(probe_hop_limit(silent.options()).ok());
}

} // namespace
} // namespace hostward::report
