// SPDX-License-Identifier: Apache-2.0
// One way to write an envelope, and the reader accepts exactly what the writer would write.
#include "agent/report/base64.h"
#include "agent/report/json_read.h"
#include "agent/report/proof.h"
#include "agent/report/proof_form.h"
#include "agent/report/strict_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace hostward::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kStart = R"({"report":)";
constexpr std::string_view kMiddle = R"(,"proof":)";
constexpr std::string_view kEnd = "}\n";

Json headers_json(const std::vector<HttpHeader>& headers)
{
    Json out = Json::array();
    for (const auto& header : headers) {
        out.push_back(Json::array({header.name, header.value}));
    }
    return out;
}

/// Bytes that are no UTF-8 are replaced: parse_envelope() finds those out before anything is written.
std::string write_proof(const ProofParts& parts)
{
    Json out = Json::object();
    out["version"] = 1;
    out["audience"] = parts.audience;
    out["nonce"] = parts.nonce;
    out["report_sha256"] = parts.report_sha256;
    if (parts.sts) {
        out["sts"] = Json::object({{"url", parts.sts->url}, {"headers", headers_json(parts.sts->headers)}});
    }
    if (!parts.web_identity_token.empty()) {
        out["web_identity"] = parts.web_identity_token;
    }
    if (parts.identity) {
        out["identity"] =
            Json::object({{"document", base64(parts.identity->document)}, {"rsa2048", parts.identity->rsa2048}});
    }
    if (!parts.note.empty()) {
        out["note"] = parts.note;
    }
    return json_line(out);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < ' '; }

/// Where the JSON object at the start of `bytes` ends; nothing if it does not.
std::optional<std::size_t> object_end(std::string_view bytes)
{
    std::size_t depth = 0;
    bool in_string = false;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        const char c = bytes[at];
        if (in_string) {
            at += c == '\\' ? 1 : 0;
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        depth += c == '{' || c == '[' ? 1 : 0;
        if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) {
            return at + 1;
        }
        if (depth == 0) {
            return std::nullopt;
        }
    }
    return std::nullopt;
}

struct Split {
    std::string_view report;
    std::string_view proof;
};

Result<Split> split_envelope(std::string_view bytes)
{
    if (bytes.size() > kEnvelopeBytesMax) {
        return invalid_error("the envelope has more than " + std::to_string(kEnvelopeBytesMax) + " bytes");
    }
    if (!bytes.starts_with(kStart)) {
        return invalid_error(R"(the envelope does not start with {"report":)");
    }
    if (!bytes.ends_with(kEnd)) {
        return invalid_error("the envelope does not end with } and one line feed");
    }
    bytes.remove_prefix(kStart.size());
    bytes.remove_suffix(kEnd.size());
    if (std::ranges::any_of(bytes, is_control)) {
        return invalid_error("the envelope holds a control character, a line feed perhaps, before its end");
    }
    const auto end = object_end(bytes);
    if (!end) {
        return invalid_error("the envelope's report is no JSON object");
    }
    if (bytes.substr(*end, kMiddle.size()) != kMiddle) {
        return invalid_error(R"(the envelope's report is not followed by ,"proof":)");
    }
    return Split{bytes.substr(0, *end), bytes.substr(*end + kMiddle.size())};
}

bool is_member(const std::string& name)
{
    constexpr std::array kMembers{"version", "audience",     "nonce",    "report_sha256",
                                  "sts",     "web_identity", "identity", "note"};
    return std::ranges::find(kMembers, name) != kMembers.end();
}

/// The member's text; nothing where it is no text.
std::optional<std::string> text(const Json& object, const char* name)
{
    const auto found = object.find(name);
    return found == object.end() || !found->is_string() ? std::nullopt : std::optional(found->get<std::string>());
}

Result<HttpRequest> read_sts(const Json& sts)
{
    const auto url = sts.is_object() ? text(sts, "url") : std::nullopt;
    const auto headers = url ? sts.find("headers") : sts.end();
    if (!url || headers == sts.end() || !headers->is_array()) {
        return invalid_error("the proof's sts is no object of url and headers");
    }
    HttpRequest request{"POST", *url, {}, kCallerIdentityBody};
    for (const auto& pair : *headers) {
        if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
            return invalid_error("a header of the proof's sts is no pair of texts");
        }
        request.headers.push_back({pair[0].get<std::string>(), pair[1].get<std::string>()});
    }
    return request;
}

Result<IdentityProof> read_identity(const Json& identity)
{
    const auto document = identity.is_object() ? text(identity, "document") : std::nullopt;
    const auto signature = identity.is_object() ? text(identity, "rsa2048") : std::nullopt;
    if (!document || !signature) {
        return invalid_error("the proof's identity is no object of document and rsa2048");
    }
    const auto bytes = from_base64(*document);
    if (!bytes) {
        return invalid_error("the proof's identity document is no base64");
    }
    return IdentityProof{*bytes, *signature};
}

Status read_optional(const Json& proof, ProofParts& out)
{
    if (const auto sts = proof.find("sts"); sts != proof.end()) {
        TRY_ASSIGN(out.sts, read_sts(*sts));
    }
    if (const auto identity = proof.find("identity"); identity != proof.end()) {
        TRY_ASSIGN(out.identity, read_identity(*identity));
    }
    for (const auto& [name, place] : {std::pair{"web_identity", &out.web_identity_token}, {"note", &out.note}}) {
        const auto value = text(proof, name);
        if (proof.contains(name) && !value) {
            return invalid_error(std::string("the proof's ") + name + " is no text");
        }
        *place = value.value_or("");
    }
    return success();
}

Result<ProofParts> read_proof(std::string_view bytes)
{
    TRY(check_strict_object(bytes, "the envelope's proof"));
    const Json proof = Json::parse(bytes, nullptr, false);
    for (const auto& [name, value] : proof.items()) {
        if (!is_member(name)) {
            return invalid_error("the envelope's proof has a member that is none of version 1");
        }
    }
    if (const auto version = proof.find("version"); version == proof.end() || *version != 1) {
        return invalid_error("the envelope's proof is not of version 1");
    }
    ProofParts out;
    for (const auto& [name, place] :
         {std::pair{"audience", &out.audience}, {"nonce", &out.nonce}, {"report_sha256", &out.report_sha256}}) {
        const auto value = text(proof, name);
        if (!value) {
            return invalid_error(std::string("the envelope's proof has no ") + name);
        }
        *place = *value;
    }
    TRY(read_optional(proof, out));
    return out;
}

} // namespace

std::string write_envelope(std::string_view report, const ProofParts& parts)
{
    std::string out(kStart);
    out += report;
    out += kMiddle;
    out += write_proof(parts);
    out += kEnd;
    return out;
}

Result<Envelope> parse_envelope(std::string_view bytes)
{
    TRY_ASSIGN(const Split split, split_envelope(bytes));
    TRY(check_strict_object(split.report, "the envelope's report"));
    TRY_ASSIGN(ProofParts parts, read_proof(split.proof));
    TRY(check_form(parts));
    if (write_proof(parts) != split.proof) {
        return invalid_error("the envelope's proof is not written in its one form: order, spaces or escapes differ");
    }
    return Envelope{std::string(split.report), std::move(parts)};
}

} // namespace hostward::report
