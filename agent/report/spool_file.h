// SPDX-License-Identifier: Apache-2.0
// One report as a file of the spool: a line with the SHA-256 of all that follows, a line of JSON about the report, and
// the report's bytes.
#pragma once

#include "agent/report/sink.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hostward::report {

inline constexpr std::size_t kReportBytesMax = std::size_t{12} << 20;
/// Of the two lines before the report.
inline constexpr std::size_t kSpoolHeadBytesMax = std::size_t{16} * 1024;
inline constexpr std::size_t kSpoolFileBytesMax = kReportBytesMax + kSpoolHeadBytesMax;

struct SpoolFile {
    Report report;
    std::string posture; ///< posture_digest() of the report
};

[[nodiscard]] std::string write_spool_file(const SpoolFile& file);
/// Invalid: a byte is missing or another one, or it was never a file of the spool.
[[nodiscard]] Result<SpoolFile> parse_spool_file(std::string_view bytes);

/// Digest of what a report says of the host: every verdict, and the state of the guard; not times and counters. The
/// same digest: nothing changed.
[[nodiscard]] std::string posture_digest(std::string_view report);

/// `SEQUENCE-ID.report`, sequences with leading zeros: names sort as reports do.
[[nodiscard]] std::string spool_name(const Report& report);
struct SpoolName {
    std::uint64_t sequence = 0;
    std::string id;
};
/// Nothing for any other name.
[[nodiscard]] std::optional<SpoolName> parse_spool_name(std::string_view name);

/// What an id may be: it is part of file names.
[[nodiscard]] bool is_report_id(std::string_view id);

} // namespace hostward::report
