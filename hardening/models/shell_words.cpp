// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/shell_words.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hostward::hardening {

namespace {

constexpr int kDepthMax = 32; ///< expansions within expansions
constexpr std::string_view kMeta = " \t\n;&|<>()";

bool is_name_char(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

} // namespace

char ShellText::next()
{
    if (at_end()) {
        return '\0';
    }
    const char c = text_[at_++];
    if (c == '\n') {
        ++line_;
        if (!here_.empty() && depth_ == 0) {
            skip_here_documents();
        }
    }
    return c;
}

void ShellText::skip_here_documents()
{
    const auto documents = std::exchange(here_, {});
    for (const auto& document : documents) {
        bool is_over = false;
        while (!at_end() && !is_over) {
            const auto end = std::min(text_.find('\n', at_), text_.size());
            auto line = text_.substr(at_, end - at_);
            line.remove_prefix(document.has_tabs ? std::min(line.find_first_not_of('\t'), line.size()) : 0);
            is_over = line == document.end;
            at_ = std::min(end + 1, text_.size());
            ++line_;
        }
    }
}

void ShellText::skip_blanks(bool lines)
{
    while (!at_end()) {
        if (peek() == ' ' || peek() == '\t' || (lines && peek() == '\n')) {
            (void)next();
        } else if (peek() == '\\' && peek(1) == '\n') {
            (void)next();
            (void)next();
        } else if (peek() == '#') {
            while (!at_end() && peek() != '\n') {
                (void)next();
            }
        } else {
            break;
        }
    }
}

bool ShellText::take(std::string_view what)
{
    if (!starts_with(what)) {
        return false;
    }
    at_ += what.size();
    return true;
}

bool ShellText::sees(std::string_view word) const
{
    if (!starts_with(word)) {
        return false;
    }
    const char after = peek(word.size());
    return kMeta.find(word.front()) != kMeta.npos || after == '\0' || kMeta.find(after) != kMeta.npos;
}

bool ShellText::take_name(std::string_view word) { return sees(word) && take(word); }

bool ShellText::at_operator() const { return !at_end() && std::string_view(";&|<>()").find(peek()) != kMeta.npos; }

std::string ShellText::take_operator()
{
    std::string out;
    while (at_operator() && out.size() < 2) {
        out += next();
    }
    return out;
}

bool ShellText::at_command_end() const
{
    return at_end() || std::string_view("\n;&|)").find(peek()) != std::string_view::npos;
}

void ShellText::add_text(ShellWord& out, char c, bool is_quoted)
{
    const bool goes_on = !out.empty() && out.back().kind == ShellPart::Kind::Text && out.back().is_quoted == is_quoted;
    if (!goes_on) {
        out.push_back({ShellPart::Kind::Text, "", is_quoted, "", {}});
    }
    out.back().text += c;
}

ShellWord ShellText::take_word()
{
    ShellWord out;
    const auto before = at_;
    take_parts(out, In::Word);
    if (at_ == before && problem_.empty()) {
        problem_ = at_end() ? "the file ends within a command" : std::string("unexpected ") + peek();
    }
    return out;
}

std::string ShellText::take_word_text()
{
    std::string out;
    for (const auto& part : take_word()) {
        out += part.text;
    }
    return out;
}

void ShellText::take_parts(ShellWord& out, In in)
{
    if (++depth_ > kDepthMax && problem_.empty()) {
        problem_ = "expansions are nested too deeply";
    }
    const bool is_quoted = in == In::Quotes;
    while (!at_end() && problem_.empty()) {
        const char c = peek();
        const bool is_over = in == In::Word ? kMeta.find(c) != kMeta.npos : in == In::Quotes ? c == '"' : c == '}';
        if (in == In::Word && c == '(' && !out.empty() && out.back().kind == ShellPart::Kind::Text &&
            out.back().text.ends_with('=')) {
            out.push_back({ShellPart::Kind::Other, take_balanced(), true, "", {}}); // an array
        } else if (is_over) {
            break;
        } else if (c == '\\') {
            (void)next();
            const bool stays = is_quoted && std::string_view("$`\"\\\n").find(peek()) == std::string_view::npos;
            if (stays) {
                add_text(out, '\\', true);
            } else if (const char escaped = next(); escaped != '\n') {
                add_text(out, escaped == '\0' ? '\\' : escaped, true);
            }
        } else if (c == '\'' && !is_quoted) {
            (void)next();
            out.push_back({ShellPart::Kind::Text, "", true, "", {}});
            while (!at_end() && peek() != '\'') {
                add_text(out, next(), true);
            }
            (void)take("'");
        } else if (c == '"' && !is_quoted) {
            take_quoted(out);
        } else if (c == '$') {
            take_dollar(out, is_quoted);
        } else if (c == '`') {
            take_backquotes(out, is_quoted);
        } else {
            add_text(out, next(), is_quoted);
        }
    }
    --depth_;
}

void ShellText::take_quoted(ShellWord& out)
{
    (void)take("\"");
    out.push_back({ShellPart::Kind::Text, "", true, "", {}}); // "" is a word, too
    ShellWord inner;
    take_parts(inner, In::Quotes);
    out.insert(out.end(), inner.begin(), inner.end());
    if (!take("\"") && problem_.empty()) {
        problem_ = "the file ends within quotes";
    }
}

void ShellText::take_dollar(ShellWord& out, bool is_quoted)
{
    (void)take("$");
    const char c = peek();
    if (starts_with("((")) {
        out.push_back({ShellPart::Kind::Other, take_balanced(), is_quoted, "", {}});
    } else if (c == '(') {
        const std::string inner = take_balanced();
        out.push_back({ShellPart::Kind::Command, inner, is_quoted, "", {}});
    } else if (c == '{') {
        take_braces(out, is_quoted);
    } else if (is_digit(c) || std::string_view("@*#?-$!").find(c) != std::string_view::npos) {
        const auto kind = c == '@' || c == '*' ? ShellPart::Kind::Other : ShellPart::Kind::Variable;
        out.push_back({at_end() ? ShellPart::Kind::Other : kind, std::string(1, next()), is_quoted, "", {}});
    } else if (is_name_char(c)) {
        ShellPart part{ShellPart::Kind::Variable, "", is_quoted, "", {}};
        while (is_name_char(peek())) {
            part.text += next();
        }
        out.push_back(std::move(part));
    } else if (c == '\'' && !is_quoted) {
        (void)next();
        ShellPart part{ShellPart::Kind::Other, "", true, "", {}}; // \n and the like within
        while (!at_end() && peek() != '\'') {
            const bool escapes = peek() == '\\';
            part.text += next();
            part.text += escapes && !at_end() ? std::string(1, next()) : "";
        }
        (void)take("'");
        out.push_back(std::move(part));
    } else if (c != '"' || is_quoted) {
        add_text(out, '$', is_quoted);
    }
}

void ShellText::take_braces(ShellWord& out, bool is_quoted)
{
    (void)take("{");
    ShellPart part{ShellPart::Kind::Variable, "", is_quoted, "", {}};
    const bool is_special = !is_name_char(peek());
    if (is_special && peek(1) == '}') {
        part.text = std::string(1, next());
    } else if (peek() == '-') { // `${-#*i}`
        part.text = std::string(1, next());
    }
    while (is_name_char(peek()) && !is_special) {
        part.text += next();
    }
    constexpr std::array<std::string_view, 10> kOps{":-", ":+", ":=", "-", "+", "=", "##", "#", "%%", "%"};
    const auto* found = std::ranges::find_if(kOps, [this](std::string_view op) { return starts_with(op); });
    if (peek() != '}') {
        if (part.text.empty() || found == kOps.end()) {
            part.kind = ShellPart::Kind::Other;
        } else {
            part.op = *found;
            (void)take(*found);
        }
        take_parts(part.operand, In::Braces);
    }
    if (!take("}") && problem_.empty()) {
        problem_ = "${ without }";
    }
    out.push_back(std::move(part));
}

void ShellText::take_backquotes(ShellWord& out, bool is_quoted)
{
    (void)take("`");
    ShellPart part{ShellPart::Kind::Command, "", is_quoted, "", {}};
    while (!at_end() && peek() != '`') {
        if (peek() == '\\') {
            part.text += next();
        }
        part.text += at_end() ? '\\' : next();
    }
    if (!take("`") && problem_.empty()) {
        problem_ = "` without its end";
    }
    out.push_back(std::move(part));
}

std::string ShellText::take_balanced()
{
    const auto from = at_ + 1;
    int open = 0;
    ++depth_;
    do {
        const char c = peek();
        if (c == '\'' || c == '"' || c == '\\' || c == '`') {
            ShellWord ignored;
            if (c == '\'' || c == '\\') {
                const auto quote = next();
                while (quote == '\'' && !at_end() && peek() != '\'') {
                    (void)next();
                }
                (void)next();
            } else {
                c == '"' ? take_quoted(ignored) : take_backquotes(ignored, false);
            }
            continue;
        }
        open += c == '(' ? 1 : c == ')' ? -1 : 0;
        (void)next();
    } while (open > 0 && !at_end() && problem_.empty());
    --depth_;
    if (open > 0 && problem_.empty()) {
        problem_ = "( without )";
    }
    return std::string(text_.substr(std::min(from, text_.size()), at_ > from ? at_ - from - 1 : 0));
}

bool ShellText::take_redirection()
{
    skip_blanks(false);
    std::size_t digits = 0;
    while (is_digit(peek(digits))) {
        ++digits;
    }
    const char sign = peek(digits);
    const bool both = digits == 0 && (starts_with("&>"));
    if (!both && sign != '<' && sign != '>') {
        return false;
    }
    at_ += digits;
    if (starts_with("<<") && !starts_with("<<<")) {
        at_ += 2;
        Here here;
        here.has_tabs = take("-");
        skip_blanks(false);
        here.end = take_word_text();
        here_.push_back(std::move(here));
        return true;
    }
    constexpr std::array<std::string_view, 10> kSigns{"&>>", "&>", "<<<", ">>", ">&", "<&", "<>", ">|", "<", ">"};
    const auto* found = std::ranges::find_if(kSigns, [this](std::string_view one) { return starts_with(one); });
    at_ += found->size();
    skip_blanks(false);
    if (peek() == '(') { // the name of a pipe
        (void)take_balanced();
    } else {
        (void)take_word();
    }
    return true;
}

} // namespace hostward::hardening
