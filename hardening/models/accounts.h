// SPDX-License-Identifier: Apache-2.0
// /etc/passwd and /etc/group as the C library's "files" service reads them. Accounts of other services (sss, ldap,
// systemd) are not here: NameServices says whether there are any.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"
#include "hardening/models/password_field.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct User {
    Origin origin;
    std::string name;
    PasswordField password;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::string gecos;
    std::string home;
    std::string shell; ///< empty means /bin/sh
};

struct Passwd {
    bool is_there = false;
    std::vector<User> users;      ///< in file order: the first of a name or a number is the one that is found
    std::vector<Origin> compat;   ///< `+` and `-` lines
    std::vector<Origin> unusable; ///< lines that the C library skips
    static Result<Passwd> read(Facts& facts);
    [[nodiscard]] const User* find(std::string_view name) const;
};

struct Group {
    Origin origin;
    std::string name;
    PasswordField password;
    std::uint32_t gid = 0;
    std::vector<std::string> members; ///< named here; those whose primary group it is are not repeated
};

struct Groups {
    bool is_there = false;
    std::vector<Group> groups;
    std::vector<Origin> compat;
    std::vector<Origin> unusable;
    static Result<Groups> read(Facts& facts);
    [[nodiscard]] const Group* find(std::string_view name) const;
    [[nodiscard]] const Group* find(std::uint32_t gid) const;
};

/// nsswitch.conf: database -> services in order, without their actions.
struct NameServices {
    std::map<std::string, std::vector<std::string>> services;
    static Result<NameServices> read(Facts& facts);
    /// Services besides the local files that may know accounts, in order; what glibc uses without a line is `files`.
    [[nodiscard]] std::vector<std::string> beyond_files(const std::string& database) const;
};

[[nodiscard]] Passwd parse_passwd(std::string_view text, const std::string& file);
[[nodiscard]] Groups parse_groups(std::string_view text, const std::string& file);
[[nodiscard]] NameServices parse_name_services(std::string_view text);

/// Names of all groups that the user is in: primary first, then by file order. As initgroups(3) with local files.
[[nodiscard]] std::vector<std::string> groups_of(const User& user, const Groups& groups);

} // namespace hostward::hardening
