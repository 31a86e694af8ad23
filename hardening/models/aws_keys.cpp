// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/lines.h"
#include "hardening/models/secrets.h"

#include <algorithm>
#include <optional>

namespace hostward::hardening {

namespace {

constexpr std::string_view kPrefix = "AKIA"; // of users; ASIA, of roles, ends by itself
constexpr std::size_t kIdSize = 20;
constexpr std::size_t kSecretSize = 40;
constexpr std::uint32_t kNearLines = 10;
constexpr std::string_view kExample = "EXAMPLE";

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_upper(c) || is_lower(c) || is_digit(c); }
bool is_base32(char c) { return is_upper(c) || (c >= '2' && c <= '7'); }
bool is_base64(char c) { return is_word(c) || c == '/' || c == '+'; }

struct Id {
    std::string shown;
    std::uint32_t line = 0;
};

bool is_id(std::string_view line, std::size_t at)
{
    const auto id = line.substr(at, kIdSize);
    return id.size() == kIdSize && std::ranges::all_of(id.substr(kPrefix.size()), is_base32) &&
           (at == 0 || !is_word(line[at - 1])) && (at + kIdSize == line.size() || !is_word(line[at + kIdSize])) &&
           !id.ends_with(kExample);
}

void add_ids(std::string_view line, std::uint32_t number, std::vector<Id>& out)
{
    constexpr std::size_t kTail = 4;
    for (auto at = line.find(kPrefix); at != line.npos; at = line.find(kPrefix, at + 1)) {
        if (is_id(line, at) && out.size() < kSecretsMax) {
            out.push_back(
                {std::string(kPrefix) + "..." + std::string(line.substr(at + kIdSize - kTail, kTail)), number});
        }
    }
}

/// Hashes in hex have 40 characters, too, and no upper case beside lower.
bool is_secret(std::string_view run)
{
    return run.size() == kSecretSize && run.find(kExample) == run.npos && std::ranges::any_of(run, is_upper) &&
           std::ranges::any_of(run, is_lower) && std::ranges::any_of(run, is_digit);
}

bool has_secret(std::string_view line)
{
    for (std::size_t at = 0; at < line.size();) {
        const auto end = std::ranges::find_if_not(line.substr(at), is_base64) - line.begin();
        const auto run = line.substr(at, static_cast<std::size_t>(end) - at);
        if (is_secret(run)) {
            return true;
        }
        at += run.size() + 1;
    }
    return false;
}

} // namespace

std::vector<Secret> find_aws_keys(std::string_view text)
{
    if (text.find(kPrefix) == text.npos) {
        return {};
    }
    std::vector<Id> ids;
    std::vector<std::uint32_t> secrets;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        add_ids(line, number, ids);
        if (has_secret(line)) {
            secrets.push_back(number);
        }
    });
    std::vector<Secret> out;
    for (const auto& id : ids) {
        const auto near = std::ranges::lower_bound(secrets, id.line > kNearLines ? id.line - kNearLines : 0);
        if (near != secrets.end() && *near <= id.line + kNearLines) {
            out.push_back({"long-lived AWS key " + id.shown + " with its secret", id.line});
        }
    }
    return out;
}

} // namespace hostward::hardening
