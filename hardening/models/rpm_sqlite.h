// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/base/result.h"
#include "agent/host/host.h"

#include <functional>
#include <string>
#include <string_view>

namespace hostward::hardening {

/// Calls `each` with the header blob of every package in the rpmdb.sqlite at `path`; its first error ends it. Nothing
/// is written beside the database, so an image may be read-only. Transactions that still lie in the write-ahead log
/// count on a running host; in an image with such a log the answer is an error (Unsupported), not an old state.
[[nodiscard]] Status for_each_rpm_blob(const host::Host& host, const std::string& path,
                                       const std::function<Status(std::string_view blob)>& each);

} // namespace hostward::hardening
