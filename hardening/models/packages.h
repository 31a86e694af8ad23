// SPDX-License-Identifier: Apache-2.0
// Which packages a host has: dpkg's status files and rpm's database, read without their programs.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

enum class PackageManager { Dpkg, Rpm };

enum class PackageState {
    Installed,   ///< whatever is wanted for it: a held package is installed too
    Partial,     ///< its files are there, not (or no longer) configured
    ConfigFiles, ///< removed, only its configuration stayed
};

struct Package {
    std::string name;
    std::string version; ///< as its manager prints it: [EPOCH:]VERSION[-RELEASE]
    std::string architecture;
    PackageManager manager = PackageManager::Dpkg;
    PackageState state = PackageState::Installed;
    Origin origin;
};

struct Packages {
    /// Error: a database that is there but cannot be read. NotFound: the host has none that we know.
    static Result<Packages> read(Facts& facts);

    std::multimap<std::string, Package, std::less<>> all; ///< by name, one for each architecture or version
    std::vector<std::string> databases;                   ///< paths that were read
};

/// Of two versions as dpkg orders them: negative, 0 or positive.
[[nodiscard]] int compare_dpkg(std::string_view left, std::string_view right);
/// As rpm orders them; a missing release equals any.
[[nodiscard]] int compare_rpm(std::string_view left, std::string_view right);

[[nodiscard]] inline int compare_versions(PackageManager manager, std::string_view left, std::string_view right)
{
    return manager == PackageManager::Dpkg ? compare_dpkg(left, right) : compare_rpm(left, right);
}

} // namespace hostward::hardening
