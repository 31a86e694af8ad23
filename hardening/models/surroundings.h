// SPDX-License-Identifier: Apache-2.0
// What is around a host and no file of it: the metadata service of the instance, and our own guard. Rules know nothing
// of how they are asked; whoever wires the program gives them an answer. An image has no surroundings.
#pragma once

#include "agent/base/result.h"

#include <string>
#include <vector>

namespace hostward::hardening {

/// One layer of the guard, in the words of `hostward guard status`.
struct GuardLayer {
    std::string name;
    bool is_on = false;
    bool is_offered = true; ///< false: this kernel does not have it
    std::string why;        ///< of one that is not on
};

struct GuardFacts {
    bool is_loaded = false;
    bool is_audit = false; ///< it only counts
    std::vector<GuardLayer> layers;
};

/// What of the metadata service shows without knowing any of its items.
struct MetadataAccess {
    int status_without_token = 0; ///< HTTP status of a GET as IMDSv1 sends it
    /// IP TTL or IPv6 hop limit with which the answer to PUT arrived, at most kHopLimitMax; error: it did not show.
    Result<int> hop_limit = Error{ErrorKind::Unsupported, 0, "not asked"};
};

/// The largest hop limit that EC2 allows: more cannot be told from it.
inline constexpr int kHopLimitMax = 64;

class Surroundings {
public:
    virtual ~Surroundings() = default;

    /// An item of the metadata service, `meta-data/instance-id`, asked with a token. NotFound: there is no such item.
    /// Every other error: it cannot be told. Nobody there is found out once, and then remembered.
    [[nodiscard]] virtual Result<std::string> metadata(const std::string& path) = 0;
    [[nodiscard]] virtual Result<MetadataAccess> metadata_access() = 0;
    /// Not loaded is a value. Denied: only root can tell.
    [[nodiscard]] virtual Result<GuardFacts> guard() = 0;
};

/// Answers Unsupported to everything: of an image, and of a host without more.
[[nodiscard]] Surroundings& no_surroundings();

} // namespace hostward::hardening
