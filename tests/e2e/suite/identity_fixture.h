// SPDX-License-Identifier: Apache-2.0
// What the identity rows need on disk and between processes.
#pragma once

#include "tests/e2e/support/rows.h"

#include <functional>
#include <string>

namespace hostward::e2e {

inline constexpr auto kTrusted = "/mnt/trusted";         ///< only root writes here
inline constexpr auto kAllowed = "/mnt/trusted/allowed"; ///< the program that exe_policy() names: a copy of `tcp`
inline constexpr auto kOwn = "/mnt/scratch/own";         ///< nobody's own copy of the same bytes
inline constexpr auto kExt4 = "/mnt/ext4";

/// A policy of one allow rule with this condition.
[[nodiscard]] std::string rule(const std::string& condition);
[[nodiscard]] std::string exe_policy();

/// A copy of an attack program, as a new file.
[[nodiscard]] Status copy_program(const std::string& path, std::string_view attack, uid_t owner, mode_t mode);
[[nodiscard]] Status empty_folder(const std::string& path);
[[nodiscard]] Result<std::string> inode_of(const std::string& path);
[[nodiscard]] Status move_to(pid_t pid, const std::string& cgroup);

/// Starts a program that says `ready` and waits, does `then`, lets it go on.
[[nodiscard]] Result<Outcome> after_start(const Launch& launch, const std::function<Status(Child&)>& then);

class IdentityTest : public AttackTest {
protected:
    void SetUp() override;
    void install_program(const std::string& path, std::string_view attack, uid_t owner, mode_t mode);

    /// OWN run so that its path reads as kAllowed.
    static Attempt spoof(const char* way, Identity who);
    /// nobody runs kAllowed itself.
    static Attempt allowed_program();
    /// A program that opens its way before the guard and uses it after.
    static Attempt held(Launch launch);
    /// A socket opened by one process and sent to another; `older`: opened before the guard.
    static Attempt passed(std::string name, Launch giver, const Launch& taker);
    static Attempt older_passed(std::string name, Launch giver, const Launch& taker);
    /// The taker fetches it without being asked.
    static Attempt stolen(std::string name, const Launch& giver, Launch taker);

    /// A cgroup below user.slice that belongs to nobody, as a user's service manager has it, with init.scope in it.
    static Result<std::string> delegated_to_nobody();
    /// A small ext4 at kExt4 with `trusted` (root's) and `scratch` (everybody's).
    static Status mount_ext4();
};

} // namespace hostward::e2e
