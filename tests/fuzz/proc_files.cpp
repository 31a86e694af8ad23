// SPDX-License-Identifier: Apache-2.0
// What `explain --pid` reads of /proc: the process names itself and its cgroup, so their bytes are its choice.
#include "agent/cli/caller.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    (void)hostward::cli::parse_proc_status(text);
    if (const auto path = hostward::cli::parse_proc_cgroup(text); path) {
        FUZZ_CHECK(text.find(*path) != std::string_view::npos);
    }
    (void)hostward::cli::cgroup_of_folder(text, "/sys/fs/cgroup/system.slice");
    return 0;
}
