// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/file_set.h"

#include "agent/base/text.h"
#include "hardening/models/glob.h"

namespace hostward::hardening {

namespace {

constexpr std::size_t kMatchesMax = 100'000;

/// Appends the children of `folder` that `component` matches.
Status expand(const host::Host& host, const std::string& folder, const std::string& component,
              std::vector<std::string>& out)
{
    if (component.find_first_of("*?[\\") == std::string::npos) {
        out.push_back(folder + "/" + component);
        return success();
    }
    TRY_ASSIGN(const auto names, host::list_optional(host, folder.empty() ? "/" : folder));
    for (const auto& name : names) {
        if (matches_name(component, name)) {
            out.push_back(folder + "/" + name);
        }
    }
    return success();
}

} // namespace

Result<std::vector<std::string>> expand_pattern(const host::Host& host, const std::string& pattern)
{
    if (!pattern.starts_with('/')) {
        return invalid_error(quote(pattern) + " is not an absolute path");
    }
    std::vector<std::string> paths{""};
    for (const auto component : split(pattern, '/')) {
        std::vector<std::string> next;
        for (const auto& path : paths) {
            if (component.empty()) {
                next.push_back(path);
                continue;
            }
            TRY(expand(host, path, std::string(component), next));
            if (next.size() > kMatchesMax) {
                return Error{ErrorKind::Exhausted, 0, quote(pattern) + " matches more files than the allowed 100000"};
            }
        }
        paths = std::move(next);
    }
    return paths;
}

Result<std::vector<FoundFile>> find_files(const host::Host& host, const std::string& pattern)
{
    TRY_ASSIGN(const auto paths, expand_pattern(host, pattern));
    std::vector<FoundFile> found;
    for (const auto& path : paths) {
        const auto facts = host.facts(path.empty() ? "/" : path);
        if (facts) {
            found.push_back({path.empty() ? "/" : path, *facts});
        } else if (facts.error().kind != ErrorKind::NotFound) {
            return facts.error();
        }
    }
    return found;
}

std::string octal(std::uint32_t mode)
{
    std::string text;
    for (const unsigned shift : {9U, 6U, 3U, 0U}) {
        text += static_cast<char>('0' + (mode >> shift & 7U));
    }
    return text;
}

} // namespace hostward::hardening
