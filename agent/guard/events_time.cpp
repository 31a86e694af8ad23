// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events_time.h"

#include "agent/base/text.h"

#include <array>
#include <ctime>
#include <utility>

namespace hostward::guard {

namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kSecondsMax = std::int64_t{9000000000}; ///< year 2255: nanoseconds still fit

/// `digits` digits at the start of `text`, taken away.
std::optional<int> take_digits(std::string_view& text, std::size_t digits)
{
    if (text.size() < digits || text.find_first_not_of("0123456789") < digits) {
        return std::nullopt;
    }
    const auto value = parse_number<int>(text.substr(0, digits));
    text.remove_prefix(digits);
    return value;
}

bool take(std::string_view& text, std::string_view any_of)
{
    if (text.empty() || any_of.find(text[0]) == std::string_view::npos) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

/// `.fraction`, cut to nanoseconds; 0 without one.
std::optional<std::int64_t> take_fraction(std::string_view& text)
{
    if (!take(text, ".")) {
        return 0;
    }
    std::int64_t value = 0;
    std::int64_t unit = kNsPerSecond / 10;
    const std::size_t before = text.size();
    while (const auto digit = take_digits(text, 1)) {
        value += *digit * unit;
        unit /= 10;
    }
    return text.size() == before ? std::nullopt : std::optional(value);
}

/// HH:MM[:SS[.fraction]][Z] in nanoseconds. All of `text`.
std::optional<std::int64_t> time_of_day(std::string_view text)
{
    const auto hour = take_digits(text, 2);
    if (!hour || *hour > 23 || !take(text, ":")) {
        return std::nullopt;
    }
    const auto minute = take_digits(text, 2);
    if (!minute || *minute > 59) {
        return std::nullopt;
    }
    std::optional<int> second = 0;
    std::optional<std::int64_t> fraction = 0;
    if (take(text, ":")) {
        second = take_digits(text, 2);
        fraction = take_fraction(text);
    }
    (void)take(text, "Z");                                       // UTC with and without
    if (!second || *second > 60 || !fraction || !text.empty()) { // 60: a leap second
        return std::nullopt;
    }
    const std::int64_t seconds = std::int64_t{*hour} * 3600 + std::int64_t{*minute} * 60 + *second;
    return seconds * kNsPerSecond + *fraction;
}

/// YYYY-MM-DD in seconds since 1970, taken away. Nothing for a day that does not exist.
std::optional<std::int64_t> take_date(std::string_view& text)
{
    const auto year = take_digits(text, 4);
    const bool dash = take(text, "-");
    const auto month = take_digits(text, 2);
    const bool dash2 = take(text, "-");
    const auto day = take_digits(text, 2);
    if (!year || !dash || !month || !dash2 || !day) {
        return std::nullopt;
    }
    std::tm parts{};
    parts.tm_year = *year - 1900;
    parts.tm_mon = *month - 1;
    parts.tm_mday = *day;
    const std::int64_t seconds = ::timegm(&parts); // normalises: 31 February becomes a day of March
    if (parts.tm_mon != *month - 1 || parts.tm_mday != *day || seconds < 0 || seconds > kSecondsMax) {
        return std::nullopt;
    }
    return seconds;
}

} // namespace

std::string rfc3339(std::int64_t wall_ns)
{
    std::int64_t seconds = wall_ns / kNsPerSecond;
    std::int64_t rest = wall_ns % kNsPerSecond;
    if (rest < 0) {
        rest += kNsPerSecond;
        --seconds;
    }
    const auto clock = static_cast<std::time_t>(seconds);
    std::tm parts{};
    std::array<char, 32> date{};
    if (::gmtime_r(&clock, &parts) == nullptr ||
        std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
        return "unknown";
    }
    std::string milliseconds = std::to_string(rest / kNsPerMs);
    milliseconds.insert(0, 3 - milliseconds.size(), '0');
    return std::string(date.data()) + "." + milliseconds + "Z";
}

std::optional<std::int64_t> parse_rfc3339(std::string_view text)
{
    const auto date = take_date(text);
    if (!date) {
        return std::nullopt;
    }
    if (text.empty()) {
        return *date * kNsPerSecond;
    }
    const auto time = take(text, "T ") ? time_of_day(text) : std::nullopt;
    return time ? std::optional(*date * kNsPerSecond + *time) : std::nullopt;
}

std::optional<std::int64_t> parse_since(std::string_view text, std::int64_t now_ns)
{
    constexpr std::array<std::pair<char, std::int64_t>, 5> kUnits{
        {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 7 * 86400}}};
    for (const auto& [letter, seconds] : kUnits) {
        if (!text.ends_with(letter)) {
            continue;
        }
        const auto ago = parse_number<std::int64_t>(text.substr(0, text.size() - 1));
        const bool fits = ago && *ago >= 0 && *ago <= kSecondsMax / seconds;
        return fits ? std::optional(now_ns - *ago * seconds * kNsPerSecond) : std::nullopt;
    }
    return parse_rfc3339(text);
}

} // namespace hostward::guard
