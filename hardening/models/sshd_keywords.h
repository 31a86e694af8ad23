// SPDX-License-Identifier: Apache-2.0
// The keywords of sshd_config(5): where each may stand, how its value is written, what it is without a line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hostward::hardening {

enum class SshdKind {
    Choice,     ///< one of `choices`
    Number,     ///< as atoi(3) would, but complete
    Time,       ///< 90, 1m30s: seconds
    Octal,      ///< the last line counts
    Text,       ///< one argument
    Rest,       ///< the rest of the line as written
    List,       ///< all arguments of the first line
    Collected,  ///< all arguments of all lines
    Algorithms, ///< a list, or `+`, `-`, `^` and what to change of the default
    Startups,   ///< N or N:RATE:MAX
    Ignored,    ///< taken and without effect
};

struct SshdKeyword {
    std::string_view name;
    SshdKind kind = SshdKind::Text;
    bool may_match = false;           ///< allowed in a Match block
    std::string_view choices = {};    ///< "yes no": what is written; `a=b`: a is printed as b
    std::string_view by_default = {}; ///< as sshd -T prints it; empty: depends on version, build or host
};

/// By its name or an old one, lower case. Null: this keyword is not known here.
[[nodiscard]] const SshdKeyword* find_sshd_keyword(std::string_view name);

/// A value as `sshd -T` prints it. Nothing: sshd refuses it.
[[nodiscard]] std::optional<std::string>
normal_sshd_value(const SshdKeyword& keyword, const std::vector<std::string>& arguments, std::string_view rest);

/// Seconds of 90, 2h, 1w2d: nothing if it is no time.
[[nodiscard]] std::optional<long long> sshd_seconds(std::string_view text);

/// Keyword -> default, where the default is the same in all versions since 8.5.
[[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> sshd_defaults();

/// The default list of `ciphers`, `macs` or `kexalgorithms` of an OpenSSH version ("9.2"); empty: not known.
[[nodiscard]] std::string sshd_algorithms(std::string_view keyword, std::string_view version);

/// The list that `setting` makes of `defaults`: `+x` appends, `-x` removes patterns, `^x` puts first.
[[nodiscard]] std::string assemble_algorithms(std::string_view setting, std::string_view defaults);

} // namespace hostward::hardening
