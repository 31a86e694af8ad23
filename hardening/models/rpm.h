// SPDX-License-Identifier: Apache-2.0
// rpm's database, read natively: rpmdb.sqlite (current rpm) and Packages.db (ndb, SUSE). What both hold for a package
// is the same blob: rpm's header. Packages (Berkeley DB, rpm before 4.16) is an error that says so.
#pragma once

#include "hardening/models/packages.h"

namespace hostward::hardening {

/// Name, version and architecture out of a header blob. All numbers in it are checked against its size.
[[nodiscard]] Result<Package> parse_rpm_header(std::string_view blob);

/// The header blobs in the text of a Packages.db. The views point into `text`.
[[nodiscard]] Result<std::vector<std::string_view>> parse_ndb(std::string_view text);

/// Adds what rpm knows; a host without rpm adds nothing.
[[nodiscard]] Status read_rpm(const host::Host& host, Packages& out);

} // namespace hostward::hardening
