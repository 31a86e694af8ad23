// SPDX-License-Identifier: Apache-2.0
// SQLite on one open file. Its own way takes a path, follows the links in it once more by itself, and opens what is
// there then: a pipe that it waits for, or a file outside of the image.
#pragma once

#include "agent/base/result.h"

namespace hostward::hardening {

/// Name of the SQLite VFS in which "file:N" is the open descriptor N: read only, without locks, journal or log.
/// Registered by the first call. The descriptor stays the caller's and must outlive the database.
[[nodiscard]] Result<const char*> sqlite_descriptor_vfs();

} // namespace hostward::hardening
