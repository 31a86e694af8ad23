// SPDX-License-Identifier: Apache-2.0
// report.toml as typed data: what is reported, under which identity, and where to. A file of its own, so that an error
// in it can never touch the guard.
#pragma once

#include "agent/base/result.h"
#include "agent/config/guard_config.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::config {

enum class SinkType { File, Https, S3, SecurityHub, SsmCompliance, CloudWatchLogs, SsmInventory };

inline constexpr std::uint32_t kKeepDefault = 100; ///< SinkConfig::keep where nothing is written

/// One `[sink.NAME]`. Fields that its type does not take are empty; writing them is an error.
struct SinkConfig {
    std::string name; ///< a-z, 0-9 and `-`: it is part of file names
    SinkType type = SinkType::File;
    Place place;
    std::string path;       ///< file: the folder; ssm-inventory: the SSM agent's folder
    std::uint32_t keep = 0; ///< file: how many reports stay, the oldest go first
    std::string url;        ///< https
    std::string endpoint;   ///< AWS: a URL instead of that of service, region and partition
    std::string region;     ///< AWS: empty: that of the instance
    bool fips = false;
    bool dual_stack = false;
    std::string bucket;                ///< s3
    std::string prefix;                ///< s3: before `posture/v1/...`, ends in `/` or is empty
    std::string expected_bucket_owner; ///< s3: twelve digits or empty
    std::string log_group;             ///< cloudwatch-logs
    std::string log_stream;            ///< cloudwatch-logs: empty: the instance's id
    std::string compliance_type;       ///< ssm-compliance: `Custom:...`
    std::string audience;              ///< empty: ReportConfig::audience
    std::string proxy;                 ///< https and AWS
    std::string ca_file;
    std::string client_certificate; ///< https
    std::string client_key;
    std::chrono::seconds timeout{30}; ///< of one request
};

enum class ProofChoice {
    Auto,        ///< STS-bound, with the document as context
    WebIdentity, ///< web identity token besides
    Document,    ///< the document only
    None,
};

struct ReportConfig {
    std::string audience = "hostward"; ///< whom the proof is for
    ProofChoice proof = ProofChoice::Auto;
    std::string sts_endpoint;          ///< URL instead of that of the region
    std::vector<std::string> profiles; ///< none: ec2 and the one of the host's os-release
    std::chrono::seconds interval{21600};
    std::chrono::seconds splay{1800}; ///< each wait is longer by a random part of it
    std::string state_dir = "/var/lib/hostward";
    std::uint64_t spool_bytes_max = std::uint64_t{64} << 20;
    std::vector<SinkConfig> sinks; ///< none written: one file sink `local`
};

/// Errors as those of parse() in guard_config.h: all of them, one line each.
[[nodiscard]] Result<ReportConfig> parse_report(std::string_view toml, const std::string& file);

/// parse_report() of a file. No such file: the defaults. `owner`: the user who alone may be able to change it, none to
/// take whatever is there.
[[nodiscard]] Result<ReportConfig> load_report(const std::string& path, std::optional<unsigned> owner);

} // namespace hostward::config
