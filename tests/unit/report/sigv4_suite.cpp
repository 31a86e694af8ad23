// SPDX-License-Identifier: Apache-2.0
// sigv4_suite DIR: our signer against every case below DIR. 0: all equal, 1: some differ, 2: no such cases.
// sigv4_suite DIR --skip-if-absent: 77 when there is no DIR.
#include "tests/unit/report/sigv4_case.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace hostward::report {
namespace {

namespace fs = std::filesystem;

constexpr int kSkipped = 77;

std::vector<fs::path> cases_below(const fs::path& folder, std::error_code& error)
{
    std::vector<fs::path> out;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        std::error_code ignored; // an entry that is gone is no folder
        if (entry->is_directory(ignored) && !entry->path().filename().string().starts_with(".")) {
            out.push_back(entry->path());
        }
    }
    std::ranges::sort(out);
    return out;
}

int run(const fs::path& folder)
{
    std::error_code error;
    const auto cases = cases_below(folder, error);
    if (error || cases.empty()) {
        const std::string why = error ? error.message() : "no folder of a case in it";
        (void)std::fprintf(stderr, "sigv4_suite: %s: %s\n", folder.c_str(), why.c_str());
        return 2;
    }
    int compared = 0;
    std::size_t differing = 0;
    for (const auto& path : cases) {
        const auto result = compare_signing_case(path);
        compared += result.compared;
        differing += result.differences.empty() ? std::size_t{0} : std::size_t{1};
        for (const auto& line : result.differences) {
            std::printf("DIFFERS %s: %s\n", path.filename().c_str(), line.c_str());
        }
    }
    std::printf("%zu cases, %d comparisons, %zu cases equal, %zu differ\n", cases.size(), compared,
                cases.size() - differing, differing);
    return differing == 0 ? 0 : 1;
}

} // namespace
} // namespace hostward::report

int main(int count, char** arguments)
{
    const bool skips = count == 3 && std::strcmp(arguments[2], "--skip-if-absent") == 0;
    if (count != 2 && !skips) {
        (void)std::fprintf(stderr, "usage: sigv4_suite DIR\n");
        return 2;
    }
    if (skips && !std::filesystem::exists(arguments[1])) {
        std::printf("SKIP: no vectors at %s\n", arguments[1]);
        return hostward::report::kSkipped;
    }
    return hostward::report::run(arguments[1]);
}
