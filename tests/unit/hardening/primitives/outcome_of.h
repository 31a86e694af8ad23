// SPDX-License-Identifier: Apache-2.0
// What one primitive says of a host in memory, with its evidence. ask.h has the verdict alone.
#pragma once

#include "hardening/engine/primitive.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <map>
#include <string>

namespace hostward::hardening {

using Given = std::map<std::string, Value, std::less<>>;

/// CannotTell with the error's text where it is an error, as the engine has it. `now_s`: 2024-10-04.
inline Outcome outcome_of(const Primitive& primitive, const host::MemoryHost& host, Given arguments,
                          std::int64_t now_s = 20'000LL * 86'400)
{
    Facts facts(host, now_s);
    auto outcome = primitive.evaluate(Arguments(std::move(arguments)), facts);
    return outcome ? outcome.take() : Outcome::cannot_tell(outcome.error().text);
}

inline Value number_of(std::int64_t value) { return Value(value); }
inline Value texts(std::vector<std::string> list) { return Value(std::move(list)); }

} // namespace hostward::hardening
