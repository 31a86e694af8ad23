// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"

#include <array>
#include <cstdint>

namespace hostward {

namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

void append_hex(std::string& out, unsigned char byte)
{
    out += "\\x";
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 15];
}

/// Length of the valid UTF-8 sequence at `at` (RFC 3629: no overlong forms, surrogates, > U+10FFFF), or 0.
std::size_t utf8_length(std::string_view text, std::size_t at)
{
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at);
    std::size_t length = 0;
    std::uint32_t code = 0;
    std::uint32_t lowest = 0;
    if (first >= 0xc2 && first <= 0xdf) {
        length = 2, code = first & 0x1fU, lowest = 0x80;
    } else if ((first & 0xf0U) == 0xe0) {
        length = 3, code = first & 0x0fU, lowest = 0x800;
    } else if (first >= 0xf0 && first <= 0xf4) {
        length = 4, code = first & 0x07U, lowest = 0x10000;
    } else {
        return 0;
    }
    if (text.size() - at < length) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0U) != 0x80) {
            return 0;
        }
        code = (code << 6) | (byte(at + i) & 0x3fU);
    }
    const bool surrogate = code >= 0xd800 && code <= 0xdfff;
    // C1 controls and the line and direction marks can rewrite what a terminal shows.
    const bool invisible = (code >= 0x80 && code <= 0x9f) || (code >= 0x200b && code <= 0x200f) ||
                           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
    return code < lowest || code > 0x10ffff || surrogate || invisible ? 0 : length;
}

} // namespace

std::string escape(std::string_view raw)
{
    std::string out;
    out.reserve(raw.size());
    for (std::size_t i = 0; i < raw.size();) {
        const auto byte = static_cast<unsigned char>(raw[i]);
        if (byte == '\\' || byte == '"') {
            out += '\\';
            out += raw[i++];
        } else if (byte >= 0x20 && byte < 0x7f) {
            out += raw[i++];
        } else if (const std::size_t length = byte < 0x80 ? 0 : utf8_length(raw, i); length > 0) {
            out += raw.substr(i, length);
            i += length;
        } else {
            append_hex(out, byte);
            ++i;
        }
    }
    return out;
}

std::string quote(std::string_view raw) { return '"' + escape(raw) + '"'; }

std::vector<std::string_view> split(std::string_view text, char separator)
{
    std::vector<std::string_view> parts;
    while (true) {
        const auto at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(at + 1);
    }
}

std::string hex(const unsigned char* bytes, std::size_t size)
{
    std::string out;
    out.reserve(2 * size);
    for (std::size_t i = 0; i < size; ++i) {
        out += kHexDigits[bytes[i] >> 4];
        out += kHexDigits[bytes[i] & 15];
    }
    return out;
}

} // namespace hostward
