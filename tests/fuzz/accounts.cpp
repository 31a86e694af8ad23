// SPDX-License-Identifier: Apache-2.0
// Any bytes as passwd(5) or group(5).
#include "agent/host/users.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    for (const std::size_t fields : {hostward::host::kPasswdFieldsMin, hostward::host::kGroupFieldsMin}) {
        const auto accounts = hostward::host::parse_accounts(text, fields);
        for (const auto& [name, id] : accounts.id_of) {
            FUZZ_CHECK(!name.empty() && name[0] != '+' && name[0] != '-');
            FUZZ_CHECK(name.find_first_of(std::string_view(":\n\0", 3)) == std::string::npos);
            FUZZ_CHECK(id != 0xffffffffU);
            FUZZ_CHECK(accounts.name_of.contains(id));
        }
        FUZZ_CHECK(accounts.name_of.size() >= accounts.id_of.size() || !accounts.id_of.empty());
    }
    return 0;
}
