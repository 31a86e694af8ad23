// SPDX-License-Identifier: Apache-2.0
// Steps that the attacks on the caller's identity share. Each exits with kCannotTry when the host refuses it.
#pragma once

#include "attack.h"

#include <sys/types.h>

namespace attack {

inline constexpr uid_t kNobody = 65534;

/// Becomes nobody: no groups, no capabilities.
void drop_to_nobody();

/// A user namespace of our own in which we are root, with further namespaces (CLONE_NEW*).
void enter_user_namespace(int more_flags);

/// A mount namespace of our own from which nothing leaks back. `flags`: CLONE_NEWUSER first enters one.
void make_mounts_private();

/// Copies a program; the copy is executable by everybody.
void copy_program(const char* from, const char* to);

/// Copies a program into an open file.
void copy_into(const char* from, int to);

/// execv(path, {name, ADDRESS}) or exit: EPERM and EACCES are a refusal.
[[noreturn]] void run_program(const char* path, const char* name, const char* address);

/// Waits for the child and exits as it did.
[[noreturn]] void exit_like(pid_t child);

} // namespace attack
