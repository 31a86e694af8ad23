// SPDX-License-Identifier: Apache-2.0
#include "agent/report/aws_client.h"

#include <nlohmann/json.hpp>

namespace hostward::report {

namespace {

/// Text of the first `<name>...</name>`; error documents have each once, without attributes.
std::string xml_text(std::string_view body, std::string_view name)
{
    const std::string open = "<" + std::string(name) + ">";
    const std::string close = "</" + std::string(name) + ">";
    const std::size_t begin = body.find(open);
    const std::size_t end = begin == std::string_view::npos ? begin : body.find(close, begin);
    if (end == std::string_view::npos) {
        return "";
    }
    return std::string(body.substr(begin + open.size(), end - begin - open.size()));
}

/// `namespace#Code` and `Code:link` are both `Code`.
std::string bare_code(std::string code)
{
    code = code.substr(code.find('#') == std::string::npos ? 0 : code.find('#') + 1);
    return code.substr(0, code.find(':'));
}

std::string json_text(const nlohmann::json& json, std::initializer_list<const char*> names)
{
    for (const char* name : names) {
        const auto found = json.find(name);
        if (found != json.end() && found->is_string()) {
            return found->get<std::string>();
        }
    }
    return "";
}

} // namespace

AwsFault parse_aws_fault(const HttpResponse& response)
{
    if (response.body.find('<') != std::string::npos && !response.body.starts_with('{')) {
        return {xml_text(response.body, "Code"), xml_text(response.body, "Message")};
    }
    AwsFault out;
    const auto json = nlohmann::json::parse(response.body, nullptr, false);
    if (json.is_object()) {
        out.code = bare_code(json_text(json, {"__type", "code", "Code"}));
        out.message = json_text(json, {"message", "Message"});
    }
    if (const auto header = response.header("x-amzn-ErrorType"); out.code.empty() && header) {
        out.code = bare_code(std::string(*header));
    }
    return out;
}

} // namespace hostward::report
