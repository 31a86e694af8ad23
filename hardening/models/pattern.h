// SPDX-License-Identifier: Apache-2.0
// Regular expressions over text of others: RE2's syntax, in time linear in the text whatever the expression.
#pragma once

#include "agent/base/result.h"

#include <memory>
#include <string>
#include <string_view>

namespace hostward::hardening {

enum class Case { Exact, Ignore };

class Pattern {
public:
    /// Invalid: not an expression, with RE2's reason.
    [[nodiscard]] static Result<Pattern> compile(const std::string& text, Case letters = Case::Exact);

    /// Anywhere in `line`; `^` and `$` are its ends.
    [[nodiscard]] bool matches(std::string_view line) const;
    /// Like matches(); `group`: what the first parenthesis took, or the whole match without one.
    [[nodiscard]] bool find(std::string_view line, std::string& group) const;

private:
    struct Compiled; // RE2 stays out of the header
    explicit Pattern(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
    std::shared_ptr<const Compiled> compiled_;
};

} // namespace hostward::hardening
