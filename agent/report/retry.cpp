// SPDX-License-Identifier: Apache-2.0
#include "agent/report/retry.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hostward::report {

namespace {

constexpr std::size_t kShownMax = 200;
constexpr int kExponentMax = 5; // 2^5 s is more than kSleepMax

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/// Retry-After in seconds: a number, or a date.
std::int64_t asked_s(const HttpResponse* response, std::int64_t now_s)
{
    const auto text = response == nullptr ? std::nullopt : response->header("Retry-After");
    if (!text) {
        return 0;
    }
    if (const auto seconds = parse_number<std::int64_t>(*text)) {
        return std::max<std::int64_t>(*seconds, 0);
    }
    const auto date = parse_http_date(*text);
    return date ? std::max<std::int64_t>(*date - now_s, 0) : 0;
}

} // namespace

std::optional<std::chrono::milliseconds> sleep_before_retry(int attempt, double random, const HttpResponse* response,
                                                            std::int64_t now_s)
{
    const std::int64_t asked = asked_s(response, now_s);
    if (asked > kSleepMax.count()) {
        return std::nullopt;
    }
    const std::int64_t most_ms = std::min<std::int64_t>(1 << std::min(attempt, kExponentMax), kSleepMax.count()) * 1000;
    const auto jitter_ms = static_cast<std::int64_t>(random * static_cast<double>(most_ms));
    return std::chrono::milliseconds(std::max(jitter_ms, asked * 1000));
}

bool may_pass(HttpTrouble trouble)
{
    switch (trouble) {
    case HttpTrouble::Resolve:
    case HttpTrouble::Connect:
    case HttpTrouble::NoAnswer:
    case HttpTrouble::Broken: return true;
    case HttpTrouble::Tls:
    case HttpTrouble::TooLarge:
    case HttpTrouble::Local: break;
    }
    return false;
}

std::optional<std::int64_t> parse_http_date(std::string_view text)
{
    // "Sat, 21 Nov 2026 09:00:00 GMT"
    if (text.size() != 29 || text.substr(3, 2) != ", " || text.substr(25) != " GMT" || text[7] != ' ' ||
        text[11] != ' ' || text[16] != ' ' || text[19] != ':' || text[22] != ':') {
        return std::nullopt;
    }
    const auto* month = std::ranges::find(kMonths, text.substr(8, 3));
    const auto day = parse_number<unsigned>(text.substr(5, 2));
    const auto year = parse_number<int>(text.substr(12, 4));
    const auto hour = parse_number<int>(text.substr(17, 2));
    const auto minute = parse_number<int>(text.substr(20, 2));
    const auto second = parse_number<int>(text.substr(23, 2));
    if (month == kMonths.end() || !day || !year || !hour || !minute || !second || *hour > 23 || *minute > 59 ||
        *second > 60) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{std::chrono::year(*year),
                                           std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
                                           std::chrono::day(*day)};
    if (!date.ok()) {
        return std::nullopt;
    }
    const auto days = std::chrono::sys_days(date).time_since_epoch();
    return std::chrono::seconds(days).count() + std::int64_t{*hour} * 3600 + std::int64_t{*minute} * 60 + *second;
}

std::string shown(std::string_view text)
{
    const std::string_view line = text.substr(0, std::min(text.find_first_of("\r\n"), text.size()));
    return escape(line.substr(0, kShownMax));
}

} // namespace hostward::report
