// SPDX-License-Identifier: Apache-2.0
#include "agent/report/base64.h"

#include "agent/base/base64.h"

#include <openssl/evp.h>

#include <algorithm>

namespace hostward::report {

namespace {

constexpr std::size_t kGroup = 4; ///< digits that stand for three bytes

} // namespace

std::string base64(std::string_view bytes)
{
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0'); // OpenSSL ends it with a zero
    const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), from, static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(length));
    return out;
}

std::optional<std::string> from_base64(std::string_view text)
{
    const auto bytes = decoded_base64(text);
    // Padding and the unused bits of the last digit have one right value each.
    return bytes && base64(*bytes) == text ? bytes : std::nullopt;
}

std::optional<std::string> from_base64url(std::string_view text)
{
    if (text.find_first_of("+/=") != text.npos) {
        return std::nullopt;
    }
    std::string plain(text);
    std::ranges::replace(plain, '-', '+');
    std::ranges::replace(plain, '_', '/');
    plain.append((kGroup - plain.size() % kGroup) % kGroup, '=');
    return from_base64(plain);
}

} // namespace hostward::report
