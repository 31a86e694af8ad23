// SPDX-License-Identifier: Apache-2.0
#include "agent/base/terminal.h"

#include "agent/base/text.h"

#include <algorithm>

namespace hostward {

std::string printable(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        const std::size_t plain = std::min(text.find_first_of("\\\""), text.size());
        out += escape(text.substr(0, plain));
        text.remove_prefix(plain);
        if (!text.empty()) {
            out += text.front();
            text.remove_prefix(1);
        }
    }
    return out;
}

} // namespace hostward
