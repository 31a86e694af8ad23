// SPDX-License-Identifier: Apache-2.0
#include "agent/report/jwt.h"
#include "agent/report/base64.h"
#include "tests/unit/report/verify_world.h"

#include <gmock/gmock.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <memory>

namespace hostward::report {
namespace {

const std::string kHash(64, 'a');

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

std::string base64url(std::string_view bytes)
{
    std::string out = base64(bytes);
    out.erase(std::min(out.find('='), out.size()));
    std::ranges::replace(out, '+', '-');
    std::ranges::replace(out, '/', '_');
    return out;
}

std::string number_text(EVP_PKEY* key, const char* name, std::size_t size)
{
    BIGNUM* number = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key, name, &number), 1);
    const std::size_t bytes = size > 0 ? size : static_cast<std::size_t>(BN_num_bytes(number));
    std::string out(bytes, '\0');
    EXPECT_GE(BN_bn2binpad(number, reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(bytes)), 0);
    BN_free(number);
    return base64url(out);
}

/// The issuer: two keys, and what it publishes of them.
class Issuer {
public:
    Issuer() : rsa_(EVP_RSA_gen(2048)), ec_(EVP_EC_gen("P-384")) {}

    [[nodiscard]] std::string jwks() const
    {
        return R"({"keys":[{"kty":"RSA","use":"sig","kid":"r","alg":"RS256","n":")" +
               number_text(rsa_.get(), OSSL_PKEY_PARAM_RSA_N, 0) + R"(","e":")" +
               number_text(rsa_.get(), OSSL_PKEY_PARAM_RSA_E, 0) +
               R"("},{"kty":"EC","crv":"P-384","use":"sig","kid":"e","alg":"ES384","x":")" +
               number_text(ec_.get(), OSSL_PKEY_PARAM_EC_PUB_X, 48) + R"(","y":")" +
               number_text(ec_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, 48) + "\"}]}";
    }
    [[nodiscard]] std::string token(const std::string& head, const std::string& claims) const
    {
        const std::string text = base64url(head) + "." + base64url(claims);
        return text + "." +
               base64url(head.find("ES384") != head.npos ? ec_signature(text) : sign(rsa_.get(), EVP_sha256(), text));
    }

private:
    static std::string sign(EVP_PKEY* key, const EVP_MD* digest, const std::string& text)
    {
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        std::string out(1024, '\0');
        std::size_t size = out.size();
        EXPECT_EQ(EVP_DigestSignInit(context, nullptr, digest, nullptr, key), 1);
        EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char*>(out.data()), &size,
                                 reinterpret_cast<const unsigned char*>(text.data()), text.size()),
                  1);
        EVP_MD_CTX_free(context);
        return out.substr(0, size);
    }
    [[nodiscard]] std::string ec_signature(const std::string& text) const
    {
        constexpr int kHalf = 48;
        const std::string der = sign(ec_.get(), EVP_sha384(), text);
        const auto* at = reinterpret_cast<const unsigned char*>(der.data());
        ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
        std::string out(2 * kHalf, '\0');
        auto* bytes = reinterpret_cast<unsigned char*>(out.data());
        EXPECT_EQ(BN_bn2binpad(ECDSA_SIG_get0_r(signature), bytes, kHalf), kHalf);
        EXPECT_EQ(BN_bn2binpad(ECDSA_SIG_get0_s(signature), bytes + kHalf, kHalf), kHalf);
        ECDSA_SIG_free(signature);
        return out;
    }

    Key rsa_;
    Key ec_;
};

const Issuer& issuer()
{
    static const Issuer one;
    return one;
}

const std::string kRsaHead = R"({"alg":"RS256","kid":"r","typ":"JWT"})";
const std::string kEcHead = R"({"alg":"ES384","kid":"e","typ":"JWT"})";

std::string claims(const std::string& hash = kHash)
{
    return R"({"iss":"https://issuer.example","aud":"https://collector.example","sub":"arn:aws:iam::123456789012:role/fleet",)"
           R"("iat":)" +
           std::to_string(kNow) + R"(,"exp":)" + std::to_string(kNow + 300) +
           R"(,"https://sts.amazonaws.com/":{"aws_account":"123456789012","source_region":"eu-central-1",)"
           R"("ec2_source_instance_arn":"arn:aws:ec2:eu-central-1:123456789012:instance/i-0123456789abcdef0",)"
           R"("request_tags":{"report-sha256":")" +
           hash + R"(","nonce":"N1"}}})";
}

std::string replaced(std::string text, const std::string& what, const std::string& with)
{
    const auto at = text.find(what);
    EXPECT_NE(at, text.npos) << what;
    return text.replace(at, what.size(), with);
}

TokenRules rules() { return {issuer().jwks(), "https://issuer.example", kAudience, "N1", kHash, kNow, 300}; }

std::string code(const std::string& token, const TokenRules& given = rules())
{
    const auto out = verify_token(token, given);
    const auto* refusal = std::get_if<Refusal>(&out);
    return refusal == nullptr ? "" : std::string(refusal->code);
}

TEST(Jwt, BothAlgorithmsAreAccepted)
{
    for (const auto& head : {kRsaHead, kEcHead}) {
        const auto out = verify_token(issuer().token(head, claims()), rules());
        ASSERT_TRUE(std::holds_alternative<TokenFacts>(out)) << head << std::get<Refusal>(out).text;
        EXPECT_EQ(std::get<TokenFacts>(out).instance_id, "i-0123456789abcdef0");
        EXPECT_EQ(std::get<TokenFacts>(out).account_id, "123456789012");
        EXPECT_EQ(std::get<TokenFacts>(out).issued_s, kNow);
    }
}

TEST(Jwt, OtherSignaturesAreNot)
{
    const std::string good = issuer().token(kRsaHead, claims());
    const std::string unsigned_part = good.substr(0, good.rfind('.'));
    EXPECT_EQ(code(issuer().token(R"({"alg":"none"})", claims())), "token-form");
    EXPECT_EQ(code(issuer().token(R"({"alg":"HS256","kid":"r"})", claims())), "token-form");
    EXPECT_EQ(code(issuer().token(R"({"alg":"RS256","kid":"r","crit":["x"]})", claims())), "token-form");
    EXPECT_EQ(code(issuer().token(R"({"alg":"RS256","kid":"x"})", claims())), "token-key");
    EXPECT_EQ(code(issuer().token(R"({"alg":"RS256"})", claims())), "token-key");
    EXPECT_EQ(code(issuer().token(R"({"alg":"ES384","kid":"r"})", claims())), "token-key");
    EXPECT_EQ(code(issuer().token(R"({"alg":"RS256","kid":"e"})", claims())), "token-key");
    EXPECT_EQ(code(unsigned_part + "."), "token-signature");
    EXPECT_EQ(code(unsigned_part), "token-form");
    EXPECT_EQ(code(good + "="), "token-form");
    EXPECT_EQ(code(Issuer().token(kRsaHead, claims())), "token-signature");
    EXPECT_EQ(code(Issuer().token(kEcHead, claims())), "token-signature");
    EXPECT_EQ(code(issuer().token(R"({"alg":"RS256","alg":"RS256","kid":"r"})", claims())), "token-form");
}

TEST(Jwt, BytesAllOverAreSigned)
{
    for (const auto& head : {kRsaHead, kEcHead}) {
        const std::string good = issuer().token(head, claims());
        for (std::size_t at = 0; at < good.size(); at += 7) {
            std::string bad = good;
            bad[at] = bad[at] == 'A' ? 'B' : 'A';
            EXPECT_NE(code(bad), "") << at;
        }
    }
}

TEST(Jwt, ClaimsAreThoseExpected)
{
    const auto with = [](const std::string& what, const std::string& other) {
        return code(issuer().token(kEcHead, replaced(claims(), what, other)));
    };
    EXPECT_EQ(with("https://issuer.example", "https://evil.example"), "token-claims");
    EXPECT_EQ(with(R"("aud":"https://collector.example")", R"("aud":"https://other.example")"), "token-claims");
    EXPECT_EQ(with(R"("aud":"https://collector.example")", R"("aud":["https://collector.example"])"), "");
    EXPECT_EQ(with(R"("aud":"https://collector.example")", R"("aud":["https://collector.example","x"])"),
              "token-claims");
    EXPECT_EQ(with(kHash, std::string(64, 'b')), "token-claims");
    EXPECT_EQ(with(R"("nonce":"N1")", R"("nonce":"N2")"), "token-claims");
    EXPECT_EQ(with(R"("aws_account":"123456789012")", R"("aws_account":123456789012)"), "token-claims");
    EXPECT_EQ(with(R"("request_tags":)", R"("other_tags":)"), "token-claims");
    EXPECT_EQ(with(R"("exp":)", R"("expires":)"), "token-claims");
}

TEST(Jwt, TimesHold)
{
    const std::string token = issuer().token(kEcHead, claims());
    const auto at = [&](std::int64_t now_s) {
        auto changed = rules();
        changed.now_s = now_s;
        return code(token, changed);
    };
    EXPECT_EQ(at(kNow - 60), "");
    EXPECT_EQ(at(kNow - 61), "token-time");
    EXPECT_EQ(at(kNow + 299), "");
    EXPECT_EQ(at(kNow + 300), "token-time");
    auto strict = rules();
    strict.max_age_s = 10;
    strict.now_s = kNow + 11;
    EXPECT_EQ(code(token, strict), "token-time");
}

TEST(Jwt, KeySetsThatAreNoneProveNothing)
{
    const std::string token = issuer().token(kRsaHead, claims());
    const std::string one = R"({"kty":"RSA","kid":"r","n":"AQAB","e":"AQAB"})";
    for (const auto& jwks : {std::string(), std::string("{}"), std::string(R"({"keys":{}})"),
                             R"({"keys":[)" + one + "]}", replaced(issuer().jwks(), "]}", "," + one + "]}"),
                             replaced(issuer().jwks(), R"("use":"sig")", R"("use":"enc")")}) {
        auto changed = rules();
        changed.jwks = jwks;
        EXPECT_EQ(code(token, changed), "token-key") << jwks;
    }
}

TEST(Jwt, CarriesAnEnvelope)
{
    const Instance instance;
    const std::string report = instance.report();
    ProofParts parts{kAudience, "N1", sha256_hex(report), {}, {}, {}, {}};
    parts.web_identity_token = issuer().token(kEcHead, claims(parts.report_sha256));
    auto expected = expectations();
    expected.jwks = issuer().jwks();
    expected.ask = Ask::Offline;
    const auto out = verify_bytes(write_envelope(report, parts), expected, nullptr);
    EXPECT_EQ(out.verdict, Verdict::Proven) << out.refusal->text;
    EXPECT_EQ(out.proof, ProofKind::WebIdentity);
    const auto changed = [&](const std::string& what, const std::string& with) {
        parts.web_identity_token = issuer().token(kEcHead, replaced(claims(parts.report_sha256), what, with));
        return std::string(verify_bytes(write_envelope(report, parts), expected, nullptr).refusal->code);
    };
    EXPECT_EQ(changed("instance/i-0123456789abcdef0", "instance/i-0fedcba9876543210"), "identity-mismatch");
    EXPECT_EQ(changed("ec2_source_instance_arn", "something_else"), "identity-mismatch");
    EXPECT_EQ(changed(R"("aws_account":"123456789012")", R"("aws_account":"210987654321")"), "identity-mismatch");
}

} // namespace
} // namespace hostward::report
