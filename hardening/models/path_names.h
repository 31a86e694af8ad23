// SPDX-License-Identifier: Apache-2.0
// Names of files without symbolic links on the way: whether two paths are one.
#pragma once

#include "agent/host/host.h"

#include <map>
#include <string>

namespace hostward::hardening {

class PathNames {
public:
    explicit PathNames(const host::Host& host) : host_(host) {}

    /// The path with links in its folders followed, its last part as written. What cannot be followed stays.
    [[nodiscard]] std::string of(const std::string& path);
    /// The last part followed, too.
    [[nodiscard]] std::string followed(const std::string& path);

private:
    [[nodiscard]] std::string resolve(const std::string& path, int& links_left);

    const host::Host& host_;
    std::map<std::string, std::string> known_;
};

} // namespace hostward::hardening
