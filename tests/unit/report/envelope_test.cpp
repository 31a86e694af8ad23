// SPDX-License-Identifier: Apache-2.0
#include "agent/report/base64.h"
#include "agent/report/base64.h"
#include "agent/report/proof.h"
#include "agent/report/proof_form.h"
#include "agent/report/sts_hosts.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace hostward::report {
namespace {

using testing::HasSubstr;

ProofParts parts()
{
    ProofParts out;
    out.audience = "https://collector.example";
    out.nonce = "01JD4Z0000000000000000000A";
    out.report_sha256 = std::string(64, 'a');
    out.sts = HttpRequest{
        "POST", "https://sts.eu-central-1.amazonaws.com/", {{"x-amz-date", "20261121T090000Z"}}, kCallerIdentityBody};
    out.web_identity_token = "a.b.c";
    out.identity = IdentityProof{"{\n  \"accountId\" : \"1\"\n}", "MIAG\nCSqG"};
    out.note = "no web identity: \"off\" \xc3\xa4";
    return out;
}

std::string refusal(const std::string& bytes)
{
    const auto parsed = parse_envelope(bytes);
    return parsed ? "accepted" : parsed.error().text;
}

std::string replaced(std::string text, const std::string& what, const std::string& with)
{
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return at == std::string::npos ? text : text.replace(at, what.size(), with);
}

const std::string kReport = R"({"schema":"hostward.posture/1","text":"}{\"]","n":[1,{"a":null}]})";

TEST(Envelope, IsReadAsItWasWritten)
{
    const ProofParts written = parts();
    const auto read = parse_envelope(write_envelope(kReport, written));
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->report, kReport);
    EXPECT_EQ(read->proof.audience, written.audience);
    EXPECT_EQ(read->proof.nonce, written.nonce);
    EXPECT_EQ(read->proof.report_sha256, written.report_sha256);
    EXPECT_EQ(read->proof.sts->url, written.sts->url);
    EXPECT_EQ(read->proof.sts->body, kCallerIdentityBody);
    EXPECT_EQ(read->proof.sts->headers.at(0).value, "20261121T090000Z");
    EXPECT_EQ(read->proof.web_identity_token, "a.b.c");
    EXPECT_EQ(read->proof.identity->document, written.identity->document);
    EXPECT_EQ(read->proof.identity->rsa2048, written.identity->rsa2048);
    EXPECT_EQ(read->proof.note, written.note);
}

TEST(Envelope, HoldsOnlyWhatThereIs)
{
    ProofParts few = parts();
    few.sts.reset();
    few.identity.reset();
    few.web_identity_token = few.note = "";
    EXPECT_EQ(write_envelope("{}", few), R"({"report":{},"proof":{"version":1,"audience":"https://collector.example",)"
                                         R"("nonce":"01JD4Z0000000000000000000A","report_sha256":")" +
                                             std::string(64, 'a') + "\"}}\n");
    EXPECT_TRUE(parse_envelope(write_envelope("{}", few)));
}

TEST(Envelope, EachWrongFormHasItsOwnMessage)
{
    const std::string good = write_envelope(kReport, parts());
    EXPECT_THAT(refusal(""), HasSubstr("does not start with"));
    EXPECT_THAT(refusal(" " + good), HasSubstr("does not start with"));
    EXPECT_THAT(refusal(good.substr(0, good.size() - 1)), HasSubstr("does not end with"));
    EXPECT_THAT(refusal(good + "\n"), HasSubstr("does not end with"));
    EXPECT_THAT(refusal(replaced(good, R"(,"proof")", R"(, "proof")")), HasSubstr("not followed by"));
    EXPECT_THAT(refusal(replaced(good, R"({"report":{)", R"({"report":[)")), HasSubstr("report: it is no JSON"));
    EXPECT_THAT(refusal(replaced(good, R"("n":[1,)", "\"n\":[1,\n")), HasSubstr("holds a control"));
    EXPECT_THAT(refusal(replaced(good, R"("n":)", R"("schema":)")),
                HasSubstr(R"(report: it has the member "schema" twice)"));
    EXPECT_THAT(refusal(replaced(good, R"("n":)", R"("sch\u0065ma":)")), HasSubstr("twice"));
    EXPECT_THAT(refusal(replaced(good, R"("note":)", R"("nonce":)")),
                HasSubstr(R"(proof: it has the member "nonce" twice)"));
    EXPECT_THAT(refusal(replaced(good, R"("note":)", R"("extra":)")), HasSubstr("none of version 1"));
    EXPECT_THAT(refusal(replaced(good, R"("version":1)", R"("version":2)")), HasSubstr("not of version 1"));
    EXPECT_THAT(refusal(replaced(good, R"("version":1)", R"("version":1.0)")),
                HasSubstr("not written in its one form"));
    EXPECT_THAT(refusal(replaced(good, R"("version":1,)", R"("version": 1,)")),
                HasSubstr("not written in its one form"));
    EXPECT_THAT(refusal(replaced(good, "https://collector.example", R"(\u0068ttps://collector.example)")),
                HasSubstr("not written in its one form"));
    EXPECT_THAT(refusal(replaced(good, R"(["x-amz-date",)", R"(["x-amz-date","",)")), HasSubstr("no pair of texts"));
    EXPECT_THAT(refusal(replaced(good, R"("identity":{)", R"("identity":{"more":1,)")),
                HasSubstr("not written in its one form"));
    EXPECT_THAT(refusal(replaced(good, R"("document":")", R"("document":"=)")), HasSubstr("no base64"));
    EXPECT_THAT(refusal(replaced(good, R"("note":"no)", "\"note\":\"\xff")), HasSubstr("no JSON at byte"));
}

TEST(Envelope, NestingIsBounded)
{
    const auto nested = [](std::size_t depth) {
        return R"({"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
    };
    EXPECT_TRUE(parse_envelope(write_envelope(nested(60), parts())));
    EXPECT_THAT(refusal(write_envelope(nested(100), parts())), HasSubstr("nested too deep"));
    EXPECT_THAT(refusal(write_envelope(nested(500000), parts())), HasSubstr("nested too deep"));
}

TEST(Envelope, SizeIsBounded)
{
    const std::string large = R"({"a":")" + std::string(kEnvelopeBytesMax, 'x') + "\"}";
    EXPECT_THAT(refusal(write_envelope(large, parts())), HasSubstr("has more than"));
}

TEST(ProofForm, ValuesOfSignedHeadersHaveOneSpelling)
{
    const auto with = [](auto&& change) {
        ProofParts changed = parts();
        change(changed);
        const auto checked = check_form(changed);
        return checked ? std::string("accepted") : checked.error().text;
    };
    EXPECT_EQ(with([](ProofParts&) {}), "accepted");
    EXPECT_THAT(with([](ProofParts& p) { p.audience = ""; }), HasSubstr("audience"));
    EXPECT_THAT(with([](ProofParts& p) { p.audience = "a b"; }), HasSubstr("audience"));
    EXPECT_THAT(with([](ProofParts& p) { p.nonce = "a,b"; }), HasSubstr("nonce"));
    EXPECT_THAT(with([](ProofParts& p) { p.nonce.assign(129, 'a'); }), HasSubstr("nonce"));
    EXPECT_THAT(with([](ProofParts& p) { p.report_sha256[0] = 'A'; }), HasSubstr("report_sha256"));
    EXPECT_THAT(with([](ProofParts& p) { p.sts->headers[0].value = " x"; }), HasSubstr("form that is signed"));
    EXPECT_THAT(with([](ProofParts& p) { p.sts->headers[0].value = "x\r\nEvil: 1"; }),
                HasSubstr("form that is signed"));
    EXPECT_THAT(with([](ProofParts& p) { p.sts->headers.resize(17, {"a", "b"}); }), HasSubstr("more than 16 headers"));
    EXPECT_THAT(with([](ProofParts& p) { p.sts->url += "\t"; }), HasSubstr("STS URL"));
    EXPECT_THAT(with([](ProofParts& p) { p.note.assign(1025, 'a'); }), HasSubstr("too long"));
}

TEST(Base64, TakesOnlyWhatItWrites)
{
    for (const std::string bytes : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
        EXPECT_EQ(from_base64(base64(bytes)), bytes);
    }
    EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
    for (const auto* wrong : {"Zg", "Zg=", "Zh==", "Zg==\n", "Zm9v=", "Z", "Zm-v", "Zm9v====", "="}) {
        EXPECT_FALSE(from_base64(wrong)) << wrong;
    }
    EXPECT_EQ(from_base64url("-_-_"), "\xfb\xff\xbf");
    EXPECT_EQ(from_base64url("Zg"), "f");
    for (const auto* wrong : {"Zg==", "+_-_", "Zh", "Z", "Zm 9v"}) {
        EXPECT_FALSE(from_base64url(wrong)) << wrong;
    }
}

TEST(StsHosts, AreAFixedList)
{
    EXPECT_EQ(sts_host("sts.eu-central-1.amazonaws.com")->region, "eu-central-1");
    EXPECT_EQ(sts_host("sts-fips.us-east-1.amazonaws.com")->partition, "aws");
    EXPECT_EQ(sts_host("sts.eu-central-1.api.aws")->region, "eu-central-1");
    EXPECT_EQ(sts_host("sts.cn-north-1.amazonaws.com.cn")->partition, "aws-cn");
    EXPECT_EQ(sts_host("sts.us-gov-west-1.amazonaws.com")->partition, "aws-us-gov");
    EXPECT_EQ(sts_host_of("us-gov-west-1"), "sts.us-gov-west-1.amazonaws.com");
    for (const auto* foreign :
         {"sts.amazonaws.com", "sts.eu-central-1.amazonaws.com.evil.example", "evil.example", "", "sts..amazonaws.com",
          "sts.eu-central-1.amazonaws.com.", "STS.eu-central-1.amazonaws.com", "sts.cn-north-1.amazonaws.com",
          "sts.eu-central-1.amazonaws.com.cn", "sts.xx-central-1.amazonaws.com", "s3.eu-central-1.amazonaws.com",
          "sts. .amazonaws.com", "sts.eu-central-1 eu-west-1.amazonaws.com", "xsts.eu-central-1.amazonaws.com",
          "sts.eu-central-1xamazonaws.com", "sts.us-iso-east-1.", "sts.x.sts.eu-central-1.amazonaws.com"}) {
        EXPECT_FALSE(sts_host(foreign)) << foreign;
    }
    EXPECT_FALSE(sts_host_of("nowhere-1"));
    EXPECT_EQ(all_sts_regions().size(), 46U);
    for (const auto& each : all_sts_regions()) {
        EXPECT_EQ(sts_host(*sts_host_of(each.region))->region, each.region);
    }
}

} // namespace
} // namespace hostward::report
