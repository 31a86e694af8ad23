// SPDX-License-Identifier: Apache-2.0
#include "agent/report/sts_answer.h"
#include "agent/base/text.h"
#include "agent/report/strict_json.h"

#include <nlohmann/json.hpp>

namespace hostward::report {

namespace {

using Json = nlohmann::json;

constexpr int kOk = 200;
constexpr int kRedirects = 300;
constexpr int kClientErrors = 400;
constexpr int kServerErrors = 500;
constexpr int kTooMany = 429;

Check check_status(int status)
{
    const std::string answered = "STS answered " + std::to_string(status);
    if (status == kOk) {
        return std::nullopt;
    }
    if (status >= kServerErrors || status == kTooMany) {
        return Refusal{"sts-unavailable", answered + ": it could not be asked now"};
    }
    if (status >= kRedirects && status < kClientErrors) {
        return Refusal{"sts-redirect", answered + ", a redirect, which is not followed"};
    }
    return Refusal{"sts-refused", answered + ": the signature does not fit, has expired, or its credentials have"};
}

/// Result's text `name`, or nothing.
std::optional<std::string> result_text(const Json& answer, const char* name)
{
    const Json::json_pointer place(std::string("/GetCallerIdentityResponse/GetCallerIdentityResult/") + name);
    if (!answer.contains(place) || !answer.at(place).is_string()) {
        return std::nullopt;
    }
    return answer.at(place).get<std::string>();
}

} // namespace

bool is_account_id(std::string_view text)
{
    constexpr std::size_t kDigits = 12;
    return text.size() == kDigits && text.find_first_not_of("0123456789") == text.npos;
}

bool is_instance_id(std::string_view text)
{
    constexpr std::size_t kShort = 10;
    constexpr std::size_t kLong = 19;
    return (text.size() == kShort || text.size() == kLong) && text.starts_with("i-") &&
           text.substr(2).find_first_not_of("0123456789abcdef") == text.npos;
}

std::optional<Caller> instance_caller(std::string_view arn)
{
    constexpr std::size_t kParts = 7;
    const auto parts = split(arn, ':');
    if (parts.size() != kParts || parts[0] != "arn" || !parts[1].starts_with("aws") || parts[2] != "sts" ||
        !parts[3].empty() || !is_account_id(parts[4]) || parts[5] != "assumed-role/aws") {
        return std::nullopt;
    }
    constexpr std::string_view kRole = "ec2-instance/";
    const auto name = parts[6];
    if (!name.starts_with(kRole) || !is_instance_id(name.substr(kRole.size()))) {
        return std::nullopt;
    }
    return Caller{std::string(parts[1]), std::string(parts[4]), std::string(name.substr(kRole.size()))};
}

Checked<Caller> read_caller(const HttpResponse& response)
{
    if (auto refused = check_status(response.status)) {
        return *refused;
    }
    if (!check_strict_object(response.body, "STS's answer")) {
        return Refusal{"sts-answer", "STS's answer is not the JSON that was asked for"};
    }
    const Json answer = Json::parse(response.body, nullptr, false);
    const auto arn = result_text(answer, "Arn");
    const auto account = result_text(answer, "Account");
    if (!arn || !account) {
        return Refusal{"sts-answer", "STS's answer names no ARN and account"};
    }
    const auto caller = instance_caller(*arn);
    if (!caller || caller->account_id != *account) {
        return Refusal{"arn", "STS says the signer is " + quote(*arn) + ", which is no instance's identity role"};
    }
    return *caller;
}

} // namespace hostward::report
