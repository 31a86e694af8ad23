// SPDX-License-Identifier: Apache-2.0
// Which identity documents are believed: the genuine one, and nothing that differs from it in any way.
#include "agent/report/identity.h"

#include "tests/unit/report/self_made_cms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace hostward::report {
namespace {

using testing::HasSubstr;

constexpr auto kRegion = "us-west-2";

std::string read(const std::string& name)
{
    std::ifstream file(std::string(HOSTWARD_VECTORS "/iid/") + name, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

class Identity : public testing::Test {
protected:
    void SetUp() override
    {
        if (!std::filesystem::exists(HOSTWARD_VECTORS "/iid")) {
            GTEST_SKIP() << "no vectors at " HOSTWARD_VECTORS;
        }
        genuine_ = {read("B-us-west-2-2018.json"), read("B-us-west-2-2018.rsa2048.b64")};
    }

    /// Why it is refused; a failure if it is not.
    static std::string refusal(const IdentityProof& proof, std::string_view region = kRegion)
    {
        const auto result = verify_identity(proof, region);
        EXPECT_FALSE(result.ok());
        return result.ok() ? "accepted" : result.error().text;
    }

    IdentityProof genuine_;
};

TEST_F(Identity, GenuineDocumentVerifies)
{
    const auto result = verify_identity(genuine_, kRegion);
    ASSERT_TRUE(result.ok()) << result.error().text;
    EXPECT_EQ(result->region, kRegion);
    EXPECT_EQ(result->instance_type, "t2.nano");
    EXPECT_EQ(result->account_id.size(), 12U);
    EXPECT_EQ(result->pending_time, "2018-05-09T12:30:58Z");
}

TEST_F(Identity, LinesOfTheSignatureDoNotMatter)
{
    auto proof = genuine_;
    std::erase(proof.rsa2048, '\n');
    EXPECT_TRUE(verify_identity(proof, kRegion).ok());
    std::string spread;
    for (const char c : proof.rsa2048) {
        spread.append({c, ' ', '\r', '\n', '\t'});
    }
    proof.rsa2048 = spread;
    EXPECT_TRUE(verify_identity(proof, kRegion).ok());
}

TEST_F(Identity, OneByteOfTheDocument)
{
    for (std::size_t at = 0; at < genuine_.document.size(); ++at) {
        auto proof = genuine_;
        auto& byte = proof.document[at];
        if (byte == ' ' || byte == '\n') {
            continue; // another test
        }
        byte = static_cast<char>(byte ^ 1);
        EXPECT_THAT(refusal(proof), HasSubstr("byte " + std::to_string(at) + " is not the one that was signed"));
    }
}

TEST_F(Identity, OtherRegion)
{
    EXPECT_THAT(refusal(genuine_, "eu-west-1"),
                HasSubstr("is genuine, but of the region \"us-west-2\", not of \"eu-west-1\""));
    const auto unknown = verify_identity(genuine_, "xx-nowhere-1");
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(unknown.error().kind, ErrorKind::NotFound);
    EXPECT_THAT(unknown.error().text, HasSubstr("no certificate of the region"));
}

TEST_F(Identity, OtherCertificate)
{
    const IdentityProof proof{genuine_.document, self_made_cms(genuine_.document, {.serial = 7, .names_of = {}})};
    EXPECT_THAT(refusal(proof), HasSubstr("names another certificate than the one AWS publishes"));
}

TEST_F(Identity, SelfMadeCertificateOfTheSameNameAndNumber)
{
    const std::string pinned = HOSTWARD_VECTORS "/certs-rsa2048/us-west-2.pem";
    for (const bool carries_certificate : {true, false}) {
        const IdentityProof proof{
            genuine_.document,
            self_made_cms(genuine_.document,
                          {.serial = 1, .names_of = pinned, .carries_certificate = carries_certificate})};
        EXPECT_THAT(refusal(proof), HasSubstr("does not fit its content"));
    }
}

TEST_F(Identity, DetachedContent)
{
    const IdentityProof proof{genuine_.document, detached_cms(genuine_.rsa2048)};
    EXPECT_THAT(refusal(proof), HasSubstr("carries no document (it is detached)"));
}

TEST_F(Identity, WhiteSpaceInTheDocument)
{
    for (const auto& [from, to] :
         {std::pair{"\" : \"", "\":\""}, std::pair{"\n", "\r\n"}, std::pair{"}", "}\n"}, std::pair{"{", " {"}}) {
        auto proof = genuine_;
        proof.document.replace(proof.document.find(from), std::string_view(from).size(), to);
        EXPECT_THAT(refusal(proof), HasSubstr("in white space"));
    }
}

TEST_F(Identity, TruncatedBase64)
{
    auto dense = genuine_.rsa2048;
    std::erase(dense, '\n');
    EXPECT_THAT(refusal({genuine_.document, dense.substr(0, dense.size() - 5)}), HasSubstr("base64 is cut off"));
    // On a boundary of four it is good base64 of half a message.
    EXPECT_THAT(refusal({genuine_.document, dense.substr(0, 800)}), HasSubstr("no CMS message, or is cut off"));
    EXPECT_THAT(refusal({genuine_.document, dense.substr(0, 400) + "!" + dense.substr(401)}), HasSubstr("no base64"));
    EXPECT_THAT(refusal({genuine_.document, dense.substr(0, 400) + "====" + dense.substr(404)}),
                HasSubstr("no base64"));
    EXPECT_THAT(refusal({genuine_.document, with_bytes_behind(dense)}), HasSubstr("bytes stand behind"));
}

TEST_F(Identity, ReserialisedJson)
{
    // Two members change places: the same object, and white space is not what differs.
    auto proof = genuine_;
    const std::string first = "\"imageId\" : \"ami-6b8cef13\"";
    const std::string second = "\"instanceType\" : \"t2.nano\"";
    const auto first_at = proof.document.find(first);
    ASSERT_NE(first_at, std::string::npos);
    proof.document.replace(proof.document.find(second), second.size(), first);
    proof.document.replace(first_at, first.size(), second);
    EXPECT_THAT(refusal(proof), HasSubstr("the signed one written anew"));
}

TEST_F(Identity, OtherDocumentsSignature)
{
    auto proof = genuine_;
    const auto at = proof.document.find("i-0a30e04d85e6f8793");
    proof.document.replace(at, 19, "i-0123456789abcdef0");
    EXPECT_THAT(refusal(proof), HasSubstr("that of another document: instanceId differs"));
    proof = genuine_;
    proof.document.replace(proof.document.find("2018-05-09"), 10, "2026-11-21");
    EXPECT_THAT(refusal(proof), HasSubstr("that of another document: pendingTime differs"));
}

TEST_F(Identity, EmptyAndOversized)
{
    EXPECT_THAT(refusal({"", genuine_.rsa2048}), HasSubstr("identity document is empty"));
    EXPECT_THAT(refusal({genuine_.document, ""}), HasSubstr("signature of the identity document is empty"));
    EXPECT_THAT(refusal({genuine_.document, " \n"}), HasSubstr("cut off"));
    EXPECT_THAT(refusal({std::string(kIdentityDocumentBytesMax + 1, ' '), genuine_.rsa2048}),
                HasSubstr("larger than 16384 bytes"));
    EXPECT_THAT(refusal({genuine_.document, std::string(kIdentitySignatureBytesMax + 1, 'A')}),
                HasSubstr("larger than 32768 bytes"));
}

TEST_F(Identity, OtherKindsOfSignatures)
{
    // The DSA signature of the same document, which the service serves as `pkcs7`.
    EXPECT_THAT(refusal({genuine_.document, read("B-us-west-2-2018.pkcs7.b64")}), HasSubstr("another certificate"));
    EXPECT_THAT(refusal({genuine_.document, "AAAA"}), HasSubstr("no CMS message"));
    EXPECT_THAT(refusal({genuine_.document, data_cms(genuine_.document)}), HasSubstr("another kind than signed data"));
}

TEST_F(Identity, SignatureOfAnotherRegionsNameIsRefused)
{
    // Signed content and shown document agree, and still name another region than the certificate's.
    auto proof = genuine_;
    proof.document.replace(proof.document.find("\"us-west-2\""), 11, "\"us-east-1\"");
    EXPECT_THAT(refusal(proof), HasSubstr("was changed: byte"));
}

/// 3,000 random changes of document and signature, none of them believed. Changes of the signature that leave what it
/// says (white space, padding of the container) are no change.
TEST_F(Identity, PropertyNoMutationIsBelieved)
{
    std::mt19937 random(20261121);
    auto dense = genuine_.rsa2048;
    std::erase(dense, '\n');
    std::size_t believed = 0;
    for (int round = 0; round < 3000; ++round) {
        IdentityProof proof{genuine_.document, dense};
        auto& text = round % 2 == 0 ? proof.document : proof.rsa2048;
        const auto before = text;
        const auto changes = 1 + random() % 4;
        for (std::size_t i = 0; i < changes; ++i) {
            const auto at = random() % text.size();
            switch (random() % 4) {
            case 0: text[at] = static_cast<char>(random() % 256); break;
            case 1: text.erase(at, 1 + random() % 3); break;
            case 2: text.insert(at, 1, static_cast<char>(random() % 256)); break;
            default: std::swap(text[at], text[random() % text.size()]); break;
            }
        }
        const auto result = verify_identity(proof, kRegion);
        // What is believed may only be the genuine document, and the message must still verify.
        believed += result.ok() ? 1U : 0U;
        if (text != before && &text == &proof.document) {
            EXPECT_FALSE(result.ok()) << proof.document;
        }
        if (result.ok()) {
            EXPECT_EQ(proof.document, genuine_.document);
        }
    }
    // Bytes that no signature covers: the container's lengths have several spellings, white space has many.
    EXPECT_LT(believed, 60U);
    RecordProperty("believed", static_cast<int>(believed));
}

TEST(ParseIdentity, FieldsHaveTheirForm)
{
    const std::string good = R"({"accountId":"123456789012","region":"eu-west-1","instanceId":"i-0123456789abcdef0",)"
                             R"("imageId":"ami-12345678"})";
    ASSERT_TRUE(parse_identity(good).ok());
    for (const auto& [from, to, text] : std::initializer_list<std::array<std::string, 3>>{
             {"\"123456789012\"", "\"12345678901\"", "accountId has another form"},
             {"\"123456789012\"", "123456789012", "accountId has another form"},
             {"\"accountId\"", "\"accountID\"", "has no accountId"},
             {"eu-west-1", "EU WEST", "region has another form"},
             {"i-0123456789abcdef0", "i-xyz", "instanceId has another form"},
             {"ami-12345678", "../etc", "imageId has another form"},
             {"{", "[{", "no JSON object"},
             {"\"ami-12345678\"", "null", "has no imageId"}}) {
        auto document = good;
        document.replace(document.find(from), from.size(), to);
        const auto result = parse_identity(document);
        ASSERT_FALSE(result.ok()) << document;
        EXPECT_THAT(result.error().text, HasSubstr(text));
    }
    std::string deep = R"({"accountId":)" + std::string(8000, '[');
    EXPECT_FALSE(parse_identity(deep).ok());
}

TEST(Regions, All36AreKnown)
{
    const auto regions = known_regions();
    EXPECT_EQ(regions.size(), 36U);
    EXPECT_TRUE(std::ranges::is_sorted(regions));
    EXPECT_EQ(std::ranges::adjacent_find(regions), regions.end());
}

TEST(Regions, CertificatesAreThePublishedOnes)
{
    if (!std::filesystem::exists(HOSTWARD_VECTORS "/certs-rsa2048")) {
        GTEST_SKIP() << "no vectors at " HOSTWARD_VECTORS;
    }
    for (const auto region : known_regions()) {
        const std::string name = std::string(region) + ".pem";
        std::ifstream ours(std::string(HOSTWARD_CERTIFICATES "/") + name);
        std::ifstream theirs(std::string(HOSTWARD_VECTORS "/certs-rsa2048/") + name);
        EXPECT_EQ((std::string(std::istreambuf_iterator<char>(ours), {})),
                  (std::string(std::istreambuf_iterator<char>(theirs), {})))
            << region;
    }
}

TEST(Regions, Partitions)
{
    EXPECT_EQ(partition_of("eu-west-1"), "aws");
    EXPECT_EQ(partition_of("cn-north-1"), "aws-cn");
    EXPECT_EQ(partition_of("us-gov-west-1"), "aws-us-gov");
    EXPECT_EQ(partition_of("us-iso-east-1"), "aws-iso");
    EXPECT_EQ(partition_of("us-isob-east-1"), "aws-iso-b");
    EXPECT_EQ(partition_of("eu-isoe-west-1"), "aws-iso-e");
    EXPECT_EQ(partition_of("us-isof-south-1"), "aws-iso-f");
    EXPECT_EQ(partition_of("eusc-de-east-1"), "aws-eusc");
}

} // namespace
} // namespace hostward::report
