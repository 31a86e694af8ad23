// SPDX-License-Identifier: Apache-2.0
// By what a rule should know the caller of an event. Internal to the policy library.
#pragma once

#include "agent/guard/events_record.h"

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace hostward::guard {

/// What the rule names. The order of the members is the order of the rules in the output.
struct Identity {
    bool container = false;
    std::string unit;
    std::string cgroup;
    std::string exe;
    std::uint32_t uid = 0;
    std::uint32_t euid = 0;

    friend bool operator<(const Identity& a, const Identity& b)
    {
        return std::tie(a.container, a.unit, a.cgroup, a.exe, a.uid, a.euid) <
               std::tie(b.container, b.unit, b.cgroup, b.exe, b.uid, b.euid);
    }
};

struct Choice {
    std::optional<Identity> identity;
    std::string why_not;              ///< without an identity: one sentence
    std::vector<std::string> remarks; ///< what a person should think of, one sentence each
};

/// Program files, each looked at once.
class ExeBook {
public:
    explicit ExeBook(Resolver& resolver) : resolver_(resolver) {}
    [[nodiscard]] const Result<ExeInfo>& look_up(const std::string& path);

private:
    Resolver& resolver_;
    std::map<std::string, Result<ExeInfo>> known_;
};

/// Whether a rule can name this path. It says nothing about the file.
[[nodiscard]] bool is_plain_path(const std::string& path);

/// For an event with a caller (uid, euid) whose program is trusted.
[[nodiscard]] Choice choose_identity(const EventRecord& event, ExeBook& exes);

} // namespace hostward::guard
