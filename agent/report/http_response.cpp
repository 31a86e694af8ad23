// SPDX-License-Identifier: Apache-2.0
#include "agent/report/http.h"

#include <algorithm>

namespace hostward::report {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

} // namespace

std::optional<std::string_view> HttpResponse::header(std::string_view name) const
{
    const auto found = std::ranges::find_if(headers, [&](const HttpHeader& one) { return same_name(one.name, name); });
    return found == headers.end() ? std::nullopt : std::optional<std::string_view>(found->value);
}

} // namespace hostward::report
