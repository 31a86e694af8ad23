// SPDX-License-Identifier: Apache-2.0
// Text of a start file of bash as commands: what sh(1) has, and of bash's own what start files use. Nothing is run and
// nothing is expanded here: shell_session.h follows what the commands do.
#pragma once

#include "agent/base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct ShellPart;
using ShellWord = std::vector<ShellPart>;

/// A piece of a word.
struct ShellPart {
    enum class Kind {
        Text,
        Variable, ///< `$text`, `${text op operand}`
        Command,  ///< what the command `text` prints
        Other,    ///< arithmetic, arrays, and other expansions that are not followed
    };
    Kind kind = Kind::Text;
    std::string text;
    bool is_quoted = false;
    std::string op; ///< of Variable: `-`, `:-`, `+`, `:+`, `=`, `:=`, `#`, `##`, `%`, `%%`; empty: none
    ShellWord operand;
};

struct ShellCommand;
using ShellCommands = std::vector<ShellCommand>;

struct ShellBranch {
    std::vector<ShellWord> patterns;
    ShellCommands body;         ///< one list
    bool falls_through = false; ///< `;&` or `;;&`
};

struct ShellCommand {
    enum class Kind {
        Simple, ///< words
        Line,   ///< parts, all that stands on one line: what bash reads at once
        List,   ///< parts in turn
        And,
        Or,    ///< two parts
        Not,   ///< one part
        Apart, ///< a pipe, a subshell or something in the background: changes nothing here
        If,    ///< parts: condition, then, and else where there is one
        While, ///< parts: condition, body
        Until,
        For,      ///< name, words, one part
        Case,     ///< words: one; branches
        Function, ///< name, body
        Test,     ///< `[[ ... ]]`: words
        Other,    ///< `(( ))`, select and the like: `name` is its text
    };
    Kind kind = Kind::Simple;
    std::uint32_t line = 0;
    std::string name;
    std::vector<ShellWord> words;
    ShellCommands parts;
    std::vector<ShellBranch> branches;
    std::shared_ptr<const ShellCommand> body; ///< of a function
};

/// A list of lines. Invalid: `line N: ...`, where the text stops making sense.
[[nodiscard]] Result<ShellCommand> parse_shell(std::string_view text);

} // namespace hostward::hardening
