// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/report/verify_world.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace hostward::report {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const Instance kInstance;
const std::string kNonce = "01JD4Z0000000000000000000A";

struct Told {
    Verdict verdict;
    std::string code;
    std::string text;
};

Told told(const Verification& verification)
{
    return {verification.verdict, verification.refusal ? std::string(verification.refusal->code) : "",
            verification.refusal ? verification.refusal->text : ""};
}

/// The code of what is refused after `change` to a good envelope's parts, without a new signature.
template <typename Change> std::string code_after(Change change, const Expectations& expected = expectations())
{
    auto envelope = parse_envelope(kInstance.envelope(kInstance.report(), kNonce));
    EXPECT_TRUE(envelope);
    change(*envelope);
    FakeSts sts({kInstance, other_instance()});
    const auto out = told(verify(*envelope, expected, &sts));
    EXPECT_NE(out.verdict, Verdict::Proven);
    return out.code;
}

std::string& header(Envelope& envelope, const std::string& name)
{
    for (auto& one : envelope.proof.sts->headers) {
        std::string lower = one.name;
        std::ranges::transform(lower, lower.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
        if (lower == name) {
            return one.value;
        }
    }
    ADD_FAILURE() << "no header " << name;
    return envelope.proof.sts->headers.at(0).value;
}

TEST(Verify, AcceptsWhatTheInstanceSigned)
{
    FakeSts sts({kInstance, other_instance()});
    const auto out = verify_bytes(kInstance.envelope(kInstance.report(), kNonce), expectations(), &sts);
    EXPECT_EQ(out.verdict, Verdict::Proven) << out.refusal->text;
    EXPECT_EQ(out.proof, ProofKind::Sts);
    EXPECT_EQ(out.subject.identity.account_id, kInstance.account_id);
    EXPECT_EQ(out.subject.identity.instance_id, kInstance.instance_id);
    EXPECT_EQ(out.signed_s, kNow);
    EXPECT_EQ(out.nonce, kNonce);
    EXPECT_EQ(sts.requests, 1);
    EXPECT_THAT(out.open, testing::ElementsAre(HasSubstr("region, image, type and zone")));
}

TEST(Verify, RefusesWhatIsNotThisReportForUs)
{
    EXPECT_EQ(code_after([](Envelope& e) { e.report[20] ^= 1; }), "report-hash");
    EXPECT_EQ(code_after([](Envelope& e) {
                  e.report = kInstance.report("changed");
                  e.proof.report_sha256 = sha256_hex(e.report);
              }),
              "sts-binding");
    EXPECT_EQ(code_after([](Envelope& e) {
                  e.report = kInstance.report("changed");
                  e.proof.report_sha256 = header(e, kReportHeader) = sha256_hex(e.report);
              }),
              "sts-refused");
    EXPECT_EQ(code_after([](Envelope& e) { e.proof.audience = "https://other.example"; }), "audience");
    EXPECT_EQ(code_after([](Envelope& e) { header(e, kAudienceHeader) = "https://other.example"; }), "sts-binding");
    EXPECT_EQ(code_after([](Envelope& e) { e.proof.nonce = header(e, kNonceHeader) = "new"; }), "sts-refused");
    auto expected = expectations();
    expected.nonce = "handed-out";
    EXPECT_EQ(code_after([](Envelope&) {}, expected), "nonce");
    expected = expectations();
    expected.account_id = "999999999999";
    EXPECT_EQ(code_after([](Envelope&) {}, expected), "account");
}

TEST(Verify, RefusesAnotherInstancesProof)
{
    const Instance other = other_instance();
    const std::string stolen = kInstance.report();
    FakeSts sts({kInstance, other});
    const auto out = told(verify_bytes(other.envelope(stolen, kNonce), expectations(), &sts));
    EXPECT_EQ(out.code, "identity-mismatch");
    EXPECT_THAT(out.text, HasSubstr("STS says that i-0fedcba9876543210 of account 210987654321 signed"));
    EXPECT_EQ(told(verify_bytes(kInstance.envelope(R"({"identity":{"unknown":"no metadata service"}})", kNonce),
                                expectations(), &sts))
                  .code,
              "report-identity");
}

TEST(Verify, AsksOnlyHostsOfTheList)
{
    for (const auto& [url, code] : std::vector<std::pair<std::string, std::string>>{
             {"http://sts.eu-central-1.amazonaws.com/", "sts-url"},
             {"https://sts.eu-central-1.amazonaws.com", "sts-url"},
             {"https://sts.eu-central-1.amazonaws.com/x", "sts-url"},
             {"https://sts.eu-central-1.amazonaws.com/?Action=GetSessionToken", "sts-url"},
             {"https://sts.eu-central-1.amazonaws.com//", "sts-url"},
             {"https://sts.eu-central-1.amazonaws.com:443/", "sts-host"},
             {"https://localhost@sts.eu-central-1.amazonaws.com/", "sts-host"},
             {"https://sts.eu-central-1.amazonaws.com@evil.example/", "sts-host"},
             {"https://sts.amazonaws.com/", "sts-host"},
             {"https://evil.example/", "sts-host"},
             {"https://evil.example#sts.eu-central-1.amazonaws.com/", "sts-host"},
             {"https://sts.eu-central-1.amazonaws.com.evil.example/", "sts-host"},
             {"https://sts.eu-west-1.amazonaws.com/", "sts-scope"}}) {
        auto envelope = parse_envelope(kInstance.envelope(kInstance.report(), kNonce));
        envelope->proof.sts->url = url;
        FakeSts sts({kInstance});
        EXPECT_EQ(told(verify(*envelope, expectations(), &sts)).code, code) << url;
        EXPECT_EQ(sts.requests, 0) << url;
    }
}

TEST(Verify, TakesNoHeaderThatTheQuestionDoesNotNeed)
{
    const auto with = [](const HttpHeader& added) {
        return code_after([&](Envelope& e) { e.proof.sts->headers.push_back(added); });
    };
    EXPECT_EQ(with({"x-amz-target", "x"}), "sts-headers");
    EXPECT_EQ(with({"accept", "text/xml"}), "sts-headers");
    EXPECT_EQ(with({"content-length", "0"}), "sts-headers");
    EXPECT_EQ(with({"transfer-encoding", "chunked"}), "sts-headers");
    EXPECT_EQ(with({"X-Hostward-Nonce", kNonce}), "sts-headers");
    EXPECT_EQ(code_after([](Envelope& e) { header(e, "content-type") = "application/json"; }), "sts-headers");
    EXPECT_EQ(code_after([](Envelope& e) { e.proof.sts->headers.clear(); }), "sts-headers");
    EXPECT_EQ(code_after([](Envelope& e) {
                  std::erase_if(e.proof.sts->headers, [](const HttpHeader& h) { return h.name == kNonceHeader; });
              }),
              "sts-headers");
}

TEST(Verify, EverythingSentIsSigned)
{
    const auto replaced = [](const std::string& what, const std::string& with) {
        return code_after([&](Envelope& e) {
            auto& text = header(e, "authorization");
            const auto at = text.find(what);
            ASSERT_NE(at, std::string::npos) << what << " in " << text;
            text.replace(at, what.size(), with);
        });
    };
    EXPECT_EQ(replaced(";x-hostward-nonce", ""), "sts-signed-headers");
    EXPECT_EQ(replaced(";host;", ";"), "sts-signed-headers");
    EXPECT_EQ(replaced("x-amz-security-token;", ""), "sts-signed-headers");
    EXPECT_EQ(replaced("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), "sts-authorization");
    EXPECT_EQ(replaced("/sts/", "/s3/"), "sts-authorization");
    EXPECT_EQ(replaced("ASIAEXAMPLE000000001", "short"), "sts-authorization");
    EXPECT_EQ(replaced("Signature=", "Signature=0"), "sts-authorization");
    EXPECT_EQ(replaced("/eu-central-1/", "/us-east-1/"), "sts-scope");
    EXPECT_EQ(replaced("ASIAEXAMPLE000000001", "ASIAEXAMPLE000000002"), "sts-refused");
    EXPECT_EQ(replaced("/20261121/", "/20261122/"), "sts-date");
    EXPECT_EQ(code_after([](Envelope& e) {
                  std::erase_if(e.proof.sts->headers, [](const HttpHeader& h) { return h.value == "token-EXAMPLE-1"; });
              }),
              "sts-signed-headers");
}

TEST(Verify, ProofsAgeInMinutes)
{
    const auto at = [](std::int64_t signed_s) {
        FakeSts sts({kInstance});
        auto expected = expectations();
        expected.now_s = kNow;
        const auto out = told(verify_bytes(kInstance.envelope(kInstance.report(), kNonce, signed_s), expected, &sts));
        EXPECT_EQ(sts.requests, out.code.empty() ? 1 : 0);
        return out.code;
    };
    EXPECT_EQ(at(kNow), "");
    EXPECT_EQ(at(kNow - 300), "");
    EXPECT_EQ(at(kNow - 301), "sts-too-old");
    EXPECT_EQ(at(kNow + 60), "");
    EXPECT_EQ(at(kNow + 61), "sts-future");
    EXPECT_EQ(at(kNow - 86400), "sts-too-old");
}

TEST(Verify, ReadsTheAnswerOfStsStrictly)
{
    const auto answered = [](HttpResult answer) {
        FakeSts sts({kInstance});
        sts.planted = std::move(answer);
        return told(verify_bytes(kInstance.envelope(kInstance.report(), kNonce), expectations(), &sts));
    };
    EXPECT_EQ(answered(HttpResponse{301, {{"Location", "https://evil.example/"}}, ""}).code, "sts-redirect");
    EXPECT_EQ(answered(HttpResponse{307, {}, ""}).code, "sts-redirect");
    EXPECT_EQ(answered(HttpResponse{403, {}, ""}).code, "sts-refused");
    EXPECT_EQ(answered(HttpResponse{503, {}, ""}).verdict, Verdict::NotProven);
    EXPECT_EQ(answered(HttpResponse{429, {}, ""}).code, "sts-unavailable");
    EXPECT_EQ(answered(HttpResponse{200, {}, "<xml/>"}).code, "sts-answer");
    EXPECT_EQ(answered(HttpResponse{200, {}, "{}"}).code, "sts-answer");
    EXPECT_EQ(answered(HttpResponse{200, {}, R"({"GetCallerIdentityResponse":[]})"}).code, "sts-answer");
    EXPECT_EQ(answered(HttpFailure{HttpTrouble::TooLarge, "too large"}).code, "sts-answer");
    const auto gone = answered(HttpFailure{HttpTrouble::Connect, "refused"});
    EXPECT_EQ(gone.code, "sts-unreachable");
    EXPECT_EQ(gone.verdict, Verdict::NotProven);
}

TEST(Verify, OnlyTheInstanceIdentityRoleCounts)
{
    const std::string account = "arn:aws:sts::123456789012:";
    for (const auto& arn : {account + "assumed-role/admin/i-0123456789abcdef0",
                            account + "assumed-role/aws:ec2-instance/i-0123456789abcdef0/x",
                            account + "assumed-role/aws:ec2-instance/i-0123456789ABCDEF0",
                            account + "assumed-role/aws:ec2-instance/", std::string("arn:aws:iam::123456789012:root"),
                            std::string("arn:aws:sts::210987654321:assumed-role/aws:ec2-instance/i-0123456789abcdef0"),
                            account + "assumed-role/x/aws:ec2-instance/i-0123456789abcdef0"}) {
        FakeSts sts({kInstance});
        sts.arn = arn;
        EXPECT_EQ(told(verify_bytes(kInstance.envelope(kInstance.report(), kNonce), expectations(), &sts)).code, "arn")
            << arn;
    }
    FakeSts sts({kInstance});
    sts.arn = "arn:aws-cn:sts::123456789012:assumed-role/aws:ec2-instance/i-0123456789abcdef0";
    EXPECT_EQ(told(verify_bytes(kInstance.envelope(kInstance.report(), kNonce), expectations(), &sts)).code,
              "identity-mismatch");
}

TEST(Verify, WithoutAProofNothingIsProven)
{
    const auto no_sts = [](Envelope& e) { e.proof.sts.reset(); };
    EXPECT_EQ(code_after(no_sts), "no-proof");
    auto offline = expectations();
    offline.ask = Ask::Offline;
    EXPECT_EQ(code_after([](Envelope&) {}, offline), "no-proof");
    FakeSts sts({kInstance});
    auto envelope = parse_envelope(kInstance.envelope(kInstance.report(), kNonce));
    const auto out = verify(*envelope, expectations(), nullptr);
    EXPECT_EQ(out.verdict, Verdict::NotProven);
    EXPECT_EQ(out.refusal->code, "sts-not-asked");
}

TEST(Verify, TheOperatorsEndpointReplacesTheList)
{
    ProofParts parts{kAudience, kNonce, sha256_hex(kInstance.report()), {}, {}, {}, {}};
    auto signed_request =
        signed_caller_identity(parts, kInstance.keys, kInstance.region, "http://127.0.0.1:8080", kNow);
    ASSERT_TRUE(signed_request);
    parts.sts = signed_request.take();
    const std::string bytes = write_envelope(kInstance.report(), parts);
    FakeSts sts({kInstance});
    EXPECT_EQ(told(verify_bytes(bytes, expectations(), &sts)).code, "sts-url");
    auto expected = expectations();
    expected.trusted_sts = "http://127.0.0.1:8080";
    EXPECT_EQ(verify_bytes(bytes, expected, &sts).verdict, Verdict::Proven);
    EXPECT_EQ(told(verify_bytes(kInstance.envelope(kInstance.report(), kNonce), expected, &sts)).code, "sts-host");
}

std::string vector_file(const std::string& name)
{
    std::ifstream in(std::string(HOSTWARD_VECTORS) + "/iid/B-us-west-2-2018" + name, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

TEST(Verify, TheIdentityDocumentIsContext)
{
    if (!std::filesystem::exists(HOSTWARD_VECTORS "/iid")) {
        GTEST_SKIP() << "no vectors at " HOSTWARD_VECTORS;
    }
    const IdentityProof proof{vector_file(".json"), vector_file(".rsa2048.b64")};
    const auto genuine = parse_identity(proof.document);
    ASSERT_TRUE(genuine);
    const std::string report = R"({"identity":{"account_id":")" + genuine->account_id +
                               R"(","region":"us-west-2","partition":"aws",)" + R"("instance_id":")" +
                               genuine->instance_id + R"(","image_id":")" + genuine->image_id +
                               R"(","instance_type":")" + genuine->instance_type + R"(","availability_zone":")" +
                               genuine->availability_zone + "\"}}";
    Envelope envelope{report, {kAudience, kNonce, sha256_hex(report), {}, {}, proof, {}}};
    EXPECT_EQ(told(verify(envelope, expectations(), nullptr)).code, "no-proof");
    auto offline = expectations();
    offline.ask = Ask::Offline;
    const auto out = verify(envelope, offline, nullptr);
    EXPECT_EQ(out.verdict, Verdict::Proven) << out.refusal->text;
    EXPECT_EQ(out.proof, ProofKind::Document);
    EXPECT_THAT(out.open, testing::Contains(HasSubstr("that this instance made the report")));
    envelope.proof.identity->document += " ";
    EXPECT_EQ(told(verify(envelope, offline, nullptr)).code, "document");
    envelope.proof.identity = proof;
    offline.region = "us-east-1";
    EXPECT_EQ(told(verify(envelope, offline, nullptr)).code, "region");
    offline.region.clear();
    const auto at = envelope.report.find(genuine->image_id);
    envelope.report[at + 4] = envelope.report[at + 4] == '0' ? '1' : '0';
    envelope.proof.report_sha256 = sha256_hex(envelope.report);
    EXPECT_EQ(told(verify(envelope, offline, nullptr)).code, "document-mismatch");
}

} // namespace
} // namespace hostward::report
