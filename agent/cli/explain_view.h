// SPDX-License-Identifier: Apache-2.0
// What `guard explain` prints. Pure.
#pragma once

#include "agent/cli/caller.h"
#include "agent/cli/policy_file.h"
#include "agent/guard/decide.h"

#include <optional>
#include <string>
#include <vector>

namespace hostward::cli {

/// Which policy the answer is about: always that of a file, never what the kernel has.
struct Asked {
    std::string file;
    std::optional<bool> is_loaded; ///< whether the guard has the same one; none: it cannot be told
};

struct Explanation {
    Subject subject;
    std::string address;
    std::optional<std::uint32_t> endpoint; ///< none: the address is not guarded, nothing else is filled
    guard::Decision decision;
    std::vector<guard::RuleTrace> trace;
};

/// Asks the policy. `address`: IPv4 or IPv6 as text; an error (Invalid) if it is neither.
[[nodiscard]] Result<Explanation> explain(const guard::CompiledPolicy& policy, Subject subject,
                                          const std::string& address);

[[nodiscard]] std::string explain_text(const Explanation& explanation, const Asked& asked, const PolicyFile& file);
[[nodiscard]] std::string explain_json(const Explanation& explanation, const Asked& asked, const PolicyFile& file);

} // namespace hostward::cli
