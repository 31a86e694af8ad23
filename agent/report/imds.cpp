// SPDX-License-Identifier: Apache-2.0
#include "agent/report/imds.h"

#include "agent/base/text.h"
#include "agent/report/imds_client.h"
#include "agent/report/random.h"
#include "agent/report/sigv4_canonical.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <thread>

namespace hostward::report {

namespace {

constexpr auto kIpv6Endpoint = "http://[fd00:ec2::254]";
constexpr std::chrono::milliseconds kConnectTimeout{1000};
constexpr std::chrono::milliseconds kTotalTimeout{2000};

bool is_word(std::string_view text, std::string_view lower)
{
    return std::ranges::equal(
        text, lower, [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b; });
}

Result<std::string> endpoint_of(const std::string& url, const std::string& mode)
{
    if (!url.empty()) {
        const auto parts = split_url(url);
        if (!parts || !parts->query.empty() || url.find('?') != std::string::npos) {
            return invalid_error("AWS_EC2_METADATA_SERVICE_ENDPOINT is no http or https URL: " + quote(url));
        }
        return url.substr(0, url.find_last_not_of('/') + 1);
    }
    if (mode.empty() || is_word(mode, "ipv4")) {
        return ImdsOptions{}.endpoint;
    }
    if (is_word(mode, "ipv6")) {
        return std::string(kIpv6Endpoint);
    }
    return invalid_error("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE is neither IPv4 nor IPv6: " + quote(mode));
}

/// From 0 to less than 1. Not std::random_device: libstdc++'s archive asks for arc4random, which glibc has since 2.36.
double fraction()
{
    std::array<unsigned char, sizeof(std::uint32_t)> bytes{};
    fill_random(bytes.data(), bytes.size());
    return std::bit_cast<std::uint32_t>(bytes) / 4294967296.0;
}

ImdsClock system_clock()
{
    return {.now = [] { return std::chrono::steady_clock::now(); },
            .sleep = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); },
            .random = fraction};
}

} // namespace

Result<ImdsOptions> imds_options(const std::function<std::string(const char*)>& variable)
{
    ImdsOptions options;
    options.disabled = is_word(variable("AWS_EC2_METADATA_DISABLED"), "true");
    TRY_ASSIGN(options.endpoint, endpoint_of(variable("AWS_EC2_METADATA_SERVICE_ENDPOINT"),
                                             variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")));
    return options;
}

Result<std::unique_ptr<Imds>> open_imds(const ImdsOptions& options)
{
    TRY_ASSIGN(auto http, open_http({.connect_timeout = kConnectTimeout,
                                     .total_timeout = kTotalTimeout,
                                     .response_bytes_max = kImdsAnswerBytesMax,
                                     .only_https = false,
                                     .proxy = {},
                                     .ca_file = {},
                                     .client_certificate = {},
                                     .client_key = {}}));
    return std::unique_ptr<Imds>(std::make_unique<ImdsClient>(options, std::move(http), system_clock()));
}

} // namespace hostward::report
