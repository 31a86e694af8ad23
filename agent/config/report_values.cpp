// SPDX-License-Identifier: Apache-2.0
#include "agent/config/report_values.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace hostward::config {

namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";
constexpr std::string_view kAlphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr std::size_t kUrlBytesMax = 2048;

bool all_in(std::string_view text, std::string_view allowed, std::string_view more = "")
{
    return std::ranges::all_of(text, [&](char c) {
        return allowed.find(c) != std::string_view::npos || more.find(c) != std::string_view::npos;
    });
}

bool sized(std::string_view text, std::size_t least, std::size_t most)
{
    return text.size() >= least && text.size() <= most;
}

/// Printable ASCII: nothing that could end a header or a line.
bool is_visible(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_loopback(std::string_view authority)
{
    constexpr std::array kHosts{std::string_view("127.0.0.1"), std::string_view("localhost"),
                                std::string_view("[::1]")};
    return std::ranges::any_of(kHosts, [&](std::string_view host) {
        const auto rest = authority.starts_with(host) ? authority.substr(host.size()) : "?";
        return rest.empty() || (rest.front() == ':' && parse_number<std::uint16_t>(rest.substr(1)));
    });
}

/// The host and port of a URL and what follows, if it is one that reports may go to.
std::optional<std::pair<std::string_view, std::string_view>> split_url(std::string_view url)
{
    constexpr std::string_view kHttps = "https://";
    constexpr std::string_view kHttp = "http://";
    const bool is_https = url.starts_with(kHttps);
    if (!sized(url, 1, kUrlBytesMax) || !is_visible(url) || (!is_https && !url.starts_with(kHttp))) {
        return std::nullopt;
    }
    url.remove_prefix(is_https ? kHttps.size() : kHttp.size());
    const auto authority = url.substr(0, url.find_first_of("/?#"));
    const bool is_host = !authority.empty() && all_in(authority, kAlphanumeric, ".-_:[]");
    if (!is_host || (!is_https && !is_loopback(authority))) {
        return std::nullopt;
    }
    return std::pair(authority, url.substr(authority.size()));
}

bool is_url(std::string_view text) { return split_url(text) && text.find('#') == std::string_view::npos; }

bool is_endpoint(std::string_view text)
{
    const auto parts = split_url(text);
    return parts && parts->second.empty();
}

bool is_proxy(std::string_view text)
{
    const auto scheme = text.substr(0, text.find("://"));
    return sized(text, scheme.size() + 4, kUrlBytesMax) && is_visible(text) &&
           (scheme == "http" || scheme == "https") && text.find('@') == std::string_view::npos;
}

bool is_path(std::string_view text)
{
    const bool control = std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    return text.starts_with('/') && text.size() <= 4096 && !control;
}

bool is_prefix(std::string_view text)
{
    return text.empty() || (text.size() <= 512 && text.ends_with('/') && !text.starts_with('/') &&
                            text.find("//") == std::string_view::npos && all_in(text, kAlphanumeric, "/=._-"));
}

bool is_compliance_type(std::string_view text)
{
    constexpr std::string_view kCustom = "Custom:";
    return text.starts_with(kCustom) && sized(text, kCustom.size() + 1, 100) &&
           all_in(text.substr(kCustom.size()), kAlphanumeric, "_-.");
}

template <std::size_t size> std::optional<std::uint64_t>
parse_unit(std::string_view text, const std::array<std::pair<std::string_view, std::uint64_t>, size>& units)
{
    const auto digits = text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
    const auto number = parse_number<std::uint64_t>(digits);
    const auto unit =
        std::ranges::find(units, text.substr(digits.size()), &std::pair<std::string_view, std::uint64_t>::first);
    if (!number || unit == units.end() || *number > std::numeric_limits<std::int64_t>::max() / unit->second) {
        return std::nullopt;
    }
    return *number * unit->second;
}

} // namespace

const TextForm kSinkNameForm{"1 to 64 of a-z, 0-9 and -",
                             [](std::string_view text) { return sized(text, 1, 64) && all_in(text, kLower, "-"); }};
const TextForm kPathForm{"an absolute path", is_path};
const TextForm kUrlForm{"an https URL without user and fragment (http to 127.0.0.1, [::1] and localhost only)", is_url};
const TextForm kEndpointForm{"https://HOST or https://HOST:PORT (http to 127.0.0.1, [::1] and localhost only)",
                             is_endpoint};
const TextForm kProxyForm{"http://HOST:PORT or https://HOST:PORT without user and password", is_proxy};
const TextForm kRegionForm{"a region such as \"eu-central-1\"",
                           [](std::string_view text) { return sized(text, 5, 32) && all_in(text, kLower, "-"); }};
const TextForm kBucketForm{"3 to 63 of a-z, 0-9, . and -",
                           [](std::string_view text) { return sized(text, 3, 63) && all_in(text, kLower, ".-"); }};
const TextForm kPrefixForm{"\"\" or letters, digits and / = . _ - that do not begin with and do end in one /",
                           is_prefix};
const TextForm kAccountForm{"twelve digits",
                            [](std::string_view text) { return sized(text, 12, 12) && all_in(text, "0123456789"); }};
const TextForm kLogGroupForm{"1 to 512 letters, digits and . - _ / #", [](std::string_view text) {
                                 return sized(text, 1, 512) && all_in(text, kAlphanumeric, ".-_/#");
                             }};
const TextForm kLogStreamForm{"1 to 512 printable characters without space, : and *", [](std::string_view text) {
                                  return sized(text, 1, 512) && is_visible(text) &&
                                         text.find_first_of(":*") == std::string_view::npos;
                              }};
const TextForm kComplianceForm{"\"Custom:NAME\", at most 100 bytes", is_compliance_type};
const TextForm kAudienceForm{"1 to 256 printable ASCII characters without space",
                             [](std::string_view text) { return sized(text, 1, 256) && is_visible(text); }};
const TextForm kProfileForm{"the id of a profile, such as \"ec2\"",
                            [](std::string_view text) { return sized(text, 1, 64) && all_in(text, kLower, ".-"); }};

std::optional<std::chrono::seconds> parse_duration(std::string_view text)
{
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 4> kUnits{
        {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}};
    const auto seconds = parse_unit(text, kUnits);
    return seconds ? std::optional(std::chrono::seconds(*seconds)) : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text)
{
    constexpr std::array<std::pair<std::string_view, std::uint64_t>, 3> kUnits{
        {{"KiB", 1U << 10}, {"MiB", 1U << 20}, {"GiB", 1U << 30}}};
    return parse_unit(text, kUnits);
}

} // namespace hostward::config
