// SPDX-License-Identifier: Apache-2.0
#include "agent/base/result.h"

#include <system_error>

namespace hostward {

namespace {

ErrorKind kind_of(int error_number)
{
    switch (error_number) {
    case ENOENT:
    case ESRCH:
    case ENXIO:
    case ENODEV: return ErrorKind::NotFound;
    case EPERM:
    case EACCES:
    case EROFS: return ErrorKind::Denied;
    case ENOSYS:
    case EOPNOTSUPP:
    case ENOTTY: return ErrorKind::Unsupported;
    case ENOSPC:
    case ENOMEM:
    case EMFILE:
    case ENFILE: return ErrorKind::Exhausted;
    case EBUSY:
    case EEXIST: return ErrorKind::Conflict;
    default: return ErrorKind::System;
    }
}

} // namespace

Error system_error(int error_number, const std::string& what)
{
    return Error{kind_of(error_number), error_number, what + ": " + std::generic_category().message(error_number)};
}

} // namespace hostward
