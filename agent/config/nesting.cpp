// SPDX-License-Identifier: Apache-2.0
#include "agent/config/nesting.h"

#include <algorithm>

namespace hostward::config {

namespace {

/// Where the string that begins at `at` ends: the index after its closing quotes, or the end of what is no string.
std::size_t string_end(std::string_view text, std::size_t at)
{
    const char quote = text[at];
    const char triple[] = {quote, quote, quote};
    const std::string_view three(triple, sizeof(triple));
    const bool multiline = text.substr(at, 3) == three;
    at += multiline ? 3 : 1;
    while (at < text.size()) {
        if (quote == '"' && text[at] == '\\') {
            at += 2;
        } else if (multiline && text.substr(at, 3) == three) {
            // Up to two more quotes still belong to the string.
            const auto last = std::min(text.find_first_not_of(quote, at), text.size());
            return std::min(last, at + 5);
        } else if (!multiline && (text[at] == quote || text[at] == '\n')) {
            return text[at] == quote ? at + 1 : at;
        } else {
            ++at;
        }
    }
    return text.size();
}

} // namespace

std::uint32_t line_with_deep_key(std::string_view toml, std::size_t dots_max)
{
    std::uint32_t line = 1;
    std::size_t dots = 0;
    for (std::size_t at = 0; at < toml.size();) {
        std::size_t next = at + 1;
        if (toml[at] == '\n') {
            ++line;
            dots = 0;
        } else if (toml[at] == '#') {
            next = std::min(toml.find('\n', at), toml.size());
        } else if (toml[at] == '"' || toml[at] == '\'') {
            next = string_end(toml, at);
            const auto inside = toml.substr(at, next - at);
            line += static_cast<std::uint32_t>(std::ranges::count(inside, '\n'));
        } else if (toml[at] == '.' && ++dots > dots_max) {
            return line;
        }
        at = next;
    }
    return 0;
}

} // namespace hostward::config
