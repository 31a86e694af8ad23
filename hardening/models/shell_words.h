// SPDX-License-Identifier: Apache-2.0
// The words of a shell's text, for shell_syntax.cpp.
#pragma once

#include "hardening/models/shell_syntax.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

class ShellText {
public:
    explicit ShellText(std::string_view text) : text_(text) {}

    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const
    {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    [[nodiscard]] std::size_t position() const { return at_; }
    [[nodiscard]] std::uint32_t line() const { return line_; }
    [[nodiscard]] bool starts_with(std::string_view what) const { return text_.substr(at_).starts_with(what); }
    /// What could not be read; empty: nothing.
    [[nodiscard]] const std::string& problem() const { return problem_; }

    /// Blanks, comments and continued lines; `lines`: line ends too.
    void skip_blanks(bool lines);
    bool take(std::string_view what);
    /// Whether a word that is exactly this comes next, or an operator that is.
    [[nodiscard]] bool sees(std::string_view word) const;
    bool take_name(std::string_view word);
    /// One of `&&`, `<`, `(`, ...
    [[nodiscard]] bool at_operator() const;
    std::string take_operator();
    /// At the end of a simple command. `(` is none.
    [[nodiscard]] bool at_command_end() const;
    ShellWord take_word();
    std::string take_word_text();
    /// `(...)` with what is within it.
    std::string take_balanced();
    /// `> file`, `2>&1`, `<<END` with its lines: nothing of it counts here.
    bool take_redirection();

private:
    struct Here {
        std::string end;
        bool has_tabs = false;
    };
    enum class In { Word, Quotes, Braces };

    char next();
    void skip_here_documents();
    void take_parts(ShellWord& out, In in);
    void take_quoted(ShellWord& out);
    void take_dollar(ShellWord& out, bool is_quoted);
    void take_braces(ShellWord& out, bool is_quoted);
    void take_backquotes(ShellWord& out, bool is_quoted);
    static void add_text(ShellWord& out, char c, bool is_quoted);

    std::string_view text_;
    std::size_t at_ = 0;
    std::uint32_t line_ = 1;
    int depth_ = 0;
    std::vector<Here> here_;
    std::string problem_;
};

} // namespace hostward::hardening
