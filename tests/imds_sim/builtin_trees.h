// SPDX-License-Identifier: Apache-2.0
// The JSON files of trees/, compiled in: the simulator needs no file of ours in a minimal virtual machine.
#pragma once

#include <span>
#include <string_view>

namespace hostward::imds_sim {

struct BuiltinTree {
    std::string_view name;
    std::string_view json;
};
[[nodiscard]] std::span<const BuiltinTree> builtin_trees();

} // namespace hostward::imds_sim
