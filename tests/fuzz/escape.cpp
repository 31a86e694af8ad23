// SPDX-License-Identifier: Apache-2.0
// escape(): one line, nothing invisible, and what went in can be read back exactly.
#include "agent/base/text.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

std::string unescape(std::string_view text)
{
    std::string out;
    while (!text.empty()) {
        std::size_t used = 1;
        if (text[0] != '\\') {
            out += text[0];
        } else if (text.substr(0, 2) == "\\x") {
            const auto byte = hostward::parse_number<std::uint8_t>(text.substr(2, 2), 16);
            FUZZ_CHECK(byte.has_value());
            out += static_cast<char>(*byte);
            used = 4;
        } else {
            FUZZ_CHECK(text.size() > 1 && (text[1] == '\\' || text[1] == '"'));
            out += text[1];
            used = 2;
        }
        text.remove_prefix(used);
    }
    return out;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view raw(reinterpret_cast<const char*>(data), size);
    const std::string escaped = hostward::escape(raw);
    FUZZ_CHECK(std::ranges::none_of(escaped, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
    FUZZ_CHECK(unescape(escaped) == raw);
    return 0;
}
