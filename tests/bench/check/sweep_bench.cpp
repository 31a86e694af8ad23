// SPDX-License-Identifier: Apache-2.0
// The sweep of `hostward check` without the check. Usage: sweep_bench THREADS
#include "agent/base/text.h"
#include "hardening/models/sweep.h"

#include <cstdio>

namespace {

using namespace hostward;

Result<hardening::Sweep> swept(unsigned threads)
{
    TRY_ASSIGN(const auto host, host::open_host());
    TRY_ASSIGN(const std::string mounts, host::read_kernel(*host, "/proc/self/mountinfo"));
    hardening::SweepLimits limits;
    limits.threads = threads;
    return hardening::sweep(*host, hardening::plan_sweep(mounts), limits);
}

} // namespace

int main(int argc, char** argv)
{
    const auto threads = argc == 2 ? parse_number<unsigned>(argv[1]) : std::nullopt;
    if (!threads) {
        std::fputs("Usage: sweep_bench THREADS\n", stderr);
        return 2;
    }
    const auto found = swept(*threads);
    if (!found) {
        std::fprintf(stderr, "sweep_bench: %s\n", found.error().text.c_str());
        return 1;
    }
    std::printf("%ju entries in %ju directories\n", found->entries, found->directories);
    return found->partial.empty() ? 0 : 1;
}
