// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/faults.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>

namespace hostward::imds_sim {

namespace {

struct NumberSetting {
    std::string_view name;
    int lowest;
    int highest;
    int& (*field)(Settings&);
};
constexpr std::array<NumberSetting, 4> kNumbers{{
    {"slow", 0, kMaxSlowMs, [](Settings& s) -> int& { return s.faults.slow_ms; }},
    {"status", 400, 599, [](Settings& s) -> int& { return s.faults.status; }},
    {"throttle", 1, kMaxThrottlePerSecond, [](Settings& s) -> int& { return s.faults.throttle_per_second; }},
    {"hop-limit", 1, 64, [](Settings& s) -> int& { return s.hop_limit; }},
}};

struct WordSetting {
    std::string_view text;
    void (*apply)(Settings&);
};
constexpr std::array<WordSetting, 10> kWords{{
    {"garbage", [](Settings& s) { s.faults.kind = FaultKind::Garbage; }},
    {"reset", [](Settings& s) { s.faults.kind = FaultKind::Reset; }},
    {"hang", [](Settings& s) { s.faults.kind = FaultKind::Hang; }},
    {"on=all", [](Settings& s) { s.faults.scope = FaultScope::All; }},
    {"on=token", [](Settings& s) { s.faults.scope = FaultScope::Token; }},
    {"on=get", [](Settings& s) { s.faults.scope = FaultScope::Get; }},
    {"http-tokens=required", [](Settings& s) { s.tokens_required = true; }},
    {"http-tokens=optional", [](Settings& s) { s.tokens_required = false; }},
    {"http-endpoint=enabled", [](Settings& s) { s.endpoint_enabled = true; }},
    {"http-endpoint=disabled", [](Settings& s) { s.endpoint_enabled = false; }},
}};

std::string allowed_settings()
{
    std::string out = "allowed are ";
    for (const auto& number : kNumbers) {
        out += std::string(number.name) + "=" + std::to_string(number.lowest) + ".." + std::to_string(number.highest);
        out += " ";
    }
    for (const auto& word : kWords) {
        out += std::string(word.text) + " ";
    }
    out.pop_back();
    return out;
}

} // namespace

Status apply_setting(std::string_view setting, Settings& settings)
{
    if (const auto* word = std::ranges::find(kWords, setting, &WordSetting::text); word != kWords.end()) {
        word->apply(settings);
        return success();
    }
    const auto equals = setting.find('=');
    const auto* number = std::ranges::find(kNumbers, setting.substr(0, equals), &NumberSetting::name);
    if (number == kNumbers.end() || equals == std::string_view::npos) {
        return invalid_error("unknown setting " + quote(setting) + "; " + allowed_settings());
    }
    const auto value = parse_number<int>(setting.substr(equals + 1));
    if (!value || *value < number->lowest || *value > number->highest) {
        return invalid_error("setting " + quote(setting) + " is out of range; " + allowed_settings());
    }
    number->field(settings) = *value;
    return success();
}

Result<Settings> apply_settings(std::string_view lines, const Settings& base)
{
    Settings settings = base;
    for (auto line : split(lines, '\n')) {
        line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
        if (!line.empty() && line.front() != '#') {
            TRY(apply_setting(line, settings));
        }
    }
    return settings;
}

bool Throttle::allows(TimePoint now, int per_second)
{
    const double rate = per_second;
    if (!last_) {
        tokens_ = rate;
    } else {
        tokens_ = std::min(rate, tokens_ + rate * std::chrono::duration<double>(now - *last_).count());
    }
    last_ = now;
    if (tokens_ < 1) {
        return false;
    }
    tokens_ -= 1;
    return true;
}

} // namespace hostward::imds_sim
