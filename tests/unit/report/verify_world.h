// SPDX-License-Identifier: Apache-2.0
// Instances that make proofs, and an STS that checks signatures for real.
#pragma once

#include "agent/report/verify.h"

#include <map>
#include <string>

namespace hostward::report {

inline constexpr std::int64_t kNow = 1'795'251'600; // 2026-11-21T09:00:00Z
inline constexpr auto kAudience = "https://collector.example";

struct Instance {
    std::string account_id = "123456789012";
    std::string instance_id = "i-0123456789abcdef0";
    std::string region = "eu-central-1";
    AwsKeys keys{"ASIAEXAMPLE000000001", "secret-EXAMPLE-1", "token-EXAMPLE-1"};

    [[nodiscard]] std::string arn() const;
    [[nodiscard]] std::string report(const std::string& text = "ok") const;
    /// The envelope as bytes.
    [[nodiscard]] std::string envelope(const std::string& report, const std::string& nonce,
                                       std::int64_t signed_s = kNow, const std::string& audience = kAudience) const;
};

/// Another one, in another account.
Instance other_instance();

class FakeSts : public Http {
public:
    explicit FakeSts(const std::vector<Instance>& instances);
    [[nodiscard]] HttpResult send(const HttpRequest& request) override;

    int requests = 0;
    std::optional<HttpResult> planted; ///< instead of an answer
    std::string arn;                   ///< instead of the signer's

private:
    std::map<std::string, Instance> by_key_;
};

/// What kAudience expects at kNow.
Expectations expectations();

Verification verify_bytes(const std::string& envelope, const Expectations& expected, Http* sts);

} // namespace hostward::report
