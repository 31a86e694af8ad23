// SPDX-License-Identifier: Apache-2.0
// What goes over the wire and what comes back of it, against servers on loopback that say what a test tells them to.
#include "agent/report/http.h"

#include "agent/base/unique_fd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <thread>

namespace hostward::report {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nok";

/// Answers each request with the next text; an empty one is silence. After the last it closes. One connection after
/// the other, all of them counted.
class Server {
public:
    explicit Server(std::vector<std::string> answers) : answers_(std::move(answers))
    {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* plain = reinterpret_cast<sockaddr*>(&address); // the socket API's idiom
        EXPECT_EQ(::bind(listener_.get(), plain, size), 0);
        EXPECT_EQ(::listen(listener_.get(), 8), 0);
        EXPECT_EQ(::getsockname(listener_.get(), plain, &size), 0);
        port_ = ntohs(address.sin_port);
        thread_ = std::jthread([this] { serve(); });
    }
    ~Server() { (void)::shutdown(listener_.get(), SHUT_RDWR); } // ends accept
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    [[nodiscard]] std::string url(const std::string& path = "/") const
    {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }
    [[nodiscard]] int connections() const { return connections_; }
    /// What came so far; read it after the answer.
    std::string seen;

private:
    void serve()
    {
        while (next_ < answers_.size()) {
            const UniqueFd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!peer) {
                return;
            }
            ++connections_;
            while (next_ < answers_.size() && read_request(peer.get())) {
                const std::string& answer = answers_[next_++];
                if (answer.empty()) {
                    std::this_thread::sleep_for(milliseconds(400));
                    break;
                }
                (void)::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL); // the client may be gone
                if (!answer.starts_with("HTTP/1.1 ") || answer.find("close") != std::string::npos) {
                    break;
                }
            }
        }
    }
    bool read_request(int peer)
    {
        std::string request;
        std::array<char, 65536> bytes{};
        while (true) {
            const auto head = request.find("\r\n\r\n");
            const auto length = request.find("Content-Length: ");
            if (head != std::string::npos) {
                const std::size_t body = length < head ? std::strtoul(request.c_str() + length + 16, nullptr, 10) : 0;
                if (request.size() >= head + 4 + body) {
                    seen += request;
                    return true;
                }
            }
            const auto count = ::recv(peer, bytes.data(), bytes.size(), 0);
            if (count <= 0) {
                return false;
            }
            request.append(bytes.data(), static_cast<std::size_t>(count));
            if (request.starts_with('\x16')) { // a TLS handshake
                return true;
            }
        }
    }

    std::vector<std::string> answers_;
    std::size_t next_ = 0;
    UniqueFd listener_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint16_t port_ = 0;
    std::atomic<int> connections_ = 0;
    std::jthread thread_;
};

HttpOptions plain()
{
    HttpOptions options;
    options.only_https = false;
    options.connect_timeout = milliseconds(1000);
    options.total_timeout = milliseconds(2000);
    return options;
}

std::unique_ptr<Http> open(const HttpOptions& options)
{
    auto http = open_http(options);
    EXPECT_TRUE(http.ok());
    return http.take();
}

HttpRequest get(const std::string& url) { return {.method = "GET", .url = url, .headers = {}, .body = {}}; }

HttpResponse answered(const HttpResult& result)
{
    const auto* response = std::get_if<HttpResponse>(&result);
    EXPECT_NE(response, nullptr) << std::get<HttpFailure>(result).text;
    return response == nullptr ? HttpResponse{} : *response;
}

HttpTrouble trouble(const HttpResult& result)
{
    const auto* failure = std::get_if<HttpFailure>(&result);
    EXPECT_NE(failure, nullptr);
    EXPECT_TRUE(failure == nullptr || !failure->text.empty());
    return failure == nullptr ? HttpTrouble::Local : failure->trouble;
}

TEST(Http, SendsWhatItIsGiven)
{
    Server server({std::string(kOk), std::string(kOk)});
    auto http = open(plain());
    const auto response = answered(http->send({.method = "PUT",
                                               .url = server.url("/a/../b//%3d=?x=%2F&y"),
                                               .headers = {{"A-b", "c  d"}, {"Empty", ""}},
                                               .body = "body"}));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "ok");
    EXPECT_EQ(response.header("x-one"), "1");
    EXPECT_THAT(server.seen, StartsWith("PUT /a/../b//%3d=?x=%2F&y HTTP/1.1\r\n"));
    EXPECT_THAT(server.seen, HasSubstr("User-Agent: hostward/"));
    EXPECT_THAT(server.seen, HasSubstr("A-b: c  d\r\nEmpty:\r\n"));
    EXPECT_THAT(server.seen, HasSubstr("Content-Length: 4\r\n"));
    EXPECT_THAT(server.seen, Not(HasSubstr("Content-Type")));
    EXPECT_TRUE(server.seen.ends_with("\r\n\r\nbody"));
    EXPECT_EQ(answered(http->send(get(server.url()))).status, 200);
    EXPECT_EQ(server.connections(), 1);
}

TEST(Http, LargeBodiesDoNotWaitForA100)
{
    Server server({std::string(kOk)});
    const std::string body(3U << 20U, 'x');
    EXPECT_EQ(
        answered(open(plain())->send({.method = "POST", .url = server.url(), .headers = {}, .body = body})).status,
        200);
    EXPECT_THAT(server.seen.substr(0, 300), Not(HasSubstr("Expect")));
    EXPECT_GT(server.seen.size(), body.size());
}

TEST(Http, RedirectsAreAnswers)
{
    Server server({"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"});
    const auto response = answered(open(plain())->send(get(server.url())));
    EXPECT_EQ(response.status, 302);
    EXPECT_EQ(response.header("Location"), "/other");
}

TEST(Http, HeadersAreThoseOfTheLastHead)
{
    Server server({"HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\nHTTP/1.1 200 OK\r\nX-Long: a\r\n  b\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Trailer: 1\r\n\r\n"});
    const auto response = answered(open(plain())->send(get(server.url())));
    EXPECT_EQ(response.body, "ok");
    EXPECT_EQ(response.header("x-early"), std::nullopt);
    EXPECT_EQ(response.header("x-trailer"), std::nullopt);
    EXPECT_EQ(response.header("X-LONG"), "a b");
}

TEST(Http, TroublesAreToldApart)
{
    auto options = plain();
    options.total_timeout = milliseconds(250);
    Server silent({"", ""});
    EXPECT_EQ(trouble(open(options)->send(get(silent.url()))), HttpTrouble::NoAnswer);
    Server half({"HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\nhalf"});
    EXPECT_EQ(trouble(open(plain())->send(get(half.url()))), HttpTrouble::Broken);
    Server cut({"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Cut: he"});
    EXPECT_EQ(trouble(open(plain())->send(get(cut.url()))), HttpTrouble::Broken);
    Server garbage({"\x15\x03\x01 not HTTP"});
    EXPECT_EQ(trouble(open(plain())->send(get(garbage.url()))), HttpTrouble::Broken);
    EXPECT_EQ(trouble(open(plain())->send(get("http://127.0.0.1:1/"))), HttpTrouble::Connect);
    // A label may have 63 bytes: this is refused here, no name server hears of it.
    EXPECT_EQ(trouble(open(plain())->send(get("http://" + std::string(64, 'a') + "/"))), HttpTrouble::Resolve);
    Server no_tls({"garbage", "garbage"});
    std::string url = no_tls.url();
    EXPECT_EQ(trouble(open(plain())->send(get(url.replace(0, 4, "https")))), HttpTrouble::Tls);
}

TEST(Http, KeptConnectionThatFallsSilentIsNoAnswer)
{
    auto options = plain();
    options.total_timeout = milliseconds(250);
    Server server({std::string(kOk), ""});
    auto http = open(options);
    ASSERT_EQ(answered(http->send(get(server.url()))).status, 200);
    EXPECT_EQ(trouble(http->send(get(server.url()))), HttpTrouble::NoAnswer);
}

TEST(Http, AnswersAreBounded)
{
    auto options = plain();
    options.response_bytes_max = 1000;
    Server said({"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + std::string(2000, 'x')});
    EXPECT_EQ(trouble(open(options)->send(get(said.url()))), HttpTrouble::TooLarge);
    Server unsaid({"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(2000, 'x')});
    EXPECT_EQ(trouble(open(options)->send(get(unsaid.url()))), HttpTrouble::TooLarge);
    Server headers({"HTTP/1.1 200 OK\r\nX: " + std::string(2000, 'x') + "\r\nContent-Length: 0\r\n\r\n"});
    EXPECT_EQ(trouble(open(options)->send(get(headers.url()))), HttpTrouble::TooLarge);
}

TEST(Http, RefusesToSendWhatWouldBecomeAHeader)
{
    Server server({std::string(kOk)});
    auto http = open(plain());
    for (const HttpRequest& request :
         {HttpRequest{"GET", server.url(), {{"A", "b\r\nC: d"}}, ""},
          HttpRequest{"GET", server.url(), {{"A: b\r\nC", "d"}}, ""}, HttpRequest{"GET /x", server.url(), {}, ""},
          HttpRequest{"GET", server.url("/a b"), {}, ""}, HttpRequest{"GET", server.url("/\r\n"), {}, ""},
          HttpRequest{"GET", "file:///etc/passwd", {}, ""},
          HttpRequest{"GET", "http://localhost:pw@127.0.0.1/", {}, ""}, HttpRequest{"GET", "", {}, ""}}) {
        EXPECT_EQ(trouble(http->send(request)), HttpTrouble::Local);
    }
    EXPECT_EQ(server.connections(), 0);
    EXPECT_EQ(trouble(open(HttpOptions{})->send(get(server.url()))), HttpTrouble::Local); // https only
    EXPECT_EQ(server.connections(), 0);
}

TEST(Http, TheEnvironmentsProxiesDoNotCount)
{
    Server server({std::string(kOk)});
    Server proxy({std::string(kOk)});
    for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
        ::setenv(name, proxy.url("").c_str(), 1);
    }
    EXPECT_EQ(answered(open(plain())->send(get(server.url()))).status, 200);
    for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
        ::unsetenv(name);
    }
    EXPECT_EQ(proxy.connections(), 0);
    EXPECT_EQ(server.connections(), 1);
}

TEST(Http, AGivenProxyIsUsedWhateverTheEnvironmentExcepts)
{
    Server proxy({std::string(kOk)});
    auto options = plain();
    options.proxy = proxy.url("");
    ::setenv("no_proxy", "*", 1);
    EXPECT_EQ(answered(open(options)->send(get("http://somewhere.invalid/x"))).status, 200);
    ::unsetenv("no_proxy");
    EXPECT_THAT(proxy.seen, StartsWith("GET http://somewhere.invalid/x HTTP/1.1\r\n"));
}

TEST(Http, FilesForTlsAreLookedAtFirst)
{
    HttpOptions options;
    options.ca_file = "/nonexistent/ca.pem";
    EXPECT_THAT(open_http(options).error().text, HasSubstr("cannot read \"/nonexistent/ca.pem\""));
    options.ca_file = "/proc/self/status";
    EXPECT_THAT(open_http(options).error().text, HasSubstr("holds no PEM certificate"));
    options = HttpOptions();
    options.client_certificate = HOSTWARD_CERTIFICATES "/us-east-1.pem";
    EXPECT_THAT(open_http(options).error().text, HasSubstr("needs both files"));
    options.client_key = HOSTWARD_CERTIFICATES "/us-east-1.pem";
    EXPECT_THAT(open_http(options).error().text, HasSubstr("holds no PEM private key"));
    EXPECT_EQ(open_http(options).error().kind, ErrorKind::Invalid);
}

} // namespace
} // namespace hostward::report
