// SPDX-License-Identifier: Apache-2.0
#include "agent/report/credentials_json.h"

#include "agent/base/text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace hostward::report {

namespace {

using nlohmann::json;

constexpr std::size_t kCodeBytesMax = 64;

/// Graphic ASCII: all of it goes into headers.
std::optional<std::string> graphic_text(const json& object, const char* key)
{
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) {
        return std::nullopt;
    }
    const auto& text = found->get_ref<const std::string&>();
    const bool ok = !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
    return ok ? std::optional(text) : std::nullopt;
}

} // namespace

std::optional<std::int64_t> parse_utc_time(std::string_view text)
{
    if (text.size() != 20 || text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') {
        return std::nullopt;
    }
    std::string plain(text);
    std::erase_if(plain, [](char c) { return c == '-' || c == ':'; });
    return parse_amz_date(plain);
}

Result<Credentials> parse_credentials(std::string_view text)
{
    const json answer = json::parse(text, nullptr, false);
    if (!answer.is_object()) {
        return invalid_error("the answer with credentials is no JSON object");
    }
    const auto code = graphic_text(answer, "Code");
    if (code && *code != "Success") {
        return Error{ErrorKind::Denied, 0,
                     "the metadata service has no credentials: its code is " + quote(code->substr(0, kCodeBytesMax))};
    }
    const auto id = graphic_text(answer, "AccessKeyId");
    const auto secret = graphic_text(answer, "SecretAccessKey");
    const auto token = graphic_text(answer, "Token");
    const auto expires = parse_utc_time(graphic_text(answer, "Expiration").value_or(""));
    if (!code || !id || !secret || !token || !expires) {
        return invalid_error("the answer with credentials lacks one of Code, AccessKeyId, SecretAccessKey, Token and "
                             "Expiration, or one has another form");
    }
    return Credentials{.keys = {*id, *secret, *token}, .expires_s = *expires, .is_expired = false};
}

} // namespace hostward::report
