// SPDX-License-Identifier: Apache-2.0
// What this process inherited from whoever started it, put in order.
#pragma once

#include "agent/base/result.h"

namespace hostward::cli {

/// First thing in main(): descriptors 0 to 2 exist and the others are closed, the environment holds nothing but
/// what the service manager tells us, files are private, a reader that goes away is an error and no signal.
void prepare_process();

/// True if this standard output or error is the journal's, as JOURNAL_STREAM says (systemd.exec(5)).
[[nodiscard]] bool is_journal(int fd);

/// Keeps the capabilities that a running guard needs and gives up all others, for good; no program started from
/// here can gain any.
[[nodiscard]] Status keep_guard_capabilities();

} // namespace hostward::cli
