// SPDX-License-Identifier: Apache-2.0
#include "agent/report/http_receiver.h"

namespace hostward::report {

namespace {

bool take(HttpReceiver& receiver, std::size_t bytes)
{
    receiver.is_too_large = bytes > receiver.bytes_left;
    receiver.bytes_left -= receiver.is_too_large ? 0 : bytes;
    return !receiver.is_too_large;
}

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t\r\n");
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

void add_header_line(HttpReceiver& receiver, std::string_view line)
{
    auto& headers = receiver.response.headers;
    if (line.starts_with("HTTP/")) { // another head: the one before was of a 1xx answer
        headers.clear();
        receiver.is_in_headers = true;
        return;
    }
    if (trimmed(line).empty()) {
        receiver.is_in_headers = false;
        return;
    }
    if (!receiver.is_in_headers) {
        return;
    }
    if ((line.front() == ' ' || line.front() == '\t') && !headers.empty()) {
        headers.back().value.append(" ").append(trimmed(line));
        return;
    }
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) {
        headers.push_back({std::string(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1)))});
    }
}

} // namespace

std::size_t on_http_header(char* data, std::size_t size, std::size_t count, void* user)
{
    auto& receiver = *static_cast<HttpReceiver*>(user);
    const std::string_view line(data, size * count);
    if (!take(receiver, line.size())) {
        return 0;
    }
    add_header_line(receiver, line);
    return line.size();
}

std::size_t on_http_body(char* data, std::size_t size, std::size_t count, void* user)
{
    auto& receiver = *static_cast<HttpReceiver*>(user);
    const std::string_view bytes(data, size * count);
    if (!take(receiver, bytes.size())) {
        return 0;
    }
    receiver.response.body.append(bytes);
    return bytes.size();
}

} // namespace hostward::report
