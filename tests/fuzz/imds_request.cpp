// SPDX-License-Identifier: Apache-2.0
// The simulator's request parser: the same requests however the bytes are cut, every bound kept, no progress lost;
// and the service answers each of them with a status it knows.
#include "tests/fuzz/check.h"
#include "tests/imds_sim/service.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace hostward::imds_sim;
using Progress = RequestParser::Progress;

struct Parsed {
    std::vector<Request> requests;
    int failed_with = 0; ///< 0: the rest is incomplete
};

void check_bounds(const Request& request)
{
    FUZZ_CHECK(!request.method.empty() && request.method.size() <= kMaxMethodBytes);
    FUZZ_CHECK(request.target.starts_with('/') && request.target.size() <= kMaxTargetBytes);
    FUZZ_CHECK(request.headers.size() <= kMaxHeaders);
    FUZZ_CHECK(request.body.size() <= kMaxBodyBytes);
}

/// Feeds pieces of at most `piece` bytes, as a socket would give them.
Parsed parse(std::string_view bytes, std::size_t piece)
{
    Parsed out;
    RequestParser parser;
    while (!bytes.empty()) {
        std::string_view input = bytes.substr(0, piece);
        const std::size_t given = input.size();
        const Progress progress = parser.consume(input);
        bytes.remove_prefix(given - input.size());
        if (progress == Progress::Failed) {
            out.failed_with = parser.malformed().status;
            return out;
        }
        if (progress == Progress::Ready) {
            check_bounds(parser.request());
            out.requests.push_back(parser.request());
            parser.reset();
        } else {
            FUZZ_CHECK(input.empty());
            (void)parser.take_continue(); // must not disturb what follows
        }
    }
    return out;
}

bool same(const Request& a, const Request& b)
{
    const auto same_header = [](const Header& x, const Header& y) { return x.name == y.name && x.value == y.value; };
    return a.method == b.method && a.target == b.target && a.body == b.body && a.keep_alive == b.keep_alive &&
           std::ranges::equal(a.headers, b.headers, same_header);
}

Service make_service()
{
    auto issuer = TokenIssuer::create();
    auto tree = Tree::builtin("tags");
    FUZZ_CHECK(issuer.ok() && tree.ok());
    return {tree.take(), issuer.take()};
}

void check_answer(const Request& request)
{
    static Service service = make_service(); // once: building the tree would be all the fuzzer does
    for (const bool required : {true, false}) {
        Settings settings;
        settings.tokens_required = required;
        const int status = service.answer(request, settings, Now{}).response.status;
        FUZZ_CHECK(status == 200 || status == 400 || status == 401 || status == 403 || status == 404 || status == 405);
        // No token of this service can be guessed: where one is required only the token call succeeds.
        FUZZ_CHECK(!required || status != 200 || request.method == "PUT");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) {
        return 0;
    }
    const std::size_t piece = 1 + data[0] % 32;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Parsed whole = parse(bytes, bytes.size());
    const Parsed pieces = parse(bytes, piece);
    FUZZ_CHECK(whole.failed_with == pieces.failed_with);
    FUZZ_CHECK(std::ranges::equal(whole.requests, pieces.requests, same));
    std::ranges::for_each(whole.requests, check_answer);
    return 0;
}
