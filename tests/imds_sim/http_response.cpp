// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/http_response.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hostward::imds_sim {

namespace {

constexpr std::array<std::pair<int, std::string_view>, 18> kReasons{{
    {200, "OK"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Payload Too Large"},
    {414, "URI Too Long"},
    {417, "Expectation Failed"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
}};

std::string_view reason_of(int status)
{
    const auto* found = std::ranges::find(kReasons, status, &std::pair<int, std::string_view>::first);
    return found == kReasons.end() ? "Error" : found->second;
}

std::string http_date(std::time_t now)
{
    std::tm parts{};
    (void)::gmtime_r(&now, &parts); // fails only for years beyond int
    std::array<char, 40> text{};
    const auto length = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), length};
}

} // namespace

Response error_response(int status, std::string_view detail)
{
    Response response;
    response.status = status;
    response.body = std::to_string(status) + " - " + std::string(reason_of(status));
    if (!detail.empty()) {
        response.body += ": " + std::string(detail);
    }
    return response;
}

std::string to_wire(const Response& response, const WireOptions& options)
{
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason_of(response.status));
    out += "\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(response.body.size());
    out += "\r\nDate: " + http_date(options.now) + "\r\nServer: hostward-imds-sim\r\n";
    for (const Header& header : response.headers) {
        out += header.name + ": " + header.value + "\r\n";
    }
    out += options.keep_alive ? "Connection: keep-alive\r\n\r\n" : "Connection: close\r\n\r\n";
    if (options.with_body) {
        out += response.body;
    }
    return out;
}

} // namespace hostward::imds_sim
