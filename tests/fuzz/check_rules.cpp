// SPDX-License-Identifier: Apache-2.0
// Any bytes as a file of rules, a profile and a tailoring. What is taken is whole, what is not names its file.
#include "hardening/engine/parse.h"
#include "hardening/engine/tailoring.h"
#include "hardening/primitives/primitives.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string_view>

namespace {

using namespace hostward;
using namespace hostward::hardening;

void check_error(const Error& error) { FUZZ_CHECK(error.text.find("some.toml") != error.text.npos); }

void look_at_rules(std::string_view text, Library& library)
{
    auto rules = parse_rules(text, "some.toml", all_primitives());
    if (!rules) {
        check_error(rules.error());
        return;
    }
    for (const auto& rule : *rules) {
        FUZZ_CHECK(is_id(rule.id) && !rule.title.empty());
    }
    if (auto linked = link_library(*std::move(rules), {})) {
        library = *std::move(linked);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    Library library;
    look_at_rules(text, library);
    if (const auto profile = parse_profile(text, "some.toml"); !profile) {
        check_error(profile.error());
    }
    const auto tailoring = parse_tailoring(text, "some.toml", library);
    if (!tailoring) {
        check_error(tailoring.error());
    } else {
        FUZZ_CHECK(tailoring->values.empty() || !library.rules.empty());
    }
    Tailoring set;
    (void)add_setting(text, library, set);
    return 0;
}
