// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/packages.h"

#include "hardening/models/dpkg.h"
#include "hardening/models/rpm.h"

namespace hostward::hardening {

Result<Packages> Packages::read(Facts& facts)
{
    Packages packages;
    TRY(read_dpkg(facts.host(), packages));
    TRY(read_rpm(facts.host(), packages));
    if (packages.databases.empty()) {
        return Error{ErrorKind::NotFound, 0, "no package database that is known: neither dpkg's nor rpm's"};
    }
    return packages;
}

} // namespace hostward::hardening
