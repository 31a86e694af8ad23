// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/lines.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

} // namespace

std::string Origin::text() const { return line == 0 ? file : file + ":" + std::to_string(line); }

void for_each_line(std::string_view text, const std::function<void(std::string_view line, std::uint32_t number)>& each)
{
    for (std::uint32_t number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        each(text.substr(0, end), number);
        text.remove_prefix(end == text.npos ? text.size() : end + 1);
    }
}

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(kBlanks);
    const auto last = text.find_last_not_of(kBlanks);
    return first == text.npos ? std::string_view{} : text.substr(first, last - first + 1);
}

std::vector<std::string_view> words(std::string_view text)
{
    std::vector<std::string_view> found;
    for (auto rest = trimmed(text); !rest.empty(); rest = trimmed(rest)) {
        const auto end = rest.find_first_of(kBlanks);
        found.push_back(rest.substr(0, end));
        rest.remove_prefix(end == rest.npos ? rest.size() : end);
    }
    return found;
}

std::string lower(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return out;
}

std::string joined(const std::vector<std::string>& list, std::string_view between)
{
    std::string text;
    for (const auto& one : list) {
        text += text.empty() ? "" : between;
        text += one;
    }
    return text;
}

} // namespace hostward::hardening
