// SPDX-License-Identifier: Apache-2.0
// What a value of report.toml may look like. Pure; internal to the configuration library.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hostward::config {

/// What is allowed where, in words that go into a complaint, and the test.
struct TextForm {
    const char* allowed;
    bool (*fits)(std::string_view text);
};

extern const TextForm kSinkNameForm;
extern const TextForm kPathForm;
/// `https://`; `http://` to loopback addresses only: a report never crosses a network in the clear.
extern const TextForm kUrlForm;
/// As kUrlForm, and nothing after the host but a port.
extern const TextForm kEndpointForm;
extern const TextForm kProxyForm;
extern const TextForm kRegionForm;
extern const TextForm kBucketForm;
extern const TextForm kPrefixForm;
extern const TextForm kAccountForm;
extern const TextForm kLogGroupForm;
extern const TextForm kLogStreamForm;
extern const TextForm kComplianceForm;
extern const TextForm kAudienceForm;
extern const TextForm kProfileForm;

/// `90s`, `30m`, `6h`, `7d`.
[[nodiscard]] std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// `512KiB`, `64MiB`, `1GiB`.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

} // namespace hostward::config
