// SPDX-License-Identifier: Apache-2.0
// /etc/pam.d as libpam reads it: a service's stack with its includes in place, and what the modules' own files add.
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

/// One line of a stack.
struct PamEntry {
    Origin origin;
    std::string type;    ///< auth, account, password, session
    std::string control; ///< `required`, or `[success=1 default=ignore]` with single blanks
    std::string module;  ///< without folder and `.so`: `pam_unix`
    std::vector<std::string> arguments;
    bool may_be_missing = false; ///< `-` before the type
    int depth = 0;               ///< of substacks: what ends one does not end the stack

    /// The value of `name=value`, empty for a bare `name`; the last one counts. Nothing: not there.
    [[nodiscard]] std::optional<std::string> argument(std::string_view name) const;
};

/// A line of a file before its includes are followed.
struct PamLine {
    enum class Kind { Module, Include, Substack, IncludeAll };
    Kind kind = Kind::Module;
    PamEntry entry;   ///< Module: all of it; else the type, empty for IncludeAll
    std::string file; ///< of the others
};

struct PamFile {
    std::vector<PamLine> lines;
    std::vector<Origin> malformed; ///< lines that libpam does not take: it refuses the whole service
};

[[nodiscard]] PamFile parse_pam(std::string_view text, const std::string& file);

/// All services: name -> file.
struct PamServices {
    std::map<std::string, PamFile> files;
    static Result<PamServices> read(Facts& facts);
    /// The stack of one type, flattened. NotFound: no such service, or an include that leads nowhere.
    [[nodiscard]] Result<std::vector<PamEntry>> stack(const std::string& service, const std::string& type) const;
};

/// `key = value` files of modules (faillock.conf, pwquality.conf, pwhistory.conf): name -> what counts in the end.
struct PamSettings {
    std::map<std::string, std::pair<std::string, Origin>> values; ///< a bare key has an empty value
};

/// Later lines count.
void parse_pam_settings(std::string_view text, const std::string& file, PamSettings& out);

/// The settings that `module` reads besides its arguments: those of faillock, pwquality and pwhistory. `path`: where
/// its argument conf= points; empty: the usual place. A module that is too old to read its file has no settings.
[[nodiscard]] Result<PamSettings> read_pam_settings(Facts& facts, const std::string& module, const std::string& path);

} // namespace hostward::hardening
