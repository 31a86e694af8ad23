// SPDX-License-Identifier: Apache-2.0
// What clients of the metadata service send, and what they should not.
#pragma once

#include "tests/bpf/oracle/rng.h"

#include <string>

namespace hostward::test {

/// One connection's requests, at most six, some of them malformed, some cut. Shorter than 4 KiB.
[[nodiscard]] std::string random_stream(Rng& rng);

} // namespace hostward::test
