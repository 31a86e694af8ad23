// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/secrets.h"

#include "agent/base/base64.h"
#include "hardening/models/lines.h"

#include <algorithm>
#include <array>
#include <optional>

namespace hostward::hardening {

namespace {

/// What a name ends in whose value is a secret, in lower case without `_` and `-`.
constexpr std::array<std::string_view, 9> kSecretNames{"password",  "passwd", "passphrase", "secret",    "token",
                                                       "secretkey", "apikey", "accesskey",  "privatekey"};

struct KnownToken {
    std::string_view prefix;
    std::size_t size; ///< at least
    const char* what;
};
constexpr std::array kTokens{
    KnownToken{"ghp_", 40, "a token of GitHub"},   KnownToken{"github_pat_", 40, "a token of GitHub"},
    KnownToken{"glpat-", 26, "a token of GitLab"}, KnownToken{"xoxb-", 30, "a token of Slack"},
    KnownToken{"xoxp-", 30, "a token of Slack"},   KnownToken{"sk_live_", 30, "a key of Stripe"},
    KnownToken{"npm_", 40, "a token of npm"},      KnownToken{"dop_v1_", 60, "a token of DigitalOcean"},
};

bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string_view unquoted(std::string_view value)
{
    value = trimmed(value);
    const char quote = value.empty() ? ' ' : value.front();
    if (quote == '"' || quote == '\'') {
        return value.substr(1, value.find(quote, 1) - 1);
    }
    return value.substr(0, value.find_first_of(" \t;,&|)}"));
}

/// Not a variable, a command, a hash, a path, a reference to a store, a placeholder or a flag.
bool is_literal(std::string_view value)
{
    constexpr std::array<std::string_view, 13> kWords{"true", "false", "yes",    "no",     "on", "off",     "null",
                                                      "none", "~",     "prompt", "random", "r",  "required"};
    constexpr std::array<std::string_view, 5> kReferences{"arn:", "{{", "vault:", "ssm:", "secretsmanager:"};
    constexpr std::size_t kShortest = 3;
    constexpr std::string_view kNotText = "$`/<%*!|>[{&(";
    const auto word = lower(value);
    return value.size() >= kShortest && kNotText.find(value.front()) == kNotText.npos &&
           std::ranges::find(kWords, word) == kWords.end() &&
           std::ranges::none_of(kReferences, [&](std::string_view begin) { return word.starts_with(begin); });
}

std::string plain_name(std::string_view name)
{
    std::string out = lower(name);
    std::erase_if(out, [](char c) { return c == '_' || c == '-'; });
    return out;
}

/// `NAME=value`, `name: value`, `"name": "value"`; of several on a line each.
std::optional<std::string> assigned_secret(std::string_view line)
{
    for (auto at = line.find_first_of("=:"); at != line.npos; at = line.find_first_of("=:", at + 1)) {
        auto left = line.substr(0, at);
        while (!left.empty() && (left.back() == '"' || left.back() == '\'' || left.back() == ' ')) {
            left.remove_suffix(1);
        }
        auto from = left.size();
        while (from > 0 && is_name(left[from - 1])) {
            --from;
        }
        const std::string name = plain_name(left.substr(from));
        const bool is_secret = std::ranges::any_of(kSecretNames, [&](auto end) { return name.ends_with(end); });
        if (is_secret && is_literal(unquoted(line.substr(at + 1)))) {
            return "a value for " + std::string(left.substr(from));
        }
    }
    return std::nullopt;
}

std::optional<std::string> password_in_url(std::string_view line)
{
    for (auto at = line.find("://"); at != line.npos; at = line.find("://", at + 3)) {
        const auto authority = line.substr(at + 3, line.substr(at + 3).find_first_of("/ \t\"'?#"));
        const auto sign = authority.rfind('@');
        const auto colon = authority.find(':');
        if (sign != authority.npos && colon < sign && is_literal(authority.substr(colon + 1, sign - colon - 1))) {
            return "a password in a URL";
        }
    }
    return std::nullopt;
}

std::optional<std::string> known_token(std::string_view line)
{
    for (const auto& token : kTokens) {
        const auto at = line.find(token.prefix);
        if (at == line.npos || (at > 0 && is_name(line[at - 1]))) {
            continue;
        }
        const auto rest = line.substr(at);
        const auto size = static_cast<std::size_t>(std::ranges::find_if_not(rest, is_name) - rest.begin());
        if (size >= token.size) {
            return token.what;
        }
    }
    return std::nullopt;
}

bool is_private_key(std::string_view line)
{
    return line.find("-----BEGIN ") != line.npos && line.find("PRIVATE KEY") != line.npos;
}

/// `user:password` lines below chpasswd, and what is piped to the program of this name.
class Chpasswd {
public:
    bool takes(std::string_view line)
    {
        const auto text = trimmed(line);
        const auto indent = static_cast<std::size_t>(text.data() - line.data());
        if (text == "chpasswd:" || text.starts_with("chpasswd: ")) {
            inside_ = true;
            indent_ = indent;
            return false;
        }
        if (inside_ && !text.empty() && indent <= indent_ && text.front() != '-') {
            inside_ = false;
        }
        return inside_ ? is_pair(text) : text.find("chpasswd") != text.npos && is_pair(quoted(text));
    }

private:
    static std::string_view quoted(std::string_view text)
    {
        const auto from = text.find_first_of("'\"");
        const auto to = from == text.npos ? from : text.find(text[from], from + 1);
        return to == text.npos ? std::string_view{} : text.substr(from + 1, to - from - 1);
    }
    static bool is_pair(std::string_view text)
    {
        while (!text.empty() &&
               (text.front() == '-' || text.front() == ' ' || text.front() == '"' || text.front() == '\'')) {
            text.remove_prefix(1);
        }
        const auto colon = text.find(':');
        const bool is_user = colon != text.npos && colon > 0 && std::ranges::all_of(text.substr(0, colon), is_name);
        // `expire: false` and the like have a blank, an account's password has none.
        return is_user && colon + 1 < text.size() && text[colon + 1] != ' ' &&
               is_literal(unquoted(text.substr(colon + 1)));
    }

    bool inside_ = false;
    std::size_t indent_ = 0;
};

std::optional<std::string> secret_of(std::string_view line, Chpasswd& chpasswd)
{
    if (is_private_key(line)) {
        return "a private key";
    }
    if (auto token = known_token(line)) {
        return token;
    }
    const bool is_pair = chpasswd.takes(line);
    const auto text = trimmed(line);
    if (text.empty() || text.front() == '#') {
        return std::nullopt;
    }
    if (is_pair) {
        return "a user's password for chpasswd";
    }
    auto url = password_in_url(line);
    return url ? url : assigned_secret(line);
}

void add_lines(std::string_view text, std::uint32_t first, std::vector<Secret>& out)
{
    Chpasswd chpasswd;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        if (out.size() >= kSecretsMax) {
            return;
        }
        if (auto what = secret_of(line, chpasswd)) {
            out.push_back({std::move(*what), first + number - 1});
        }
    });
    for (auto& key : find_aws_keys(text)) {
        key.line += first - 1;
        out.push_back(std::move(key));
    }
}

/// Bodies in base64 of a MIME message: cloud-init writes user data so.
void add_encoded(std::string_view text, std::vector<Secret>& out)
{
    enum class At { Outside, Header, Body } at = At::Outside;
    std::string body;
    std::uint32_t begins = 0;
    const auto finish = [&] {
        if (const auto plain = decoded_base64(body)) {
            std::vector<Secret> inner;
            add_lines(*plain, 1, inner);
            for (auto& secret : inner) {
                out.push_back({secret.what + ", in the part that begins here", begins});
            }
        }
        body.clear();
        at = At::Outside;
    };
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto word = trimmed(line);
        if (at == At::Body && (word.starts_with("--") || word.find(' ') != word.npos)) {
            finish();
        } else if (at == At::Body) {
            body += word;
        } else if (at == At::Header && word.empty()) {
            at = At::Body;
            begins = number + 1;
        } else if (lower(word) == "content-transfer-encoding: base64") {
            at = At::Header;
        }
    });
    if (at == At::Body) {
        finish();
    }
}

} // namespace

std::vector<Secret> find_secrets(std::string_view text)
{
    std::vector<Secret> out;
    add_lines(text, 1, out);
    add_encoded(text, out);
    std::ranges::stable_sort(out, {}, &Secret::line);
    return out;
}

} // namespace hostward::hardening
