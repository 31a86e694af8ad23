// SPDX-License-Identifier: Apache-2.0
// Random numbers that are the same for the same seed everywhere (the standard distributions are not).
#pragma once

#include <cstddef>
#include <cstdint>

namespace hostward::test {

class Rng {
public:
    explicit Rng(std::uint64_t seed) : state_(seed) {}

    std::uint64_t next()
    {
        state_ += 0x9e3779b97f4a7c15U; // splitmix64 by Sebastiano Vigna, public domain
        std::uint64_t z = state_;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31);
    }

    /// 0 to limit - 1; limit is not 0. The bias of the modulo does not matter here.
    std::size_t below(std::size_t limit) { return static_cast<std::size_t>(next() % limit); }
    bool one_in(std::size_t n) { return below(n) == 0; }

    template <typename Container> const auto& pick(const Container& container)
    {
        return container[below(container.size())];
    }

private:
    std::uint64_t state_;
};

} // namespace hostward::test
