// SPDX-License-Identifier: Apache-2.0
// Random configurations, the same in every run: a change that breaks nothing never fails by chance. HOSTWARD_SEED takes
// others, HOSTWARD_QUICK makes it a tenth as long. The seed is printed with every failure.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::e2e {

inline constexpr std::uint64_t kUsualSeed = 1;

class Random {
public:
    Random() : seed_(chosen_seed()), engine_(seed_) {}

    [[nodiscard]] std::uint64_t seed() const { return seed_; }
    [[nodiscard]] std::size_t below(std::size_t bound) { return engine_() % bound; }
    [[nodiscard]] bool one_in(std::size_t n) { return below(n) == 0; }
    template <typename T> [[nodiscard]] const T& of(const std::vector<T>& choices)
    {
        return choices[below(choices.size())];
    }

private:
    static std::uint64_t chosen_seed()
    {
        const char* given = std::getenv("HOSTWARD_SEED");
        return given != nullptr ? std::strtoull(given, nullptr, 10) : kUsualSeed;
    }

    std::uint64_t seed_;
    std::mt19937_64 engine_;
};

/// How many of `usual` rounds to run.
[[nodiscard]] inline std::size_t rounds(std::size_t usual)
{
    return std::getenv("HOSTWARD_QUICK") == nullptr ? usual : usual / 10;
}

} // namespace hostward::e2e
