// SPDX-License-Identifier: Apache-2.0
// One primitive asked about a host in memory.
#pragma once

#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <map>
#include <string>

namespace hostward::hardening {

using ArgumentValues = std::map<std::string, Value, std::less<>>;

/// The verdict's name, and for an Error `error`: the engine makes CannotTell of it.
inline std::string ask(const Primitive& primitive, const host::Host& host, ArgumentValues values)
{
    Facts facts(host, 0);
    const auto outcome = primitive.evaluate(Arguments(std::move(values)), facts);
    return outcome ? verdict_name(outcome->verdict) : "error";
}

inline Value list(std::vector<std::string> values) { return Value(std::move(values)); }
inline Value text(std::string value) { return Value(std::move(value)); }
inline Value number(std::int64_t value) { return Value(value); }

} // namespace hostward::hardening
