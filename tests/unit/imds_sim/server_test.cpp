// SPDX-License-Identifier: Apache-2.0
// The whole simulator over loopback: framing, faults of the transport, the hop limit, the log.
#include "tests/imds_sim/server.h"

#include "agent/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

namespace hostward::imds_sim {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::StartsWith;

constexpr milliseconds kPatience{5000};

/// A blocking client socket. recv gives up after a while, so a missing answer fails and does not hang.
class Client {
public:
    Client(int family, std::uint16_t port, int min_ttl = 0)
        : family_(family), fd_(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0))
    {
        wait_at_most(kPatience);
        demand_ttl(min_ttl);
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        v6.sin6_addr = in6addr_loopback;
        const auto* address = family == AF_INET ? reinterpret_cast<const sockaddr*>(&v4) // the socket API's idiom
                                                : reinterpret_cast<const sockaddr*>(&v6);
        EXPECT_EQ(::connect(fd_.get(), address, family == AF_INET ? sizeof v4 : sizeof v6), 0);
    }
    /// The kernel drops what arrives with a smaller TTL: what a router at that distance would have done.
    void demand_ttl(int min_ttl)
    {
        const bool v6 = family_ == AF_INET6;
        const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
        EXPECT_EQ(::setsockopt(fd_.get(), level, v6 ? kIpv6MinHopCount : IP_MINTTL, &min_ttl, sizeof min_ttl), 0);
    }
    void wait_at_most(milliseconds time)
    {
        const timeval value{time.count() / 1000, time.count() % 1000 * 1000};
        EXPECT_EQ(::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value), 0);
    }
    void send(std::string_view bytes)
    {
        EXPECT_EQ(::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
    }
    /// One answer: head and body by its Content-Length. What was received so far when more does not come.
    std::string answer(bool with_body = true)
    {
        while (true) {
            const auto head = buffer_.find("\r\n\r\n");
            if (head != std::string::npos) {
                const auto size = with_body ? body_size(std::string_view(buffer_).substr(0, head)) : 0;
                if (buffer_.size() >= head + 4 + size) {
                    std::string out = buffer_.substr(0, head + 4 + size);
                    buffer_.erase(0, out.size());
                    return out;
                }
            }
            if (!receive()) {
                return buffer_;
            }
        }
    }
    std::string ask(std::string_view request) { return send(request), answer(); }
    /// Everything until the server closes.
    std::string rest()
    {
        while (receive()) {
        }
        return buffer_;
    }
    /// errno of the receive that failed; 0: the end of the connection
    [[nodiscard]] int last_errno() const { return last_errno_; }

private:
    static constexpr int kIpv6MinHopCount = 73; // linux/in6.h, which cannot stand beside netinet/in.h

    static std::size_t body_size(std::string_view head)
    {
        constexpr std::string_view kName = "Content-Length: ";
        const auto at = head.find(kName);
        if (at == std::string_view::npos) {
            return 0; // 100 Continue
        }
        const auto number = head.substr(at + kName.size());
        return parse_number<std::size_t>(number.substr(0, number.find('\r'))).value_or(0);
    }

    bool receive()
    {
        std::array<char, 4096> bytes{};
        const auto count = ::recv(fd_.get(), bytes.data(), bytes.size(), 0);
        last_errno_ = count < 0 ? errno : 0;
        if (count > 0) {
            buffer_.append(bytes.data(), static_cast<std::size_t>(count));
        }
        return count > 0;
    }

    int family_;
    UniqueFd fd_;
    std::string buffer_;
    int last_errno_ = 0;
};

class ServerTest : public testing::Test {
protected:
    void start()
    {
        open();
        serve();
    }
    /// Listens; connections wait until serve().
    void open()
    {
        std::filesystem::remove(log_);
        std::filesystem::remove(control_);
        Responder responder(Service(Tree::builtin("plain").take(), TokenIssuer::create().take()),
                            SettingsSource({}, control_), RequestLog::open(log_).take());
        auto server = Server::open({"127.0.0.1", "::1"}, 0, std::move(responder));
        ASSERT_TRUE(server.ok()) << server.error().text;
        server_ = server.take();
    }
    void serve()
    {
        stop_.reset(::eventfd(0, EFD_CLOEXEC));
        thread_ = std::jthread([this] { EXPECT_TRUE(server_->run(stop_.get()).ok()); });
    }
    void TearDown() override
    {
        if (thread_.joinable()) {
            EXPECT_EQ(::eventfd_write(stop_.get(), 1), 0);
            thread_.join();
        }
        std::filesystem::remove(log_);
        std::filesystem::remove(control_);
    }
    Client connect(int family = AF_INET, int min_ttl = 0)
    {
        return {family, server_->ports()[family == AF_INET ? 0 : 1], min_ttl};
    }
    void control(const std::string& lines) { std::ofstream(control_) << lines; }
    std::vector<nlohmann::json> log()
    {
        std::vector<nlohmann::json> lines;
        std::ifstream file(log_);
        for (std::string line; std::getline(file, line);) {
            lines.push_back(nlohmann::json::parse(line));
        }
        return lines;
    }
    std::string token()
    {
        const auto answer = connect().ask(kPut);
        return answer.substr(answer.find("\r\n\r\n") + 4);
    }
    static std::string get(const std::string& path, const std::string& token)
    {
        return "GET " + path + " HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token: " + token + "\r\n\r\n";
    }
    static constexpr const char* kPut =
        "PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n";
    static constexpr const char* kItem = "/latest/meta-data/instance-id";

private:
    // The process id keeps two runs of this test apart.
    std::string base_ = testing::TempDir() + "imds_sim_test." + std::to_string(::getpid());
    std::string log_ = base_ + ".log";
    std::string control_ = base_ + ".control";
    UniqueFd stop_;
    std::unique_ptr<Server> server_;
    std::jthread thread_;
};

TEST_F(ServerTest, ServesVersionTwoOverBothFamilies)
{
    start();
    for (const int family : {AF_INET, AF_INET6}) {
        Client client = connect(family);
        const auto put = client.ask(kPut);
        EXPECT_THAT(put, StartsWith("HTTP/1.1 200 OK\r\n"));
        EXPECT_THAT(put, HasSubstr("\r\nContent-Type: text/plain\r\n"));
        EXPECT_THAT(put, HasSubstr("\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"));
        const auto item = client.ask(get(kItem, put.substr(put.find("\r\n\r\n") + 4)));
        EXPECT_THAT(item, StartsWith("HTTP/1.1 200 OK\r\n"));
        EXPECT_THAT(item, testing::EndsWith("\r\n\r\ni-0123456789abcdef0"));
        EXPECT_THAT(client.ask(get(kItem, "wrong")), StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
    }
}

TEST_F(ServerTest, AnswersPipelinedAndSplitRequestsInOrder)
{
    start();
    const auto text = token();
    Client client = connect();
    const auto both = get(kItem, text) + get("/latest/nothing", text);
    for (const char byte : both) {
        client.send({&byte, 1});
    }
    client.send(both);
    for (int i = 0; i < 2; ++i) {
        EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));
        EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 404 "));
    }
}

TEST_F(ServerTest, ContinuesAChunkedTokenCall)
{
    start();
    Client client = connect();
    client.send("PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"
                "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n");
    EXPECT_EQ(client.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
    EXPECT_THAT(client.ask("0\r\n\r\n"), StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_TRUE(log().back().at("chunked").get<bool>());
}

TEST_F(ServerTest, AnswersHeadWithoutABody)
{
    start();
    const auto text = token();
    Client client = connect();
    client.send("HEAD /latest/meta-data/instance-id HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token: " + text +
                "\r\n\r\n");
    EXPECT_THAT(client.answer(false), HasSubstr("\r\nContent-Length: 19\r\n"));
    EXPECT_THAT(client.ask(get(kItem, text)), StartsWith("HTTP/1.1 200 OK")) << "a body was sent after HEAD";
}

TEST_F(ServerTest, RefusesMalformedBytesAndCloses)
{
    start();
    Client client = connect();
    client.send("NONSENSE\r\n" + std::string(100000, 'x'));
    EXPECT_THAT(client.rest(), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
    EXPECT_EQ(client.last_errno(), 0) << "the answer must arrive before the end, not be lost to a reset";
    EXPECT_EQ(log().back().at("error"), "request line is not METHOD TARGET VERSION");
}

TEST_F(ServerTest, ClosesWhenTheClientAsks)
{
    start();
    Client client = connect();
    client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    EXPECT_THAT(client.rest(), HasSubstr("\r\nConnection: close\r\n"));
    EXPECT_EQ(client.last_errno(), 0);
}

/// The client drops packets that have travelled "too far": with hop limit 1 the answer to PUT, and nothing else.
TEST_F(ServerTest, HopLimitIsOnTheTokenAnswerOnly)
{
    start();
    const auto text = token();
    for (const int family : {AF_INET, AF_INET6}) {
        Client far = connect(family, 2);
        EXPECT_THAT(far.ask(get(kItem, text)), StartsWith("HTTP/1.1 200 ")) << "GET has the default TTL";
        far.wait_at_most(milliseconds(400));
        EXPECT_EQ(far.ask(kPut), "");
        EXPECT_EQ(far.last_errno(), EAGAIN) << "connect works and the read times out: the signature of the hop limit";

        Client near = connect(family, 1);
        EXPECT_THAT(near.ask(kPut), StartsWith("HTTP/1.1 200 "));
        near.demand_ttl(2);
        EXPECT_THAT(near.ask(get(kItem, text)), StartsWith("HTTP/1.1 200 ")) << "the default TTL came back";
    }
    control("hop-limit=2\n");
    EXPECT_THAT(connect(AF_INET, 2).ask(kPut), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(connect(AF_INET6, 2).ask(kPut), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, TakesTheDefaultHopLimitBackAfterAPipelinedTokenCall)
{
    start();
    const auto text = token();
    Client near = connect(AF_INET, 1);
    near.send(std::string(kPut) + get(kItem, text) + kPut + get(kItem, text));
    for (int i = 0; i < 4; ++i) {
        EXPECT_THAT(near.answer(), StartsWith("HTTP/1.1 200 ")) << i;
    }
    Client far = connect(AF_INET, 2);
    far.wait_at_most(milliseconds(400));
    far.send(std::string(kPut) + get(kItem, text));
    EXPECT_EQ(far.answer(), "") << "the answer to GET must not overtake the lost one, nor lend it its TTL";
}

TEST_F(ServerTest, SlowFaultDelaysTheAnswer)
{
    start();
    control("slow=300\n");
    Client client = connect();
    const auto before = std::chrono::steady_clock::now();
    EXPECT_THAT(client.ask(kPut), StartsWith("HTTP/1.1 200 "));
    EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(300));
    EXPECT_EQ(log().back().at("fault"), "slow");
}

TEST_F(ServerTest, StatusFaultComesAndGoesWithTheControlFile)
{
    start();
    Client client = connect();
    control("status=503\n");
    EXPECT_THAT(client.ask(kPut), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
    EXPECT_EQ(log().back().at("fault"), "status");
    control("nonsense\n");
    EXPECT_THAT(client.ask(kPut), StartsWith("HTTP/1.1 503 ")) << "a broken control file changes nothing";
    control("");
    EXPECT_THAT(client.ask(kPut), StartsWith("HTTP/1.1 200 "));
}

TEST_F(ServerTest, ThrottleFaultAnswers503)
{
    start();
    control("throttle=1\n");
    Client client = connect();
    client.send(std::string(kPut) + kPut);
    EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200 "));
    EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 503 "));
    EXPECT_EQ(log().back().at("fault"), "throttle");
}

TEST_F(ServerTest, GarbageFaultIsNoHttp)
{
    start();
    control("garbage\n");
    Client client = connect();
    client.send(kPut);
    const auto bytes = client.rest();
    EXPECT_GT(bytes.size(), 10U);
    EXPECT_EQ(bytes.find("HTTP/1."), std::string::npos);
    EXPECT_EQ(client.last_errno(), 0);
    EXPECT_EQ(log().back().at("fault"), "garbage");
    EXPECT_EQ(log().back().at("status"), 0);
}

TEST_F(ServerTest, ResetFaultResets)
{
    start();
    control("reset\n");
    Client client = connect();
    client.send(kPut);
    EXPECT_EQ(client.rest(), "");
    EXPECT_EQ(client.last_errno(), ECONNRESET);
    EXPECT_EQ(log().back().at("fault"), "reset");
}

TEST_F(ServerTest, HangFaultNeverAnswersAndHoldsNobodyElse)
{
    start();
    const auto text = token();
    control("hang\non=token\n");
    Client client = connect();
    client.wait_at_most(milliseconds(300));
    EXPECT_EQ(client.ask(kPut), "");
    EXPECT_EQ(client.last_errno(), EAGAIN);
    EXPECT_THAT(connect().ask(get(kItem, text)), StartsWith("HTTP/1.1 200 "));
    EXPECT_EQ(log().at(1).at("fault"), "hang");
}

TEST_F(ServerTest, LogsWhoAskedWhat)
{
    start();
    const auto text = token();
    (void)connect(AF_INET6).ask("GET /latest/?q HTTP/1.1\r\nHost: x\r\nUser-Agent: te\"st\xff\r\n"
                                "X-Forwarded-For: a\r\nX-aws-ec2-metadata-token: " +
                                text + "\r\n\r\n"); // the log is what is looked at
    const auto lines = log();
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines[0].at("method"), "PUT");
    EXPECT_EQ(lines[0].at("token"), "call");
    EXPECT_EQ(lines[0].at("ttl"), 60);
    EXPECT_EQ(lines[0].at("peer"), "127.0.0.1");
    EXPECT_EQ(lines[1].at("path"), "/latest/");
    EXPECT_EQ(lines[1].at("status"), 200);
    EXPECT_EQ(lines[1].at("token"), "v2");
    EXPECT_EQ(lines[1].at("local"), "::1");
    EXPECT_EQ(lines[1].at("user_agent"), "te\"st\xef\xbf\xbd");
    EXPECT_TRUE(lines[1].at("forwarded").get<bool>());
}

TEST_F(ServerTest, MakesConnectionsBeyondTheBoundWait)
{
    rlimit limit{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
    const rlim_t needed = 2 * kMaxConnections + 100; // both ends are in this process
    if (limit.rlim_max < needed) {
        GTEST_SKIP() << "SKIP: the limit of open files is " << limit.rlim_max << ", this test needs " << needed;
    }
    limit.rlim_cur = std::max(limit.rlim_cur, needed);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    open();
    std::vector<Client> clients;
    for (std::size_t i = 0; i <= kMaxConnections; ++i) { // all at once: the listener's queue is full of them
        clients.push_back(connect());
    }
    serve();
    Client waiting = std::move(clients.back());
    clients.pop_back();
    EXPECT_THAT(clients.back().ask(kPut), StartsWith("HTTP/1.1 200 "));
    waiting.wait_at_most(milliseconds(300));
    EXPECT_EQ(waiting.ask(kPut), "");
    waiting.wait_at_most(kPatience);
    clients.pop_back();
    EXPECT_THAT(waiting.answer(), StartsWith("HTTP/1.1 200 "));
}

TEST(Server, RefusesAddressesItCannotListenOn)
{
    const auto refusal = [](const std::string& address) {
        Responder responder(Service(Tree::builtin("plain").take(), TokenIssuer::create().take()),
                            SettingsSource({}, ""), RequestLog::open("").take());
        const auto server = Server::open({address}, 0, std::move(responder));
        return server.ok() ? "accepted" : server.error().text;
    };
    EXPECT_THAT(refusal("localhost"), HasSubstr("not a numeric address"));
    EXPECT_THAT(refusal("192.0.2.1"), HasSubstr("listen on 192.0.2.1"));
    EXPECT_FALSE(RequestLog::open("/nonexistent/log").ok());
}

} // namespace
} // namespace hostward::imds_sim
