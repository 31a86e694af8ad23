// SPDX-License-Identifier: Apache-2.0
// Any bytes as a policy file: a configuration, or lines that all name the file and print safely.
#include "agent/base/text.h"
#include "agent/config/guard_config.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace {

void check_error(const std::string& text)
{
    FUZZ_CHECK(!text.empty());
    for (const auto line : hostward::split(text, '\n')) {
        FUZZ_CHECK(line.starts_with("fuzz.toml:") || line.starts_with("and "));
        FUZZ_CHECK(
            std::ranges::none_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
    }
}

void check_config(const hostward::config::GuardConfig& config)
{
    FUZZ_CHECK(!config.endpoints.empty());
    for (const auto& endpoint : config.endpoints) {
        FUZZ_CHECK(!endpoint.addresses.empty());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto config = hostward::config::parse(text, "fuzz.toml");
    if (config) {
        check_config(*config);
    } else {
        check_error(config.error().text);
    }
    return 0;
}
