// SPDX-License-Identifier: Apache-2.0
// imds_talk ADDRESS PORT NAME HOW SCRIPT ROUNDS: speaks to the metadata service, a connection for each round.
// SCRIPT is a word of requests: t token call, c token call with a chunked body, 1 GET without a token, 2 GET with the
// last one, f GET with a folded header line, - half a request at the end.
// HOW: `whole`, or `bytes`: each byte in a segment of its own, or `pipeline`: GETs in one go, then their answers.
// NAME is the User-Agent. Prints `answers=N resent=N`.
#include "attack.h"

#include <netinet/tcp.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string>
#include <utility>

namespace {

constexpr auto kUsageText = "imds_talk ADDRESS PORT NAME whole|bytes|pipeline SCRIPT ROUNDS";
constexpr int kAnswerSeconds = 60; ///< packets get lost on purpose, and emulated machines are slow

class Talk {
public:
    Talk(int fd, std::string name, std::string_view how, const attack::Stopwatch& watch)
        : fd_(fd), name_(std::move(name)), is_by_bytes_(how == "bytes"), is_pipelined_(how == "pipeline"), watch_(watch)
    {
    }

    int run(std::string_view script)
    {
        for (const char step : script) {
            take(step);
        }
        settle();
        return answers_;
    }

private:
    void take(char step)
    {
        switch (step) {
        case 't': token_ = exchange(head("PUT", "/latest/api/token", kTtl) + "\r\n"); return;
        case 'c':
            token_ = exchange(head("PUT", "/latest/api/token", kTtl) +
                              "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n4\r\nbody\r\n0\r\n\r\n");
            return;
        case '1': get(""); return;
        case '2': get("X-aws-ec2-metadata-token: " + token_ + "\r\n"); return;
        case 'f': get("X-Folded: a\r\n b\r\n"); return;
        case '-': send_all(head("GET", kItem, "")); return;
        default: attack::usage(kUsageText);
        }
    }

    static constexpr auto kTtl = "X-aws-ec2-metadata-token-ttl-seconds: 600\r\n";
    static constexpr auto kItem = "/latest/meta-data/instance-id";

    [[nodiscard]] std::string head(const std::string& method, const std::string& path, const std::string& headers) const
    {
        return method + " " + path + " HTTP/1.1\r\nHost: imds\r\nUser-Agent: " + name_ + "\r\n" + headers;
    }

    void get(const std::string& headers)
    {
        const std::string request = head("GET", kItem, headers) + "\r\n";
        if (is_pipelined_) {
            queued_ += request;
            ++due_;
        } else {
            (void)exchange(request); // what is answered does not matter
        }
    }

    std::string exchange(const std::string& request)
    {
        settle();
        send_all(request);
        return read_answer();
    }

    /// Sends what is queued and reads its answers.
    void settle()
    {
        send_all(std::exchange(queued_, ""));
        for (; due_ > 0; --due_) {
            (void)read_answer();
        }
    }

    void send_all(std::string_view text)
    {
        while (!text.empty()) {
            const ssize_t sent = send(fd_, text.data(), is_by_bytes_ ? 1 : text.size(), MSG_NOSIGNAL);
            if (sent < 0) {
                attack::refused("send", errno, watch_);
            }
            text.remove_prefix(static_cast<std::size_t>(sent));
        }
    }

    /// The body of the next answer that is not `100 Continue`.
    std::string read_answer()
    {
        std::string head_text;
        do {
            await([&] { return input_.find("\r\n\r\n") != std::string::npos; });
            const std::size_t size = input_.find("\r\n\r\n") + 4;
            head_text = input_.substr(0, size);
            input_.erase(0, size);
        } while (head_text.starts_with("HTTP/1.1 100"));
        const std::size_t length = length_in(head_text);
        await([&] { return input_.size() >= length; });
        std::string body = input_.substr(0, length);
        input_.erase(0, length);
        ++answers_;
        return body;
    }

    static std::size_t length_in(const std::string& head_text)
    {
        static constexpr std::string_view name = "\r\nContent-Length: ";
        const std::size_t at = head_text.find(name);
        std::size_t length = 0;
        if (at != std::string::npos) {
            (void)std::from_chars(head_text.data() + at + name.size(), head_text.data() + head_text.size(), length);
        }
        return length;
    }

    template <typename Done> void await(Done is_done)
    {
        std::array<char, 4096> buffer{};
        while (!is_done()) {
            const ssize_t size = recv(fd_, buffer.data(), buffer.size(), 0);
            if (size <= 0) {
                attack::refused("receive", size < 0 ? errno : ECONNRESET, watch_);
            }
            input_.append(buffer.data(), static_cast<std::size_t>(size));
        }
    }

    int fd_;
    std::string name_;
    bool is_by_bytes_;
    bool is_pipelined_;
    const attack::Stopwatch& watch_;
    std::string token_;
    std::string queued_;
    std::string input_;
    int due_ = 0;
    int answers_ = 0;
};

int connect_to(const attack::Target& target, const attack::Stopwatch& watch)
{
    const int fd = attack::make_socket(target.family(), SOCK_STREAM, 0, watch);
    const timeval limit{kAnswerSeconds, 0};
    const int one = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect", errno, watch);
    }
    return fd;
}

unsigned resent_on(int fd)
{
    tcp_info info{};
    socklen_t size = sizeof(info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 ? info.tcpi_total_retrans : 0;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 7) {
        attack::usage(kUsageText);
    }
    const attack::Target target =
        attack::require_target(argv[1], static_cast<std::uint16_t>(attack::require_number(argv[2])));
    const std::uint64_t rounds = attack::require_number(argv[6]);
    const attack::Stopwatch watch;
    int answers = 0;
    unsigned resent = 0;
    for (std::uint64_t i = 0; i < rounds; ++i) {
        const int fd = connect_to(target, watch);
        answers += Talk(fd, argv[3], argv[4], watch).run(argv[5]);
        resent += resent_on(fd);
        (void)close(fd);
    }
    std::printf("answers=%d resent=%u\n", answers, resent);
    return attack::kReached;
}
