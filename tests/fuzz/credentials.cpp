// SPDX-License-Identifier: Apache-2.0
// What the metadata service answers for credentials: what is accepted goes into headers, what is refused is not shown.
#include "agent/report/credentials_json.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace {

bool is_graphic(std::string_view text)
{
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

bool is_printable(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; });
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    using namespace hostward;
    const auto parsed = report::parse_credentials({reinterpret_cast<const char*>(data), size});
    if (parsed) {
        const auto& keys = parsed->keys;
        FUZZ_CHECK(is_graphic(keys.access_key_id) && is_graphic(keys.secret_access_key));
        FUZZ_CHECK(is_graphic(keys.session_token) && !report::amz_date(parsed->expires_s).empty());
    } else {
        const auto& error = parsed.error();
        FUZZ_CHECK(error.kind == ErrorKind::Denied || error.kind == ErrorKind::Invalid);
        FUZZ_CHECK(is_printable(error.text) && error.text.size() < 300);
    }
    return 0;
}
