// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/report/verify_world.h"

#include "agent/base/text.h"

namespace hostward::report {

namespace {

HttpResponse refused() { return {403, {}, R"({"Error":{"Code":"SignatureDoesNotMatch"}})"}; }

std::string value(const HttpRequest& request, std::string_view name)
{
    return std::string(HttpResponse{0, request.headers, {}}.header(name).value_or(""));
}

/// The request as it was before it was signed.
HttpRequest unsigned_request(const HttpRequest& request)
{
    HttpRequest out{request.method, request.url, {}, request.body};
    for (const auto& header : request.headers) {
        const auto& name = header.name;
        if (name != "accept" && name != "authorization" && name != "x-amz-date" && name != "x-amz-security-token") {
            out.headers.push_back(header);
        }
    }
    return out;
}

} // namespace

std::string Instance::arn() const
{
    return "arn:aws:sts::" + account_id + ":assumed-role/aws:ec2-instance/" + instance_id;
}

std::string Instance::report(const std::string& text) const
{
    return R"({"schema":"hostward.posture/1","id":"01JD4Z0000000000000000000A","sequence":1,)"
           R"("created_at":"2026-11-21T09:00:00Z","identity":{"account_id":")" +
           account_id + R"(","region":")" + region + R"(","partition":"aws","instance_id":")" + instance_id +
           R"("},"text":")" + text + "\"}";
}

std::string Instance::envelope(const std::string& report, const std::string& nonce, std::int64_t signed_s,
                               const std::string& audience) const
{
    ProofParts parts;
    parts.audience = audience;
    parts.nonce = nonce;
    parts.report_sha256 = sha256_hex(report);
    auto request = signed_caller_identity(parts, keys, region, "", signed_s);
    if (!request) {
        return "cannot sign: " + request.error().text;
    }
    parts.sts = request.take();
    return write_envelope(report, parts);
}

Instance other_instance()
{
    return {"210987654321",
            "i-0fedcba9876543210",
            "eu-central-1",
            {"ASIAEXAMPLE000000002", "secret-EXAMPLE-2", "token-EXAMPLE-2"}};
}

FakeSts::FakeSts(const std::vector<Instance>& instances)
{
    for (const auto& one : instances) {
        by_key_[one.keys.access_key_id] = one;
    }
}

HttpResult FakeSts::send(const HttpRequest& request)
{
    ++requests;
    if (planted) {
        return *planted;
    }
    const std::string authorization = value(request, "authorization");
    const std::string credential = authorization.substr(authorization.find('=') + 1);
    const auto scope = split(credential, '/');
    const auto signer = by_key_.find(std::string(scope[0]));
    const auto date = parse_amz_date(value(request, "x-amz-date"));
    if (request.method != "POST" || request.body != kCallerIdentityBody || signer == by_key_.end() || !date ||
        value(request, "accept") != "application/json" ||
        value(request, "x-amz-security-token") != signer->second.keys.session_token) {
        return refused();
    }
    const auto again = sign_headers(unsigned_request(request), signer->second.keys,
                                    {std::string(scope.at(2)), "sts", *date}, rules_for("sts"));
    if (!again || value(*again, "authorization") != authorization) {
        return refused();
    }
    const std::string who = arn.empty() ? signer->second.arn() : arn;
    return HttpResponse{200,
                        {},
                        R"({"GetCallerIdentityResponse":{"GetCallerIdentityResult":{"Account":")" +
                            signer->second.account_id + R"(","Arn":")" + who +
                            R"(","UserId":"AROA:x"},"ResponseMetadata":{"RequestId":"0"}}})"};
}

Expectations expectations()
{
    Expectations out;
    out.audience = kAudience;
    out.now_s = kNow + 1;
    return out;
}

Verification verify_bytes(const std::string& envelope, const Expectations& expected, Http* sts)
{
    const auto parsed = parse_envelope(envelope);
    if (!parsed) {
        Verification out;
        out.verdict = Verdict::Refused;
        out.refusal = Refusal{"envelope", parsed.error().text};
        return out;
    }
    return verify(*parsed, expected, sts);
}

} // namespace hostward::report
