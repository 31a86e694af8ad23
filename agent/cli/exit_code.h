// SPDX-License-Identifier: Apache-2.0
// Exit codes of every command: part of the contract, never changed, only added to. Never 168, 169 or 194: AWS SSM and
// EC2 Image Builder read those as "reboot this machine".
#pragma once

#include "agent/base/result.h"

namespace hostward::cli {

enum class ExitCode {
    Ok = 0,
    Failed = 1,        ///< anything else, a result that could not be written (full disk, reader gone) included
    Usage = 2,         ///< the command line is wrong
    InvalidConfig = 3, ///< the policy file is missing, unreadable or has errors
    NotLoaded = 4,     ///< no guard at this pin directory
    Unsupported = 5,   ///< this kernel lacks something that the guard needs
    Refused = 6,       ///< the kernel or the guard's seal refused: missing privilege, or sealed until reboot
    Warnings = 7,      ///< guard doctor: the worst finding is a warning
    CannotTell = 8,    ///< guard doctor: something could not be looked at, and nothing worse was found;
                       ///< guard explain --policy: of some decisions it cannot be told, and no other one changes;
                       ///< verify: nothing is wrong, and nothing is proven
    Errors = 9,        ///< guard doctor: the worst finding is an error
    Findings = 10,     ///< check: what --fail-on names was found
    Changes = 11,      ///< guard explain --policy: the policy would change a recorded decision
    NotGenuine = 12,   ///< verify: something contradicts the proof or the document
};

/// The one place where a kind of error becomes an exit code. NotFound is Failed: only the command knows whether what
/// is missing is the guard.
[[nodiscard]] ExitCode exit_code_of(ErrorKind kind);

} // namespace hostward::cli
