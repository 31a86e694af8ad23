// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/exit_code.h"

namespace hostward::cli {

ExitCode exit_code_of(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::Invalid: return ExitCode::InvalidConfig;
    case ErrorKind::Denied: return ExitCode::Refused;
    case ErrorKind::Unsupported: return ExitCode::Unsupported;
    case ErrorKind::NotFound:
    case ErrorKind::Exhausted:
    case ErrorKind::Conflict:
    case ErrorKind::System: return ExitCode::Failed;
    }
    return ExitCode::Failed;
}

} // namespace hostward::cli
