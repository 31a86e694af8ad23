// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/interpreters.h"

#include <algorithm>
#include <array>

namespace hostward::guard {

namespace {

/// By the start of the file's own name: python3.11, perl5.36.
constexpr std::array<std::string_view, 20> kInterpreters{"python", "perl", "ruby", "node", "php",  "lua",     "tclsh",
                                                         "java",   "bash", "dash", "sh",   "zsh",  "ksh",     "busybox",
                                                         "mksh",   "fish", "gawk", "mawk", "deno", "ld-linux"};

} // namespace

bool is_interpreter_name(std::string_view name)
{
    return std::ranges::any_of(kInterpreters, [&](std::string_view known) {
        // "sh" must not match "sha256sum": what follows is a version or nothing.
        return name.starts_with(known) &&
               name.find_first_not_of("0123456789.-", known.size()) == std::string_view::npos;
    });
}

} // namespace hostward::guard
