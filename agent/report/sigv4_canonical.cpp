// SPDX-License-Identifier: Apache-2.0
#include "agent/report/sigv4_canonical.h"

#include "agent/base/text.h"

#include <algorithm>
#include <map>

namespace hostward::report {

namespace {

constexpr std::string_view kWhite = " \t\r\n";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";

bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_' || c == '~';
}

std::string lower_case(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

/// Without white space at the ends, one space for each run of it within.
std::string one_spaced(std::string_view text)
{
    std::string out;
    for (auto at = text.find_first_not_of(kWhite); at != std::string_view::npos;) {
        const auto end = std::min(text.find_first_of(kWhite, at), text.size());
        out.append(out.empty() ? "" : " ").append(text.substr(at, end - at));
        at = text.find_first_not_of(kWhite, end);
    }
    return out;
}

/// `.` and empty segments go, `..` takes the one before it along; a slash at the end stays.
std::string normalized(std::string_view path)
{
    std::vector<std::string_view> kept;
    for (const auto segment : split(path, '/')) {
        if (segment == "..") {
            if (!kept.empty()) {
                kept.pop_back();
            }
        } else if (!segment.empty() && segment != ".") {
            kept.push_back(segment);
        }
    }
    std::string out;
    for (const auto segment : kept) {
        out.append("/").append(segment);
    }
    return kept.empty() || path.ends_with('/') ? out + "/" : out;
}

} // namespace

std::string uri_encode(std::string_view text, bool keeps_slash)
{
    std::string out;
    out.reserve(text.size());
    for (const char c : text) {
        if (is_unreserved(c) || (keeps_slash && c == '/')) {
            out.push_back(c);
            continue;
        }
        const auto byte = static_cast<unsigned char>(c);
        out.append({'%', kHexDigits[byte >> 4U], kHexDigits[byte & 15U]});
    }
    return out;
}

std::string uri_decode(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto digits = text.substr(at + 1, 2);
        const auto byte = text[at] == '%' && digits.size() == 2 && digits.front() != '-' ? parse_number<int>(digits, 16)
                                                                                         : std::nullopt;
        out.push_back(byte ? static_cast<char>(*byte) : text[at]);
        at += byte ? std::size_t{2} : 0;
    }
    return out;
}

Result<UrlParts> split_url(std::string_view url)
{
    const auto scheme_end = url.find("://");
    UrlParts parts;
    parts.scheme = lower_case(url.substr(0, scheme_end));
    if (scheme_end == std::string_view::npos || (parts.scheme != "http" && parts.scheme != "https")) {
        return invalid_error("not a http or https URL: " + quote(url));
    }
    const auto rest = url.substr(scheme_end + 3);
    const auto authority_end = std::min(rest.find_first_of("/?#"), rest.size());
    const auto query_at = std::min(rest.find('?'), rest.size());
    parts.authority = rest.substr(0, authority_end);
    parts.path = rest.substr(authority_end, query_at - authority_end);
    parts.query = query_at == rest.size() ? "" : rest.substr(query_at + 1);
    if (parts.path.empty()) {
        parts.path = "/";
    }
    if (parts.authority.empty() || parts.authority.find('@') != std::string::npos ||
        rest.find('#') != std::string_view::npos) {
        return invalid_error("a URL to sign has a host, no user and no fragment");
    }
    return parts;
}

std::string host_of(const UrlParts& url)
{
    const std::string_view own_port = url.scheme == "https" ? ":443" : ":80";
    return url.authority.ends_with(own_port) ? url.authority.substr(0, url.authority.size() - own_port.size())
                                             : url.authority;
}

std::string canonical_path(std::string_view path, const SigningRules& rules)
{
    const std::string form = rules.normalizes_path ? normalized(path) : std::string(path);
    // Encoded once means: whatever of it is encoded in the URL already. S3 compares with the name of the object.
    return uri_encode(rules.encodes_path_twice ? form : uri_decode(form), true);
}

Query parse_query(std::string_view query)
{
    Query out;
    for (const auto part : split(query, '&')) {
        if (part.empty()) {
            continue;
        }
        const auto equals = std::min(part.find('='), part.size());
        out.emplace_back(uri_decode(part.substr(0, equals)),
                         uri_decode(part.substr(std::min(equals + 1, part.size()))));
    }
    return out;
}

std::string canonical_query(const Query& query)
{
    Query encoded;
    std::ranges::transform(query, std::back_inserter(encoded), [](const auto& one) {
        return std::pair(uri_encode(one.first, false), uri_encode(one.second, false));
    });
    std::ranges::sort(encoded);
    std::string out;
    for (const auto& [name, value] : encoded) {
        out.append(out.empty() ? "" : "&").append(name).append("=").append(value);
    }
    return out;
}

CanonicalHeaders canonical_headers(const std::vector<HttpHeader>& headers)
{
    std::map<std::string, std::string> joined;
    for (const HttpHeader& header : headers) {
        const auto [place, is_first] = joined.try_emplace(lower_case(header.name));
        place->second.append(is_first ? "" : ",").append(one_spaced(header.value));
    }
    CanonicalHeaders out;
    for (const auto& [name, value] : joined) {
        out.text.append(name).append(":").append(value).append("\n");
        out.signed_names.append(out.signed_names.empty() ? "" : ";").append(name);
    }
    return out;
}

} // namespace hostward::report
