// SPDX-License-Identifier: Apache-2.0
#include "agent/report/document.h"

#include "agent/report/strict_json.h"
#include "hardening/formats/wording.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace hostward::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kBase32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Crockford's
constexpr std::size_t kUlidChars = 26;
constexpr int kBitsPerChar = 5;
constexpr auto kNoPosture = "the posture is not one JSON object on one line";

Json identity_json(const DocumentFacts& facts)
{
    const auto& who = facts.identity;
    if (!facts.identity_unknown.empty()) {
        return {{"unknown", facts.identity_unknown}};
    }
    return {{"account_id", who.account_id},
            {"region", who.region},
            {"partition", partition_of(who.region)},
            {"instance_id", who.instance_id},
            {"image_id", who.image_id},
            {"instance_type", who.instance_type},
            {"availability_zone", who.availability_zone}};
}

/// Before the two are joined: in the report a member twice, whose ever, is refused.
Status check_posture(std::string_view posture)
{
    if (posture.size() > kPostureBytesMax) {
        return Error{ErrorKind::Exhausted, 0,
                     "the posture has " + std::to_string(posture.size()) + " bytes: allowed are " +
                         std::to_string(kPostureBytesMax)};
    }
    const bool one_line = posture.find_first_of("\r\n") == std::string_view::npos;
    return one_line && posture.starts_with('{') && posture.ends_with('}') ? success() : invalid_error(kNoPosture);
}

} // namespace

std::string make_ulid(std::uint64_t time_ms, const std::array<unsigned char, kUlidRandomBytes>& random)
{
    // 48 bits of time and 80 of chance, five at a time from the lowest.
    std::array<unsigned char, 16> bytes{};
    for (int i = 0; i < 6; ++i) {
        bytes.at(static_cast<std::size_t>(i)) = static_cast<unsigned char>(time_ms >> (8 * (5 - i)));
    }
    std::ranges::copy(random, bytes.begin() + 6);
    std::string out(kUlidChars, '0');
    for (std::size_t i = 0; i < kUlidChars; ++i) {
        unsigned value = 0;
        for (std::size_t bit = 0; bit < kBitsPerChar; ++bit) {
            const std::size_t at = i * kBitsPerChar + bit; // of 130, the first two are always 0
            const bool is_set = at >= 2 && ((bytes.at((at - 2) / 8) >> (7 - (at - 2) % 8)) & 1) != 0;
            value = value * 2 + (is_set ? 1 : 0);
        }
        out[i] = kBase32[value];
    }
    return out;
}

Result<Report> make_report(const DocumentFacts& facts, std::string_view posture)
{
    TRY(check_posture(posture));
    const Json head{{"schema", kReportSchema},
                    {"id", facts.id},
                    {"sequence", facts.sequence},
                    {"created_at", hardening::iso_time(facts.created_s)},
                    {"agent", {{"version", HOSTWARD_VERSION}}},
                    {"identity", identity_json(facts)}};
    std::string bytes = head.dump();
    bytes.pop_back();
    bytes += posture == "{}" ? "" : ",";
    bytes += posture.substr(1);
    TRY(check_strict_object(bytes, kNoPosture)); // what receivers hold it to (docs/verify.md)
    return Report{facts.id, facts.sequence, facts.created_s, std::move(bytes), facts.identity};
}

} // namespace hostward::report
