// SPDX-License-Identifier: Apache-2.0
// A primitive: one kind of question about a host. It is a name, the arguments it takes, and one function without any
// door out but Facts. hardening/primitives has them, one file each; docs/checks/add-a-primitive.md is the recipe.
#pragma once

#include "agent/base/result.h"
#include "hardening/engine/value.h"
#include "hardening/engine/verdict.h"
#include "hardening/models/facts.h"

#include <span>
#include <string_view>

namespace hostward::hardening {

struct Primitive {
    std::string_view name;  ///< as rules write it: `sysctl`
    std::string_view about; ///< one sentence for the reference
    std::span<const ArgumentSpec> arguments;
    /// An Error becomes CannotTell with the error's text. Every Pass and Fail has evidence.
    Result<Outcome> (*evaluate)(const Arguments& arguments, Facts& facts);
};

/// Sorted by name or not, names unique.
using Primitives = std::span<const Primitive* const>;

} // namespace hostward::hardening
