// SPDX-License-Identifier: Apache-2.0
// The world that random policies are about: accounts, program files, names of cgroups, addresses.
#pragma once

#include "agent/guard/decide.h"
#include "agent/guard/policy.h"
#include "tests/bpf/oracle/rng.h"

#include <map>
#include <string>
#include <vector>

namespace hostward::test {

/// Also the Resolver of everything it holds. Tests that need real files or accounts change the members.
struct World : guard::Resolver {
    std::map<std::string, std::uint32_t> users;
    std::map<std::string, std::uint32_t> groups;
    std::map<std::string, guard::ExeInfo> exes; ///< by path; other paths do not exist
    std::vector<std::uint32_t> uids;            ///< that callers have
    std::vector<std::uint32_t> gids;
    std::vector<std::string> cgroup_names; ///< components of callers' paths; hostile ones among them
    std::vector<std::string> addresses;    ///< that endpoints are given

    std::optional<std::uint32_t> user(const std::string& name) override;
    std::optional<std::uint32_t> group(const std::string& name) override;
    Result<guard::ExeInfo> exe(const std::string& path) override;
};

/// A world of a few dozen things each, small enough for random policies and callers to meet.
[[nodiscard]] World random_world(Rng& rng);

} // namespace hostward::test
