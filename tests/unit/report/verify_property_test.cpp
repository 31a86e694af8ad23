// SPDX-License-Identifier: Apache-2.0
// Whatever is done to envelopes: what is accepted is, byte for byte, a report that its instance made for us, now, and
// each only once.
#include "tests/unit/report/verify_world.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace hostward::report {
namespace {

constexpr int kMutations = 24000;

class Mutations {
public:
    explicit Mutations(unsigned seed) : random_(seed)
    {
        for (const auto& instance : {Instance(), other_instance()}) {
            for (int n = 0; n < 3; ++n) {
                const std::string report = instance.report("posture " + std::to_string(n));
                const std::string nonce = "N" + std::to_string(n) + instance.instance_id;
                good_.push_back(instance.envelope(report, nonce));
                pool_.push_back(good_.back());
                pool_.push_back(instance.envelope(report, nonce, kNow - 1000));
                pool_.push_back(instance.envelope(report, nonce, kNow, "https://other.example"));
            }
        }
        for (const auto& bytes : pool_) {
            parsed_.push_back(parse_envelope(bytes).take());
        }
    }

    [[nodiscard]] const std::vector<std::string>& good() const { return good_; }

    std::string next()
    {
        switch (below(8)) {
        case 0: return bytes_changed(any(pool_));
        case 1: return pieces_mixed();
        case 2: return splice();
        case 3: return url_changed();
        case 4: return rewritten_report();
        case 5: return header_changed();
        case 6: return any(pool_); // old ones, other audiences, and good ones again: replays
        default: return stolen_signature();
        }
    }

private:
    std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
    const std::string& any(const std::vector<std::string>& from) { return from[below(from.size())]; }
    Envelope envelope() { return parsed_[below(parsed_.size())]; }
    static std::string write(const Envelope& one) { return write_envelope(one.report, one.proof); }

    std::string bytes_changed(std::string text)
    {
        for (std::size_t n = below(3) + 1; n > 0; --n) {
            const auto at = below(text.size());
            switch (below(4)) {
            case 0: text[at] = static_cast<char>(text[at] ^ (1 << below(8))); break;
            case 1: text.erase(at, below(3) + 1); break;
            case 2: text.insert(at, 1, static_cast<char>(below(256))); break;
            default: std::swap(text[at], text[below(text.size())]); break;
            }
        }
        return text;
    }
    /// Parts of one proof in the other's place.
    std::string pieces_mixed()
    {
        Envelope one = envelope();
        const Envelope other = envelope();
        if (below(2) != 0) {
            one.report = other.report;
        }
        if (below(2) != 0) {
            one.proof.report_sha256 = other.proof.report_sha256;
        }
        if (below(2) != 0) {
            one.proof.nonce = other.proof.nonce;
        }
        if (below(2) != 0) {
            one.proof.audience = kAudience;
        }
        if (below(2) != 0) {
            one.proof.sts = other.proof.sts;
        }
        return write(one);
    }
    std::string splice()
    {
        const std::string& one = any(pool_);
        const std::string& other = any(pool_);
        const auto at = below(std::min(one.size(), other.size()));
        return one.substr(0, at) + other.substr(at);
    }
    std::string url_changed()
    {
        static const std::vector<std::string> urls{"https://evil.example/",
                                                   "https://sts.amazonaws.com/",
                                                   "https://sts.us-east-1.amazonaws.com/",
                                                   "https://sts.eu-central-1.amazonaws.com.evil.example/",
                                                   "http://sts.eu-central-1.amazonaws.com/",
                                                   "https://sts.eu-central-1.amazonaws.com/?Action=AssumeRole"};
        Envelope one = envelope();
        one.proof.sts->url = any(urls);
        return write(one);
    }
    /// The attacker's own report, with all that needs no signature made to fit.
    std::string rewritten_report()
    {
        Envelope one = envelope();
        one.report = bytes_changed(one.report);
        one.proof.report_sha256 = sha256_hex(one.report);
        if (below(2) != 0) {
            set(one, kReportHeader, one.proof.report_sha256);
        }
        return write(one);
    }
    std::string header_changed()
    {
        Envelope one = envelope();
        auto& headers = one.proof.sts->headers;
        auto& header = headers[below(headers.size())];
        switch (below(4)) {
        case 0: header.value = bytes_changed(header.value); break;
        case 1: header.name = bytes_changed(header.name); break;
        case 2: headers.erase(headers.begin() + static_cast<std::ptrdiff_t>(below(headers.size()))); break;
        default: headers.push_back(header); break;
        }
        return write(one);
    }
    /// A new nonce and time over an old signature.
    std::string stolen_signature()
    {
        Envelope one = envelope();
        one.proof.nonce = "fresh" + std::to_string(below(1000));
        set(one, kNonceHeader, one.proof.nonce);
        if (below(2) != 0) {
            set(one, "X-Amz-Date", amz_date(kNow + static_cast<std::int64_t>(below(30))));
        }
        return write(one);
    }
    static void set(Envelope& one, const std::string& name, const std::string& value)
    {
        for (auto& header : one.proof.sts->headers) {
            if (header.name == name) {
                header.value = value;
            }
        }
    }

    std::mt19937 random_;
    std::vector<std::string> good_;
    std::vector<std::string> pool_;
    std::vector<Envelope> parsed_; ///< the same
};

/// What may be accepted: report, nonce.
std::set<std::pair<std::string, std::string>> made(const Mutations& mutations)
{
    std::set<std::pair<std::string, std::string>> out;
    for (const auto& bytes : mutations.good()) {
        const auto one = parse_envelope(bytes);
        out.emplace(one->report, one->proof.nonce);
    }
    return out;
}

TEST(VerifyProperty, NothingForgedIsAccepted)
{
    const char* given = std::getenv("HOSTWARD_SEED");
    const unsigned seed = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : 20261121U;
    Mutations mutations(seed);
    const auto allowed = made(mutations);
    FakeSts sts({Instance(), other_instance()});
    std::map<std::string, int> refusals;
    std::set<std::string> taken; // as NonceFile
    int accepted = 0;
    for (int n = 0; n < kMutations; ++n) {
        const std::string bytes = mutations.next();
        const auto out = verify_bytes(bytes, expectations(), &sts);
        if (out.verdict != Verdict::Proven) {
            ASSERT_TRUE(out.refusal) << bytes;
            ++refusals[std::string(out.refusal->code)];
            continue;
        }
        ++accepted;
        const auto one = parse_envelope(bytes);
        ASSERT_TRUE(allowed.contains({one->report, one->proof.nonce})) << "seed " << seed << ": " << bytes;
        ASSERT_EQ(one->proof.audience, kAudience);
        if (!taken.insert(out.subject.identity.instance_id + " " + out.nonce).second) {
            ++refusals["nonce-replayed"];
        }
    }
    EXPECT_EQ(taken.size(), allowed.size());
    EXPECT_GT(accepted, 0);
    for (const auto* code : {"envelope", "report-hash", "audience", "sts-binding", "sts-url", "sts-host", "sts-headers",
                             "sts-signed-headers", "sts-authorization", "sts-scope", "sts-date", "sts-too-old",
                             "sts-refused", "report-identity", "nonce-replayed"}) {
        EXPECT_GT(refusals[code], 0) << code << " never met: the mutations are too tame";
    }
}

} // namespace
} // namespace hostward::report
