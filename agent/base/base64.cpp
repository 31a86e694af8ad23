// SPDX-License-Identifier: Apache-2.0
#include "agent/base/base64.h"

#include <cstdint>

namespace hostward {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::size_t kGroup = 4;
constexpr unsigned kDigitBits = 6;
constexpr unsigned kByteBits = 8;

} // namespace

std::optional<std::string> decoded_base64(std::string_view text)
{
    for (int i = 0; i < 2 && text.ends_with('='); ++i) {
        text.remove_suffix(1);
    }
    if (text.size() % kGroup == 1) {
        return std::nullopt;
    }
    std::string out;
    out.reserve(text.size() / kGroup * 3 + 2);
    std::uint32_t bits = 0;
    unsigned count = 0;
    for (const char c : text) {
        const auto digit = kAlphabet.find(c);
        if (digit == kAlphabet.npos) {
            return std::nullopt;
        }
        bits = (bits << kDigitBits) | static_cast<std::uint32_t>(digit);
        count += kDigitBits;
        if (count >= kByteBits) {
            count -= kByteBits;
            out.push_back(static_cast<char>(bits >> count));
        }
    }
    return out;
}

} // namespace hostward
