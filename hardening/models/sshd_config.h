// SPDX-License-Identifier: Apache-2.0
// sshd_config(5) with its includes, as lines; what they amount to is sshd_effective.h.
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

struct SshdFile;

/// One line that says something. A line that sshd refuses has a `problem`: then sshd does not start at all.
struct SshdLine {
    Origin origin;
    std::string keyword;                ///< lower case, as written otherwise
    std::vector<std::string> arguments; ///< without quotes and comment
    std::string rest;                   ///< what follows the keyword, as written
    std::string problem;
    std::vector<SshdFile> included; ///< Include: the files, in the order in which sshd reads them
};

struct SshdFile {
    std::string path;
    std::vector<SshdLine> lines;
};

struct SshdConfig {
    bool is_installed = false; ///< there is a /usr/sbin/sshd
    bool is_there = false;     ///< there is an sshd_config
    std::string version;       ///< of the program, "9.2"; empty: not known
    SshdFile command_line;     ///< options that the service's environment file gives: they win
    SshdFile file;
    static Result<SshdConfig> read(Facts& facts);
};

/// One line of the file. Nothing for blank lines and comments.
[[nodiscard]] std::optional<SshdLine> parse_sshd_line(std::string_view text, Origin origin);

/// Arguments as sshd splits them: quotes of both kinds, backslash before a quote, a backslash or a blank, `#` at the
/// start of an argument ends the line. Nothing if a quote is left open.
[[nodiscard]] std::optional<std::vector<std::string>> sshd_arguments(std::string_view text);

/// `OpenSSH_9.2p1` somewhere in the program -> "9.2"; empty if it is not there.
[[nodiscard]] std::string sshd_version_in(std::string_view program);

/// `-o` and `-p` options of a line like `SSHD_OPTS="-o A=b"`, in the named file.
[[nodiscard]] std::vector<SshdLine> sshd_options_in(std::string_view text, const std::string& file);

} // namespace hostward::hardening
