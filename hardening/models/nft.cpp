// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/nft.h"

#include "agent/base/text.h"
#include "hardening/models/file_set.h"
#include "hardening/models/shell_assignments.h"
#include "hardening/models/units.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kPrograms{"/usr/sbin/nft", "/sbin/nft"};
constexpr std::array kFiles{"/etc/nftables.conf", "/etc/sysconfig/nftables.conf"};
constexpr auto kUnit = "nftables.service";
constexpr std::size_t kFilesMax = 100; ///< that include each other

/// The file after `-f` in the unit's ExecStart=.
std::string file_of_unit(std::string_view text)
{
    std::string found;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        const auto words = shell_words(trimmed(line));
        if (words.empty() || !words[0].starts_with("ExecStart=")) {
            return;
        }
        for (std::size_t i = 0; i + 1 < words.size(); ++i) {
            if ((words[i] == "-f" || words[i] == "--file") && words[i + 1].starts_with('/')) {
                found = words[i + 1];
            }
        }
    });
    return found;
}

Result<std::string> boot_file(Facts& facts)
{
    const auto& units = facts.get<Units>();
    if (!units) {
        return units.error();
    }
    if (const auto path = units->path_of(kUnit); !path.empty()) {
        TRY_ASSIGN(const auto unit, host::read_optional(facts.host(), path));
        if (const auto file = file_of_unit(unit.value_or("")); !file.empty()) {
            return file;
        }
    }
    for (const auto* path : kFiles) {
        TRY_ASSIGN(const bool is_there, host::exists(facts.host(), path));
        if (is_there) {
            return std::string(path);
        }
    }
    return std::string();
}

/// Files and what they include, in the order in which nft reads them.
class Loader {
public:
    Loader(const host::Host& host, FilterRules& out) : host_(host), out_(out) {}

    Status load(const std::string& path)
    {
        if (++files_ > kFilesMax) {
            return Error{ErrorKind::Exhausted, 0, "files of nft include each other more than 100 times"};
        }
        TRY_ASSIGN(const std::string text, host_.read(path));
        Status status = success();
        parse_nft_text(text, path, out_, names_, [&](const std::string& pattern) {
            if (status) {
                status = include(pattern);
            }
        });
        return status;
    }

private:
    /// A name without a folder is below /etc; a pattern may match nothing, a name must be there.
    Status include(const std::string& pattern)
    {
        const std::string path = pattern.starts_with('/') ? pattern : "/etc/" + pattern;
        const bool is_pattern = path.find_first_of("*?[") != std::string::npos;
        TRY_ASSIGN(const auto files, find_files(host_, path));
        if (files.empty() && !is_pattern) {
            return Error{ErrorKind::NotFound, 0, quote(path) + " is included by nft's configuration and not there"};
        }
        for (const auto& file : files) {
            if (file.facts.type == host::FileType::Regular) {
                TRY(load(file.path));
            }
        }
        return success();
    }

    const host::Host& host_;
    FilterRules& out_;
    NftNames names_;
    std::size_t files_ = 0;
};

} // namespace

Result<RunningNft> RunningNft::read(Facts& facts)
{
    if (!facts.host().is_running()) {
        return Error{ErrorKind::Unsupported, 0, "an image has no rules in a kernel"};
    }
    for (const auto* program : kPrograms) {
        const auto answer = facts.host().run({program, "-j", "list", "ruleset"});
        if (!answer && answer.error().kind == ErrorKind::NotFound) {
            continue;
        }
        if (!answer) {
            return answer.error().in("asking nft for the kernel's rules");
        }
        if (answer->exit_code != 0) {
            return Error{ErrorKind::System, 0, "nft cannot list the kernel's rules: " + escape(trimmed(answer->err))};
        }
        TRY_ASSIGN(auto rules, parse_nft_json(answer->out));
        return RunningNft{std::move(rules)};
    }
    return Error{ErrorKind::NotFound, 0, "there is no nft to ask which rules the kernel has"};
}

Result<BootNft> BootNft::read(Facts& facts)
{
    BootNft boot;
    TRY_ASSIGN(boot.file, boot_file(facts));
    TRY_ASSIGN(const bool is_there, boot.file.empty() ? Result<bool>(false) : host::exists(facts.host(), boot.file));
    if (!is_there) {
        boot.file.clear();
        return boot;
    }
    TRY(Loader(facts.host(), boot.rules).load(boot.file));
    return boot;
}

} // namespace hostward::hardening
