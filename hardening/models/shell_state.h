// SPDX-License-Identifier: Apache-2.0
// The state that shell_session.cpp follows through start files.
#pragma once

#include "hardening/models/shell_session.h"
#include "hardening/models/shell_syntax.h"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace hostward::hardening {

/// Words of a command after expansion; nothing: the text cannot be told.
using ShellFields = std::vector<std::optional<std::string>>;

struct ShellState {
    enum class Flow {
        Next,
        Return,
        Break,
        Continue,
        Discard, ///< an error that ends the line of its file
        Exit,
    };

    std::map<std::string, ShellVariable, std::less<>> variables;
    std::map<std::string, std::shared_ptr<const ShellCommand>, std::less<>> functions;
    std::vector<std::string> positional;
    std::vector<std::pair<std::string, ShellVariable>> locals; ///< of the function that runs: what they hide
    std::optional<std::uint32_t> umask;
    std::string umask_where;
    std::set<std::string> doubts;
    std::optional<bool> status = true; ///< of the last command: whether it succeeded
    Flow flow = Flow::Next;
    bool exports_all = false; ///< set -a
    std::string file;         ///< that is being read

    /// One that nobody set may come from the environment: it is unknown.
    [[nodiscard]] ShellVariable variable(std::string_view name) const;
    /// False: it is read-only, nothing changed.
    bool assign(const std::string& name, std::optional<std::string> text, const std::string& where);
    /// Something that cannot be followed may have done anything, but for what is read-only. (It could take back an
    /// export; nobody writes that into code that cannot be followed.)
    void lose(const std::string& where);
    /// Equal ones need not be followed twice.
    [[nodiscard]] bool is_like(const ShellState& other) const;
    /// The variables that nobody asks about become unknown where the two differ.
    void merge(const ShellState& other);
};

using ShellStates = std::vector<ShellState>;

/// Without those that are like another.
[[nodiscard]] ShellStates merged(ShellStates states);

/// Ways of which text does not say which it is. Those that came out differently remember the place.
void note_doubt(ShellStates& states, const std::string& where);
void move_into(ShellStates& out, ShellStates more);

/// The text of a word that is not split, as in an assignment. Nothing: it cannot be told.
[[nodiscard]] std::optional<std::string> expand_text(const ShellWord& word, const ShellState& state);
/// The fields of words: expanded, and split where they are not quoted.
[[nodiscard]] ShellFields expand_fields(const std::vector<ShellWord>& words, const ShellState& state);
/// As a pattern of `case`: what is quoted matches itself.
[[nodiscard]] std::optional<std::string> expand_pattern(const ShellWord& word, const ShellState& state);
/// Whether a shell pattern matches; nothing: it would cost too much.
[[nodiscard]] std::optional<bool> shell_matches(const std::string& pattern, const std::string& text);

/// `[ ... ]` without the brackets, or `[[ ... ]]`. Nothing: text does not decide.
[[nodiscard]] std::optional<bool> shell_test(const ShellFields& fields, const host::Host& host, std::uint32_t uid);

} // namespace hostward::hardening
