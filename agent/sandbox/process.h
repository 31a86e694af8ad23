// SPDX-License-Identifier: Apache-2.0
// What this process inherited from whoever started it, put in order.
#pragma once

#include "agent/base/result.h"

namespace hostward::sandbox {

/// First thing in main(): descriptors 0 to 2 exist and the others are closed, the environment holds nothing but
/// what the service manager tells us, files are private, a reader that goes away is an error and no signal.
void prepare_process();

/// True if this standard output or error is the journal's, as JOURNAL_STREAM says (systemd.exec(5)).
[[nodiscard]] bool is_journal(int fd);

/// For a process that holds secrets: no core dump, no look into it by others of its user.
void keep_memory_private();

/// From root to this user with this one group, for good: no capability and no way to gain one.
[[nodiscard]] Status become_user(unsigned uid, unsigned gid);

} // namespace hostward::sandbox
