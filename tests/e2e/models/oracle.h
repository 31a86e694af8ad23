// SPDX-License-Identifier: Apache-2.0
// Asking the tool that a model is held to.
#pragma once

#include "agent/host/run.h"
#include "tests/e2e/models/random.h"

#include <gtest/gtest.h>

#include <chrono>
#include <iterator>
#include <string>
#include <vector>

namespace hostward::oracle {

class Random : public e2e::Random {
public:
    [[nodiscard]] std::string text() const { return "HOSTWARD_SEED=" + std::to_string(seed()); }
    /// 0 to `end` - 1.
    int below(int end) { return static_cast<int>(e2e::Random::below(static_cast<std::size_t>(end))); }
    template <typename List> const auto& pick(const List& list) { return list[e2e::Random::below(std::size(list))]; }
};

inline int rounds(std::size_t usual = 1000) { return static_cast<int>(e2e::rounds(usual)); }

/// What the tool printed. A tool that cannot be started fails the test.
inline host::Finished run(const std::vector<std::string>& argv)
{
    host::RunLimits limits;
    limits.timeout = std::chrono::seconds(60);
    auto finished = host::run_program(argv, limits);
    EXPECT_TRUE(finished) << finished.error().text;
    return finished ? finished.take() : host::Finished{};
}

} // namespace hostward::oracle
