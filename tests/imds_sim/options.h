// SPDX-License-Identifier: Apache-2.0
// The command line of imds_sim.
#pragma once

#include "agent/base/result.h"
#include "tests/imds_sim/faults.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hostward::imds_sim {

struct Options {
    std::vector<std::string> listen{"169.254.169.254", "fd00:ec2::254"};
    std::uint16_t port = 80;
    std::optional<std::string> tree_file;
    std::string builtin = "plain";
    std::vector<std::pair<std::string, std::string>> leaves; ///< item path -> file with its bytes
    Settings settings;
    std::string log_file;     ///< empty: none
    std::string control_file; ///< empty: none
    int ready_fd = -1;        ///< -1: standard output
    bool show_help = false;
    bool list_trees = false;
};

/// Arguments without the program's name. The error text is for the user.
[[nodiscard]] Result<Options> parse_options(std::span<const std::string_view> arguments);
[[nodiscard]] std::string help_text();

} // namespace hostward::imds_sim
