// SPDX-License-Identifier: Apache-2.0
// Envelopes: what is taken has one form only, and none is proven while STS says no.
#include "agent/report/verify.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace {

using namespace hostward::report;

/// When the seeds were signed.
constexpr std::int64_t kSeedsSignedS = 1'795'284'866;

class Refusing final : public Http {
public:
    HttpResult send(const HttpRequest& request) override
    {
        FUZZ_CHECK(request.method == "POST" && request.body == kCallerIdentityBody);
        FUZZ_CHECK(request.url.starts_with("https:"
                                           "//sts.") ||
                   request.url.starts_with("https:"
                                           "//sts-fips."));
        return HttpResponse{403, {}, R"({"Error":{"Code":"SignatureDoesNotMatch"}})"};
    }
};

bool is_printable(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
}

void judge(const Envelope& envelope, Ask ask)
{
    Refusing sts;
    Expectations expected;
    expected.ask = ask;
    expected.now_s = kSeedsSignedS + 1;
    const auto verification = verify(envelope, expected, &sts);
    FUZZ_CHECK(verification.verdict != Verdict::Proven || verification.proof == ProofKind::Document);
    FUZZ_CHECK(!verification.refusal || is_printable(verification.refusal->text));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto envelope = parse_envelope(input);
    if (!envelope) {
        FUZZ_CHECK(is_printable(envelope.error().text));
        return 0;
    }
    FUZZ_CHECK(write_envelope(envelope->report, envelope->proof) == input);
    judge(*envelope, Ask::Best);
    judge(*envelope, Ask::Sts);
    judge(*envelope, Ask::Offline);
    return 0;
}
