// SPDX-License-Identifier: Apache-2.0
// Our signer, one JSON object a line: a request with keys and scope in, `{"authorization", "content"}` or `{"url"}`
// out.
#include "agent/report/sigv4.h"

#include <nlohmann/json.hpp>

#include <iostream>
#include <string>

namespace hostward::report {
namespace {

using nlohmann::json;

HttpRequest request_of(const json& in)
{
    HttpRequest out{in["method"].get<std::string>(), in["url"].get<std::string>(), {}, in["body"].get<std::string>()};
    for (const auto& header : in["headers"]) {
        out.headers.push_back({header[0].get<std::string>(), header[1].get<std::string>()});
    }
    return out;
}

json answer(const json& in)
{
    const HttpRequest request = request_of(in);
    const AwsKeys keys{in["id"].get<std::string>(), in["secret"].get<std::string>(), in["token"].get<std::string>()};
    const std::string service = in["service"].get<std::string>();
    const SigningScope scope{in["region"].get<std::string>(), service, in["time"].get<std::int64_t>()};
    if (const int expires = in["expires"].get<int>(); expires != 0) {
        const auto url = presigned_url(request, keys, scope, rules_for(service), expires);
        return url ? json{{"url", *url}} : json{{"error", url.error().text}};
    }
    const auto done = sign_headers(request, keys, scope, rules_for(service));
    if (!done) {
        return {{"error", done.error().text}};
    }
    const HttpResponse view{0, done->headers, {}};
    return {{"authorization", view.header("authorization").value_or("")},
            {"content", view.header("x-amz-content-sha256").value_or("")}};
}

} // namespace
} // namespace hostward::report

int main()
{
    std::string line;
    while (std::getline(std::cin, line)) {
        std::cout << hostward::report::answer(nlohmann::json::parse(line)).dump() << "\n";
    }
    return 0;
}
