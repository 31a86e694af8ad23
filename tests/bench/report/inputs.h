// SPDX-License-Identifier: Apache-2.0
// What is measured is done to: a small host in a folder, its check, its posture and the report of that. What cannot be
// made ends the program.
#pragma once

#include "agent/report/sink.h"
#include "hardening/engine/library.h"
#include "hardening/engine/report.h"

#include <memory>
#include <string>

namespace hostward::bench {

inline constexpr std::int64_t kNow = 1'795'251'600; // 2026-11-21T09:00:00Z
inline constexpr auto kProfile = "cis-debian-12";

struct Inputs {
    std::string fixture; ///< root of the host, tests/bench/instructions/fixture.py
    std::string library; ///< folder of rules/ and profiles/
    std::string scratch;
};

[[noreturn]] void fail(const std::string& text);

template <typename T> T must(Result<T> result)
{
    if (!result) {
        fail(result.error().text);
    }
    return result.take();
}
void must(const Status& status);
void must(bool holds, const char* text);

[[nodiscard]] hardening::Library load(const Inputs& inputs);

/// What a check needs, and outlives its report.
struct Image {
    explicit Image(const Inputs& inputs);

    /// Without the sweep, which has threads, and without times.
    [[nodiscard]] hardening::Report check() const;

    std::unique_ptr<host::Host> host;
    hardening::Library library;
};

[[nodiscard]] std::string posture_of(const Inputs& inputs);

/// Of the instance that tests/unit/report/verify_world.h has.
[[nodiscard]] report::Report report_of(const std::string& posture, std::uint64_t sequence);

} // namespace hostward::bench
