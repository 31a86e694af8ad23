// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/token.h"

#include <sys/random.h>

#include <bit>
#include <cstring>
#include <optional>

namespace hostward::imds_sim {

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kTokenBytes = 40; ///< 56 characters of base64
constexpr std::size_t kTokenChars = 56;
/// First bytes of every token: they read "AQAE", which makes a token recognisable in a log.
constexpr std::array<std::uint8_t, 4> kPrefix{1, 0, 4, 0};

// Layout of a token: prefix, serial number, expiry (ms of the steady clock), filling, checksum of all before.
constexpr std::size_t kSerialAt = 4;
constexpr std::size_t kExpiryAt = 8;
constexpr std::size_t kFillingAt = 16;
constexpr std::size_t kChecksumAt = 32;

using TokenBytes = std::array<std::uint8_t, kTokenBytes>;

std::string encode(const TokenBytes& bytes)
{
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto at = [&](std::size_t k) { return k < bytes.size() ? std::uint32_t{bytes[k]} : 0U; };
        const std::uint32_t group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        for (int shift = 18; shift >= 0; shift -= 6) {
            out += kAlphabet[group >> shift & 63];
        }
    }
    out.replace(kTokenChars - 2, 2, "=="); // 40 bytes leave one byte in the last group
    return out;
}

std::optional<TokenBytes> decode(std::string_view text)
{
    if (text.size() != kTokenChars || !text.ends_with("==")) {
        return std::nullopt;
    }
    TokenBytes bytes{};
    for (std::size_t i = 0; i < kTokenChars - 2; ++i) {
        const auto value = kAlphabet.find(text[i]);
        if (value == std::string_view::npos) {
            return std::nullopt;
        }
        for (std::size_t bit = 0; bit < 6; ++bit) {
            const std::size_t position = i * 6 + bit;
            if ((value >> (5 - bit) & 1) != 0 && position / 8 < bytes.size()) {
                bytes[position / 8] = static_cast<std::uint8_t>(bytes[position / 8] | 0x80U >> position % 8);
            }
        }
    }
    return bytes;
}

struct SipState {
    std::uint64_t v0, v1, v2, v3;

    void rounds(int count)
    {
        for (int i = 0; i < count; ++i) {
            v0 += v1, v1 = std::rotl(v1, 13) ^ v0, v0 = std::rotl(v0, 32);
            v2 += v3, v3 = std::rotl(v3, 16) ^ v2;
            v0 += v3, v3 = std::rotl(v3, 21) ^ v0;
            v2 += v1, v1 = std::rotl(v1, 17) ^ v2, v2 = std::rotl(v2, 32);
        }
    }
};

std::int64_t milliseconds(TokenIssuer::TimePoint time)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

} // namespace

Result<TokenIssuer> TokenIssuer::create()
{
    Secret secret;
    if (::getrandom(&secret, sizeof secret, 0) != sizeof secret) {
        return system_error(errno, "draw the token secret");
    }
    return TokenIssuer(secret);
}

std::string TokenIssuer::issue(TimePoint now, std::chrono::seconds ttl)
{
    TokenBytes bytes{};
    std::memcpy(bytes.data(), kPrefix.data(), kPrefix.size());
    const std::uint32_t serial = ++issued_; // alone makes the token unique
    std::memcpy(&bytes[kSerialAt], &serial, sizeof serial);
    const std::int64_t expiry = milliseconds(now + ttl);
    std::memcpy(&bytes[kExpiryAt], &expiry, sizeof expiry);
    // The filling hides the counting, as a real token shows none.
    for (std::size_t at = kFillingAt; at <= kChecksumAt; at += sizeof(std::uint64_t)) {
        const std::uint64_t sum = checksum(bytes.data(), at);
        std::memcpy(&bytes[at], &sum, sizeof sum);
    }
    return encode(bytes);
}

TokenState TokenIssuer::check(std::string_view token, TimePoint now) const
{
    const auto bytes = decode(token);
    if (!bytes || encode(*bytes) != token) {
        return TokenState::Invalid;
    }
    std::uint64_t sum = 0;
    std::memcpy(&sum, &(*bytes)[kChecksumAt], sizeof sum);
    if (std::memcmp(bytes->data(), kPrefix.data(), kPrefix.size()) != 0 ||
        sum != checksum(bytes->data(), kChecksumAt)) {
        return TokenState::Invalid;
    }
    std::int64_t expiry = 0;
    std::memcpy(&expiry, &(*bytes)[kExpiryAt], sizeof expiry);
    return milliseconds(now) < expiry ? TokenState::Valid : TokenState::Expired;
}

/// SipHash-2-4 of a whole number of 8-byte words: keyed, short, and no dependency.
std::uint64_t TokenIssuer::checksum(const std::uint8_t* bytes, std::size_t size) const
{
    SipState state{secret_.first ^ 0x736f6d6570736575U, secret_.second ^ 0x646f72616e646f6dU,
                   secret_.first ^ 0x6c7967656e657261U, secret_.second ^ 0x7465646279746573U};
    const auto absorb = [&](std::uint64_t word) {
        state.v3 ^= word;
        state.rounds(2);
        state.v0 ^= word;
    };
    for (std::size_t at = 0; at + 8 <= size; at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes + at, sizeof word);
        absorb(word);
    }
    absorb(std::uint64_t{size & 0xff} << 56);
    state.v2 ^= 0xff;
    state.rounds(4);
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

} // namespace hostward::imds_sim
