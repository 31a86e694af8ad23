// SPDX-License-Identifier: Apache-2.0
// Messages about places in a configuration file, collected so that a person sees all of them at once.
#pragma once

#include "agent/base/result.h"
#include "agent/config/guard_config.h"

#include <string>
#include <utility>
#include <vector>

namespace hostward::config {

/// More than this many are counted, not listed.
inline constexpr std::size_t kComplaintsShownMax = 100;

class Complaints {
public:
    void add(const Place& place, std::string text) { all_.push_back({std::move(text), place}); }

    [[nodiscard]] bool empty() const { return all_.empty(); }

    /// One line each, `FILE:LINE: text`, in file order; the last line says how many are not shown.
    [[nodiscard]] std::vector<std::string> lines() const;

    /// All lines as one error of kind Invalid.
    [[nodiscard]] Error error() const;

private:
    std::vector<At<std::string>> all_;
};

/// `"a", "b", "c"`: what is allowed, for a message.
[[nodiscard]] std::string quoted_list(const std::vector<std::string>& values);

} // namespace hostward::config
