// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/authorized_keys.h"

#include "agent/base/text.h"
#include "hardening/models/accounts.h"
#include "agent/base/base64.h"
#include "hardening/models/sshd_effective.h"

#include <algorithm>
#include <array>
#include <bit>
#include <set>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 2> kDefaultFiles{".ssh/authorized_keys", ".ssh/authorized_keys2"};
constexpr std::size_t kLengthSize = 4;
constexpr unsigned kByteBits = 8;

/// The next of the strings in a key (RFC 4251 section 5), taken away from `rest`.
std::optional<std::string_view> take_string(std::string_view& rest)
{
    if (rest.size() < kLengthSize) {
        return std::nullopt;
    }
    std::size_t size = 0;
    for (std::size_t i = 0; i < kLengthSize; ++i) {
        size = (size << kByteBits) | static_cast<unsigned char>(rest[i]);
    }
    rest.remove_prefix(kLengthSize);
    if (size > rest.size()) {
        return std::nullopt;
    }
    const auto out = rest.substr(0, size);
    rest.remove_prefix(size);
    return out;
}

int bits_of(std::string_view number)
{
    while (!number.empty() && number.front() == '\0') {
        number.remove_prefix(1);
    }
    if (number.empty()) {
        return 0;
    }
    const auto first = static_cast<unsigned char>(number.front());
    return static_cast<int>((number.size() - 1) * kByteBits) + std::bit_width(first);
}

/// Of RSA the modulus comes after the exponent, of DSA the prime comes first.
std::optional<int> key_bits(const std::string& blob, std::string_view type)
{
    std::string_view rest(blob);
    const auto inner = take_string(rest);
    if (!inner || *inner != type) {
        return std::nullopt;
    }
    if (type != "ssh-rsa" && type != "ssh-dss") {
        return 0;
    }
    auto number = take_string(rest);
    if (number && type == "ssh-rsa") {
        number = take_string(rest);
    }
    return number ? std::optional(bits_of(*number)) : std::nullopt;
}

bool is_type(std::string_view word)
{
    return word.starts_with("ssh-") || word.starts_with("ecdsa-sha2-") || word.starts_with("sk-");
}

/// Where the options end: at the first blank outside of quotes.
std::size_t end_of_options(std::string_view line)
{
    bool is_quoted = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
        if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '"') {
            ++at;
        } else if (line[at] == '"') {
            is_quoted = !is_quoted;
        } else if (!is_quoted && (line[at] == ' ' || line[at] == '\t')) {
            return at;
        }
    }
    return line.size();
}

void add_words(const std::string& text, std::vector<std::string>& out)
{
    for (const auto word : words(text)) {
        out.emplace_back(word);
    }
}

std::vector<std::string> file_patterns(Facts& facts)
{
    std::vector<std::string> out;
    const auto& config = facts.get<SshdConfig>();
    if (config && config->is_there) {
        const SshdConnection nobody;
        const auto effective = evaluate_sshd(*config, &nobody);
        const auto found = effective.values.find("authorizedkeysfile");
        for (const auto& value : found == effective.values.end() ? std::vector<SshdValue>{} : found->second) {
            add_words(value.text, out);
        }
        for (const auto& change : sshd_overrides(*config)) {
            if (change.keyword == "authorizedkeysfile") {
                add_words(change.value.text, out);
            }
        }
    }
    if (out.empty()) {
        out.assign(kDefaultFiles.begin(), kDefaultFiles.end());
    }
    std::erase(out, "none");
    return out;
}

/// %h, %u and %%; nothing else can stand there.
std::string path_for(std::string_view pattern, const User& user)
{
    std::string out;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] != '%' || at + 1 == pattern.size()) {
            out += pattern[at];
            continue;
        }
        ++at;
        switch (pattern[at]) {
        case 'h': out += user.home; break;
        case 'u': out += user.name; break;
        case 'U': out += std::to_string(user.uid); break;
        default: out += pattern[at]; break;
        }
    }
    return out.starts_with('/') ? out : user.home + "/" + out;
}

void read_file(const host::Host& host, const User& user, const std::string& path, AuthorizedKeys& out)
{
    const auto text = host::read_optional(host, path);
    if (!text) {
        out.unknown.push_back(text.error().text);
        return;
    }
    if (!*text) {
        return;
    }
    AuthorizedKeysFile file{user.name, user.uid, user.home, path, {}, {}};
    for_each_line(**text, [&](std::string_view line, std::uint32_t number) {
        const Origin origin{path, number};
        const auto word = trimmed(line);
        if (auto key = parse_authorized_key(line, origin)) {
            file.keys.push_back(std::move(*key));
        } else if (!word.empty() && word.front() != '#') {
            file.unusable.push_back(origin);
        }
    });
    out.files.push_back(std::move(file));
}

} // namespace

std::optional<AuthorizedKey> parse_authorized_key(std::string_view line, Origin origin)
{
    line = trimmed(line);
    if (line.empty() || line.front() == '#') {
        return std::nullopt;
    }
    AuthorizedKey key;
    key.origin = std::move(origin);
    if (!is_type(line.substr(0, line.find_first_of(" \t")))) {
        const auto end = end_of_options(line);
        key.options = line.substr(0, end);
        line = trimmed(line.substr(end));
    }
    const auto parts = words(line);
    if (parts.size() < 2 || !is_type(parts[0])) {
        return std::nullopt;
    }
    key.type = parts[0];
    key.blob = parts[1];
    const auto plain = decoded_base64(key.blob);
    const auto bits = plain ? key_bits(*plain, key.type) : std::nullopt;
    if (!bits) {
        return std::nullopt;
    }
    key.bits = *bits;
    const auto end = static_cast<std::size_t>(parts[1].data() + parts[1].size() - line.data());
    key.comment = trimmed(line.substr(end));
    return key;
}

Result<AuthorizedKeys> AuthorizedKeys::read(Facts& facts)
{
    const auto& passwd = facts.get<Passwd>();
    if (!passwd) {
        return passwd.error();
    }
    if (!passwd->is_there) {
        return Error{ErrorKind::NotFound, 0, "/etc/passwd is missing: whose keys there are cannot be told"};
    }
    AuthorizedKeys out;
    const auto patterns = file_patterns(facts);
    std::set<std::string> seen;
    for (const auto& user : passwd->users) {
        if (!user.home.starts_with('/')) {
            continue;
        }
        for (const auto& pattern : patterns) {
            const std::string path = path_for(pattern, user);
            if (seen.insert(path).second) {
                read_file(facts.host(), user, path, out);
            }
        }
    }
    return out;
}

} // namespace hostward::hardening
