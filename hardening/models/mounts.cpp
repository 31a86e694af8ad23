// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/mounts.h"

#include "agent/base/text.h"
#include "hardening/models/lines.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::size_t kFieldsBeforeTags = 6;
constexpr std::size_t kFieldsAfterDash = 3;

bool is_octal(char c) { return c >= '0' && c <= '7'; }

Error malformed(std::string_view line) { return invalid_error("mountinfo line " + quote(line) + " is malformed"); }

Result<Mount> parse_line(std::string_view line)
{
    const auto fields = split(line, ' ');
    const auto dash = std::ranges::find(fields, std::string_view("-"));
    const auto tail = static_cast<std::size_t>(fields.end() - dash);
    if (fields.size() < kFieldsBeforeTags || dash - fields.begin() < static_cast<std::ptrdiff_t>(kFieldsBeforeTags) ||
        tail < kFieldsAfterDash + 1) {
        return malformed(line);
    }
    const auto id = parse_number<int>(fields[0]);
    const auto parent = parse_number<int>(fields[1]);
    if (!id || !parent) {
        return malformed(line);
    }
    Mount mount{*id, *parent, std::string(fields[2]), unescaped_octal(fields[3]), unescaped_octal(fields[4]), {},
                {},  {}};
    for (const auto option : split(fields[5], ',')) {
        mount.options.push_back(unescaped_octal(option));
    }
    for (const auto option : split(dash[kFieldsAfterDash], ',')) {
        mount.options.push_back(unescaped_octal(option));
    }
    mount.type = unescaped_octal(dash[1]);
    mount.source = unescaped_octal(dash[2]);
    return mount;
}

Result<Mounts> read_table(Facts& facts, const std::string& path)
{
    TRY_ASSIGN(const auto text, host::read_kernel(facts.host(), path));
    TRY_ASSIGN(auto all, parse_mountinfo(text));
    return Mounts{std::move(all), path};
}

} // namespace

std::string unescaped_octal(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool is_escape = text[at] == '\\' && at + 3 < text.size() && is_octal(text[at + 1]) &&
                               is_octal(text[at + 2]) && is_octal(text[at + 3]);
        if (is_escape) {
            const int code = (text[at + 1] - '0') * 64 + (text[at + 2] - '0') * 8 + (text[at + 3] - '0');
            out += static_cast<char>(code);
            at += 3;
        } else {
            out += text[at];
        }
    }
    return out;
}

bool Mount::has(std::string_view option) const { return std::ranges::find(options, option) != options.end(); }

Result<std::vector<Mount>> parse_mountinfo(std::string_view text)
{
    std::vector<Mount> mounts;
    std::optional<Error> problem;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        auto mount = parse_line(line);
        if (mount) {
            mounts.push_back(mount.take());
        } else if (!problem) {
            problem = mount.error();
        }
    });
    return problem ? Result<std::vector<Mount>>(*problem) : Result<std::vector<Mount>>(std::move(mounts));
}

const Mount* Mounts::at(std::string_view path) const
{
    const auto is_root = [&](const Mount& mount) {
        return mount.point == "/" && std::ranges::find(all, mount.parent, &Mount::id) == all.end();
    };
    const auto root = std::ranges::find_if(all, is_root);
    const Mount* here = root == all.end() ? nullptr : &*root;
    // A path is walked from the root: what is mounted on a directory that another mount covers is not met.
    const auto enter = [&](std::string_view point) {
        for (std::size_t steps = 0; steps < all.size(); ++steps) {
            const auto next = std::ranges::find_if(all, [&](const Mount& mount) {
                return mount.point == point && (here == nullptr || (mount.parent == here->id && &mount != here));
            });
            if (next == all.end()) {
                return;
            }
            here = &*next;
        }
    };
    enter("/");
    for (std::size_t end = path.find('/', 1); path != "/"; end = path.find('/', end + 1)) {
        enter(path.substr(0, end));
        if (end == path.npos) {
            break;
        }
    }
    return here != nullptr && here->point == path ? here : nullptr;
}

bool Mounts::has_same_root(const Mounts& other) const
{
    const Mount* here = at("/");
    const Mount* there = other.at("/");
    return here != nullptr && there != nullptr && here->device == there->device && here->root == there->root;
}

Result<Mounts> Mounts::read(Facts& facts)
{
    TRY_ASSIGN(auto ours, read_table(facts, "/proc/self/mountinfo"));
    // A unit's mounts are not the host's: systemd mounts everything nosuid there for NoNewPrivileges=. The first
    // process has the host's table, but for who runs in a chroot: there its paths are not ours.
    auto hosts = read_table(facts, "/proc/1/mountinfo");
    if (hosts && hosts->has_same_root(ours)) {
        return hosts;
    }
    return ours;
}

} // namespace hostward::hardening
