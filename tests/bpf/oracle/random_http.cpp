// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/oracle/random_http.h"

#include <array>
#include <string_view>

namespace hostward::test {

namespace {

const std::array<std::string, 9> kRequestLines{"GET /latest/meta-data/ HTTP/1.1",
                                               "GET / HTTP/1.0",
                                               "PUT /latest/api/token HTTP/1.1",
                                               "PUT /latest/api/token HTTP/1.1",
                                               "PUT /latest/api/token HTTP/1.0",
                                               "PUT /latest/api/toke HTTP/1.1",
                                               "put /latest/api/token HTTP/1.1",
                                               "GET /a b HTTP/1.1",
                                               "GET /"};
const std::array<std::string, 19> kHeaders{"Host: x",
                                           "Accept: */*",
                                           "X-aws-ec2-metadata-token: abc",
                                           "x-Aws-ec2-metadata-token:\tabc ",
                                           "X-aws-ec2-metadata-token:",
                                           "X-aws-ec2-metadata-token-ttl-seconds: 60",
                                           "Content-Length: 0",
                                           "Content-Length: 5",
                                           "content-length:12 ",
                                           "Content-Length: 1 2",
                                           "Transfer-Encoding: chunked",
                                           "transfer-encoding: CHUNKED\t",
                                           "Transfer-Encoding: chunkedx",
                                           " folded: x",
                                           "name : x",
                                           ": x",
                                           "nothing",
                                           "",
                                           "x: \x7f"};
const std::array<std::string, 9> kBodies{"",
                                         "hello",
                                         "hello world!",
                                         "0\r\n\r\n",
                                         "5\r\nhello\r\n0\r\n\r\n",
                                         "0c;e\r\nhello world!\r\n0\r\nT: x\r\n\r\n",
                                         "5\r\nhello",
                                         "\r\n",
                                         "fffffffff\r\n"};

std::string random_request(Rng& rng)
{
    const auto end = [&]() { return rng.one_in(60) ? "\n" : "\r\n"; };
    const std::size_t plain = rng.below(4) == 0 ? kRequestLines.size() : 4; // most are what clients send
    std::string text = kRequestLines.at(rng.below(plain)) + end();
    for (std::size_t i = rng.below(4); i > 0; --i) {
        const std::size_t limit = rng.one_in(8) ? kHeaders.size() : 9;
        text += kHeaders.at(rng.below(limit)) + end();
    }
    if (rng.one_in(6)) {
        text += kHeaders.at(10 + rng.below(2)) + end();
    }
    text += end();
    return rng.one_in(2) ? text : text + rng.pick(kBodies);
}

} // namespace

std::string random_stream(Rng& rng)
{
    std::string text;
    for (std::size_t i = 1 + rng.below(6); i > 0; --i) {
        text += random_request(rng);
    }
    static constexpr std::string_view kBytes = "\r\n\t :0aX\0\x7f\xff";
    for (std::size_t i = rng.one_in(3) ? 1 + rng.below(3) : 0; i > 0; --i) {
        text[rng.below(text.size())] = rng.pick(kBytes);
    }
    return rng.one_in(8) ? text.substr(0, rng.below(text.size())) : text;
}

} // namespace hostward::test
