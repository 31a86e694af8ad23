// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/dpkg.h"

#include "agent/base/text.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr auto kStatusFile = "/var/lib/dpkg/status";
constexpr auto kUpdates = "/var/lib/dpkg/updates";
constexpr auto kStatusFolder = "/var/lib/dpkg/status.d";
/// A status file of some 50,000 packages.
constexpr std::size_t kStatusBytesMax = std::size_t{128} << 20;

struct Known {
    Package package;
    bool is_per_architecture = false; ///< Multi-Arch: same; of all others a name is there once
};
using ByName = std::multimap<std::string, Known>;

class Parser {
public:
    explicit Parser(const std::string& file) : file_(file) {}

    Status take(std::string_view line, std::uint32_t number)
    {
        if (trimmed(line).empty()) {
            return finish();
        }
        if (line[0] == ' ' || line[0] == '\t') {
            return has_fields_ ? success() : wrong(number, "continues nothing");
        }
        const auto colon = line.find(':');
        if (colon == line.npos || colon == 0) {
            return wrong(number, "is no field");
        }
        set(lower(trimmed(line.substr(0, colon))), std::string(trimmed(line.substr(colon + 1))), number);
        return success();
    }

    Status finish()
    {
        if (has_fields_ && current_.name.empty()) {
            return wrong(current_.line, "begins a paragraph without a package name");
        }
        if (has_fields_) {
            found.push_back(std::move(current_));
        }
        current_ = {};
        has_fields_ = false;
        return success();
    }

    std::vector<DpkgParagraph> found;

private:
    void set(const std::string& key, std::string value, std::uint32_t number)
    {
        if (!has_fields_) {
            current_.line = number;
            has_fields_ = true;
        }
        if (key == "package") {
            current_.name = lower(value);
        } else if (key == "version") {
            current_.version = std::move(value);
        } else if (key == "architecture") {
            current_.architecture = std::move(value);
        } else if (key == "multi-arch") {
            current_.is_per_architecture = lower(value) == "same";
        } else if (key == "status") {
            current_.status = std::move(value);
        }
    }

    [[nodiscard]] Error wrong(std::uint32_t number, const std::string& what) const
    {
        return invalid_error(quote(Origin{file_, number}.text()) + " " + what);
    }

    const std::string& file_;
    DpkgParagraph current_;
    bool has_fields_ = false;
};

/// An epoch of 0 is none.
std::string without_zero_epoch(const std::string& version)
{
    const auto colon = version.find(':');
    const bool is_zero = colon != std::string::npos && version.find_first_not_of('0') == colon;
    return is_zero ? version.substr(colon + 1) : version;
}

/// What a paragraph takes the place of.
void forget(const DpkgParagraph& paragraph, ByName& known)
{
    const auto [first, last] = known.equal_range(paragraph.name);
    for (auto at = first; at != last;) {
        const bool is_beside = paragraph.is_per_architecture && at->second.is_per_architecture &&
                               at->second.package.architecture != paragraph.architecture;
        at = is_beside ? std::next(at) : known.erase(at);
    }
}

/// Paragraphs of one file over what is known: a later one takes the place of an earlier one.
Status merge(const host::Host& host, const std::string& file, bool needs_status, ByName& known)
{
    TRY_ASSIGN(const std::string text, host.read(file, kStatusBytesMax));
    TRY_ASSIGN(auto paragraphs, parse_dpkg(text, file));
    for (auto& paragraph : paragraphs) {
        std::optional<PackageState> state = PackageState::Installed;
        if (needs_status || !paragraph.status.empty()) {
            auto told = dpkg_state(paragraph.status);
            if (!told) {
                return told.error().in(quote(Origin{file, paragraph.line}.text()));
            }
            state = *told;
        }
        forget(paragraph, known);
        if (state) {
            known.emplace(paragraph.name,
                          Known{Package{paragraph.name, without_zero_epoch(paragraph.version), paragraph.architecture,
                                        PackageManager::Dpkg, *state, Origin{file, paragraph.line}},
                                paragraph.is_per_architecture});
        }
    }
    return success();
}

} // namespace

Result<std::vector<DpkgParagraph>> parse_dpkg(std::string_view text, const std::string& file)
{
    Parser parser(file);
    Status status = success();
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        if (status) {
            status = parser.take(line, number);
        }
    });
    if (!status) {
        return status.error();
    }
    TRY(parser.finish());
    return std::move(parser.found);
}

Result<std::optional<PackageState>> dpkg_state(std::string_view status)
{
    const auto parts = words(status);
    const std::string word = parts.size() == 3 ? lower(parts[2]) : "";
    if (word == "installed" || word == "triggers-awaited" || word == "triggers-pending") {
        return std::optional(PackageState::Installed);
    }
    if (word == "unpacked" || word == "half-configured" || word == "half-installed") {
        return std::optional(PackageState::Partial);
    }
    if (word == "config-files") {
        return std::optional(PackageState::ConfigFiles);
    }
    if (word == "not-installed") {
        return std::optional<PackageState>();
    }
    return invalid_error("no such package status: " + quote(status));
}

Status read_dpkg(const host::Host& host, Packages& out)
{
    ByName known;
    TRY_ASSIGN(const bool has_status, host::exists(host, kStatusFile));
    if (has_status) {
        TRY(merge(host, kStatusFile, true, known));
        TRY_ASSIGN(const auto updates, host::list_optional(host, kUpdates));
        for (const auto& name : updates) {
            if (name.find_first_not_of("0123456789") == name.npos) {
                TRY(merge(host, std::string(kUpdates) + "/" + name, true, known));
            }
        }
        out.databases.emplace_back(kStatusFile);
    }
    TRY_ASSIGN(const auto single, host::list_optional(host, kStatusFolder));
    for (const auto& name : single) {
        if (!name.ends_with(".md5sums") && !name.ends_with(".preinst")) {
            TRY(merge(host, std::string(kStatusFolder) + "/" + name, false, known));
        }
    }
    if (!single.empty()) {
        out.databases.emplace_back(kStatusFolder);
    }
    for (auto& [name, entry] : known) {
        out.all.emplace(name, std::move(entry.package));
    }
    return success();
}

} // namespace hostward::hardening
