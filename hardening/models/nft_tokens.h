// SPDX-License-Identifier: Apache-2.0
// Words of nft's text form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct NftToken {
    std::string text; ///< `;` for the end of a line too
    std::uint32_t line = 0;
    bool is_quoted = false;

    [[nodiscard]] bool is(std::string_view word) const { return !is_quoted && text == word; }
};

/// Comments are left out, lines that end with a backslash are joined. `{`, `}`, `;`, `,`, `=`, `:` between blanks and
/// comparisons are words of their own.
[[nodiscard]] std::vector<NftToken> nft_tokens(std::string_view text);

} // namespace hostward::hardening
