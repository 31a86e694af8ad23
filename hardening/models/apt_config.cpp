// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/apt_config.h"

#include "agent/base/text.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr auto kFolder = "/etc/apt/apt.conf.d";
constexpr auto kFile = "/etc/apt/apt.conf";
constexpr std::size_t kDepthMax = 50;

struct Token {
    enum class Kind { Word, Text, Open, Close, End } kind = Kind::End;
    std::string text;
    std::uint32_t line = 0;
};

/// Words, quoted texts, braces and semicolons.
class Tokens {
public:
    explicit Tokens(std::string_view text) : text_(text) {}

    /// Kind::End with no text: the end of the file.
    Result<Token> next()
    {
        skip();
        if (at_ >= text_.size()) {
            return Token{Token::Kind::End, "", line_};
        }
        const char c = text_[at_];
        if (c == '{' || c == '}' || c == ';') {
            ++at_;
            const auto kind = c == '{' ? Token::Kind::Open : c == '}' ? Token::Kind::Close : Token::Kind::End;
            return Token{kind, std::string(1, c), line_};
        }
        if (c == '"') {
            const auto end = text_.find('"', at_ + 1);
            if (end == text_.npos || text_.substr(at_, end - at_).find('\n') != text_.npos) {
                return invalid_error("a quote that does not end");
            }
            Token out{Token::Kind::Text, std::string(text_.substr(at_ + 1, end - at_ - 1)), line_};
            at_ = end + 1;
            return out;
        }
        const auto end = std::min(text_.find_first_of(" \t\r\n;{}\"", at_), text_.size());
        Token out{Token::Kind::Word, std::string(text_.substr(at_, end - at_)), line_};
        at_ = end;
        return out;
    }

private:
    bool begins(std::string_view what) const { return text_.substr(at_).starts_with(what); }

    void skip_to(std::string_view end, std::size_t kept)
    {
        const auto to = text_.find(end, at_);
        const auto stop = to == text_.npos ? text_.size() : to + kept;
        line_ += static_cast<std::uint32_t>(std::ranges::count(text_.substr(at_, stop - at_), '\n'));
        at_ = stop;
    }

    void skip()
    {
        while (at_ < text_.size()) {
            if (begins("//") || begins("#")) {
                skip_to("\n", 0);
            } else if (begins("/*")) {
                skip_to("*/", 2);
            } else if (std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos) {
                line_ += text_[at_] == '\n' ? 1U : 0U;
                ++at_;
            } else {
                return;
            }
        }
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
};

/// Statements as they are read: what stands between `;`, within the scopes that braces open.
class Reader {
public:
    Reader(const std::string& file, AptConfig& out) : file_(file), out_(out) {}

    Status take(const Token& token)
    {
        switch (token.kind) {
        case Token::Kind::Word:
            (has_name_ ? value_ : name_) = token.text;
            has_name_ = true;
            break;
        case Token::Kind::Text:
            value_ = token.text;
            has_value_ = true;
            break;
        case Token::Kind::Open: return open();
        case Token::Kind::Close: return close();
        case Token::Kind::End: finish(token.line); break;
        }
        if (token.kind == Token::Kind::Word && !value_.empty()) {
            has_value_ = true;
        }
        return success();
    }

    [[nodiscard]] bool is_complete() const { return scopes_.empty(); }

private:
    [[nodiscard]] std::string full_name() const
    {
        const std::string scope = scopes_.empty() ? "" : scopes_.back() + "::";
        return lower(scope + name_);
    }

    Status open()
    {
        if (scopes_.size() >= kDepthMax) {
            return invalid_error("more than 50 braces within each other");
        }
        scopes_.push_back(full_name());
        clear();
        return success();
    }

    Status close()
    {
        if (scopes_.empty()) {
            return invalid_error("a closing brace without its opening one");
        }
        scopes_.pop_back();
        clear();
        return success();
    }

    void finish(std::uint32_t line)
    {
        if (has_value_) {
            out_.settings.push_back({full_name(), value_, {file_, line}});
        }
        clear();
    }

    void clear()
    {
        name_.clear();
        value_.clear();
        has_name_ = has_value_ = false;
    }

    const std::string& file_;
    AptConfig& out_;
    std::vector<std::string> scopes_;
    std::string name_;
    std::string value_;
    bool has_name_ = false;
    bool has_value_ = false;
};

/// Which names of the folder apt reads: letters, digits, `-`, `_`, `.`, and no ending but `.conf`.
bool counts(std::string_view name)
{
    const auto dot = name.rfind('.');
    return !name.starts_with('.') && (dot == name.npos || name.substr(dot) == ".conf");
}

} // namespace

Status parse_apt_config(std::string_view text, const std::string& file, AptConfig& out)
{
    Tokens tokens(text);
    Reader reader(file, out);
    for (;;) {
        auto token = tokens.next();
        if (!token) {
            return token.error().in(file);
        }
        if (token->kind == Token::Kind::End && token->text.empty()) {
            break;
        }
        if (auto taken = reader.take(*token); !taken) {
            return taken.error().in(file + ":" + std::to_string(token->line));
        }
    }
    return reader.is_complete() ? success()
                                : Status(invalid_error(file + ": an opening brace without its closing one"));
}

Result<AptConfig> AptConfig::read(Facts& facts)
{
    AptConfig out;
    TRY_ASSIGN(const auto names, host::list_optional(facts.host(), kFolder));
    std::vector<std::string> paths;
    for (const auto& name : names) {
        if (counts(name)) {
            paths.push_back(std::string(kFolder) + "/" + name);
        }
    }
    paths.emplace_back(kFile);
    for (const auto& path : paths) {
        TRY_ASSIGN(const auto text, host::read_optional(facts.host(), path));
        if (text) {
            TRY(parse_apt_config(*text, path, out));
        }
    }
    return out;
}

const AptSetting* AptConfig::find(std::string_view name) const
{
    const std::string wanted = lower(name);
    const AptSetting* found = nullptr;
    for (const auto& setting : settings) {
        found = setting.name == wanted ? &setting : found;
    }
    return found;
}

} // namespace hostward::hardening
