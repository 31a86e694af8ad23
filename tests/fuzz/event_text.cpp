// SPDX-License-Identifier: Apache-2.0
// event_text(): a line of the events file that anything may have damaged. What is shown to people is one line
// without control characters, or nothing.
#include "agent/cli/event_view.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string line(reinterpret_cast<const char*>(data), size);
    const auto text = hostward::cli::event_text(line);
    FUZZ_CHECK(!text || hostward::cli::is_event(line));
    FUZZ_CHECK(!text ||
               std::ranges::none_of(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
    return 0;
}
