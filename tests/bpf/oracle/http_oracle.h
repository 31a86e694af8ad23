// SPDX-License-Identifier: Apache-2.0
// What ebpf/http.h says about a whole stream, written another way: lines, splits and trimmed strings instead of states.
#pragma once

#include <string_view>
#include <vector>

namespace hostward::test {

/// Versions (enum hw_imds) of the requests in a stream that has ended.
[[nodiscard]] std::vector<unsigned> oracle_requests(std::string_view stream);

} // namespace hostward::test
