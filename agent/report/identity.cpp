// SPDX-License-Identifier: Apache-2.0
#include "agent/report/identity.h"

#include "agent/base/text.h"
#include "agent/report/aws_endpoint.h"
#include "agent/report/certificates.h"
#include "agent/report/cms.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace hostward::report {

namespace {

using nlohmann::json;

constexpr std::size_t kAccountDigits = 12;
constexpr std::size_t kIdHexMin = 8; ///< of ids given before 2016
constexpr std::size_t kIdHexMax = 17;
constexpr std::size_t kRegionBytesMax = 32;
constexpr std::size_t kTextBytesMax = 128;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool is_account(std::string_view text) { return text.size() == kAccountDigits && std::ranges::all_of(text, is_digit); }

bool is_region(std::string_view text)
{
    return !text.empty() && text.size() <= kRegionBytesMax && is_lower(text.front()) && is_digit(text.back()) &&
           std::ranges::all_of(text, [](char c) { return is_lower(c) || is_digit(c) || c == '-'; });
}

bool is_id(std::string_view text, std::string_view prefix)
{
    const auto digits = text.starts_with(prefix) ? text.substr(prefix.size()) : std::string_view();
    return digits.size() >= kIdHexMin && digits.size() <= kIdHexMax &&
           std::ranges::all_of(digits, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

bool is_instance(std::string_view text) { return is_id(text, "i-"); }
bool is_image(std::string_view text) { return is_id(text, "ami-"); }
bool is_plain(std::string_view text)
{
    return text.size() <= kTextBytesMax && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

struct Field {
    const char* key;
    std::string InstanceIdentity::*place;
    bool (*has_form)(std::string_view);
    bool is_required;
};
constexpr std::array kFields{
    Field{"accountId", &InstanceIdentity::account_id, is_account, true},
    Field{"region", &InstanceIdentity::region, is_region, true},
    Field{"instanceId", &InstanceIdentity::instance_id, is_instance, true},
    Field{"imageId", &InstanceIdentity::image_id, is_image, true},
    Field{"instanceType", &InstanceIdentity::instance_type, is_plain, false},
    Field{"availabilityZone", &InstanceIdentity::availability_zone, is_plain, false},
    Field{"architecture", &InstanceIdentity::architecture, is_plain, false},
    Field{"pendingTime", &InstanceIdentity::pending_time, is_plain, false},
};

Status read_field(const json& object, const Field& field, InstanceIdentity& out)
{
    const auto found = object.find(field.key);
    const bool is_there = found != object.end() && !found->is_null();
    if (!is_there && !field.is_required) {
        return success();
    }
    if (!is_there) {
        return invalid_error("the identity document has no " + std::string(field.key));
    }
    if (!found->is_string() || !field.has_form(found->get_ref<const std::string&>())) {
        return invalid_error("the identity document's " + std::string(field.key) + " has another form than AWS gives");
    }
    out.*field.place = found->get<std::string>();
    return success();
}

std::string without_white(std::string_view text)
{
    std::string out;
    std::ranges::copy_if(text, std::back_inserter(out), [](char c) { return !is_white(c); });
    return out;
}

bool is_other_text(const json& a, const json& b, const char* key)
{
    const auto in_a = a.is_object() ? a.find(key) : a.end();
    const auto in_b = b.is_object() ? b.find(key) : b.end();
    return in_a != a.end() && in_b != b.end() && in_a->is_string() && *in_a != *in_b;
}

/// In which way `shown` is not what was signed.
std::string difference(std::string_view shown, std::string_view is_signed)
{
    if (without_white(shown) == without_white(is_signed)) {
        return "the document differs from the signed one in white space: its exact bytes are needed";
    }
    const json ours = json::parse(shown, nullptr, false);
    const json theirs = json::parse(is_signed, nullptr, false);
    if (!ours.is_discarded() && ours == theirs) {
        return "the document is the signed one written anew: its exact bytes are needed";
    }
    const auto [at, stop] = std::ranges::mismatch(shown, is_signed);
    const auto first = std::to_string(at - shown.begin());
    // One changed byte in an id is a change, not another document.
    const bool is_one_byte = at != shown.end() && stop != is_signed.end() &&
                             std::string_view(at + 1, shown.end()) == std::string_view(stop + 1, is_signed.end());
    for (const char* key : {"instanceId", "pendingTime"}) {
        if (!is_one_byte && is_other_text(ours, theirs, key)) {
            return "the signature is that of another document: " + std::string(key) + " differs";
        }
    }
    return "the document was changed: byte " + first + " is not the one that was signed";
}

Status check_size(std::string_view what, std::size_t size, std::size_t bytes_max)
{
    if (size == 0) {
        return invalid_error("the " + std::string(what) + " is empty");
    }
    if (size > bytes_max) {
        return invalid_error("the " + std::string(what) + " is larger than " + std::to_string(bytes_max) + " bytes");
    }
    return success();
}

Result<std::string_view> certificate_of(std::string_view region)
{
    const auto found = std::ranges::find(region_certificates(), region, &RegionCertificate::region);
    if (found == region_certificates().end()) {
        return Error{ErrorKind::NotFound, 0, "no certificate of the region " + quote(region) + " is known"};
    }
    return found->pem;
}

/// The signed content, or why there is none. A genuine signature of another region is told from one of nobody.
Result<std::string> content_for(std::string_view der, std::string_view region)
{
    TRY_ASSIGN(const std::string_view certificate, certificate_of(region));
    auto content = verified_content(der, certificate);
    if (content || content.error().kind != ErrorKind::NotFound) {
        return content;
    }
    for (const RegionCertificate& other : region_certificates()) {
        if (verified_content(der, other.pem)) {
            return invalid_error("the signature is genuine, but of the region " + quote(other.region) + ", not of " +
                                 quote(region));
        }
    }
    return invalid_error(content.error().text);
}

} // namespace

Result<InstanceIdentity> parse_identity(std::string_view document)
{
    TRY(check_size("identity document", document.size(), kIdentityDocumentBytesMax));
    const json object = json::parse(document, nullptr, false);
    if (!object.is_object()) {
        return invalid_error("the identity document is no JSON object");
    }
    InstanceIdentity out;
    for (const Field& field : kFields) {
        TRY(read_field(object, field, out));
    }
    return out;
}

Result<InstanceIdentity> verify_identity(const IdentityProof& proof, std::string_view region)
{
    TRY(certificate_of(region));
    TRY(check_size("identity document", proof.document.size(), kIdentityDocumentBytesMax));
    TRY(check_size("signature of the identity document", proof.rsa2048.size(), kIdentitySignatureBytesMax));
    TRY_ASSIGN(const std::string der, decode_base64(proof.rsa2048));
    TRY_ASSIGN(const std::string content, content_for(der, region));
    if (content != proof.document) {
        return invalid_error(difference(proof.document, content));
    }
    TRY_ASSIGN(InstanceIdentity identity, parse_identity(proof.document));
    if (identity.region != region) {
        return invalid_error("the document names the region " + quote(identity.region) + ", not " + quote(region));
    }
    return identity;
}

std::vector<std::string_view> known_regions()
{
    std::vector<std::string_view> out;
    std::ranges::transform(region_certificates(), std::back_inserter(out), &RegionCertificate::region);
    return out;
}

std::string_view partition_of(std::string_view region) { return aws_partition(region).name; }

Result<IdentityProof> fetch_identity(Imds& imds)
{
    IdentityProof out;
    TRY_ASSIGN(out.document, imds.get("dynamic/instance-identity/document"));
    TRY_ASSIGN(out.rsa2048, imds.get("dynamic/instance-identity/rsa2048"));
    return out;
}

} // namespace hostward::report
