// SPDX-License-Identifier: Apache-2.0
// The report's document: who, when and how often, in front of the posture that root collected on this host.
#pragma once

#include "agent/report/sink.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace hostward::report {

/// The first member of every report. Fields are only added within a version.
inline constexpr auto kReportSchema = "hostward.posture/1";

/// A larger posture is an error: ten profiles with all their evidence are about 4 MiB.
inline constexpr std::size_t kPostureBytesMax = std::size_t{12} << 20;

inline constexpr std::size_t kUlidRandomBytes = 10;

/// 26 characters that sort by time. https://github.com/ulid/spec
[[nodiscard]] std::string make_ulid(std::uint64_t time_ms, const std::array<unsigned char, kUlidRandomBytes>& random);

struct DocumentFacts {
    std::string id; ///< ULID
    std::uint64_t sequence = 0;
    std::int64_t created_s = 0;
    InstanceIdentity identity;    ///< empty where identity_unknown says why
    std::string identity_unknown; ///< empty: it is known
};

/// `posture` is one JSON object on one line, as `hostward check --posture` writes it. Its text stays as it is. Invalid:
/// anything else, or a member that is the report's own or there twice.
[[nodiscard]] Result<Report> make_report(const DocumentFacts& facts, std::string_view posture);

} // namespace hostward::report
