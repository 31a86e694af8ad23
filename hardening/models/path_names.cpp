// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/path_names.h"

#include "agent/base/text.h"

#include <vector>

namespace hostward::hardening {

namespace {

constexpr int kLinksMax = 40; // the kernel's own limit

} // namespace

std::string PathNames::resolve(const std::string& path, int& links_left)
{
    if (const auto found = known_.find(path); found != known_.end()) {
        return found->second;
    }
    std::string out;
    for (const auto part : split(path, '/')) {
        if (part.empty() || part == ".") {
            continue;
        }
        if (part == "..") {
            out.resize(out.empty() ? 0 : out.rfind('/'));
            continue;
        }
        const std::string next = out + "/" + std::string(part);
        const auto target = host_.link_target(next);
        if (!target || links_left <= 0) {
            out = next;
            continue;
        }
        --links_left;
        out = resolve(target->starts_with('/') ? *target : out + "/" + *target, links_left);
        out = out == "/" ? "" : out;
    }
    std::string answer = out.empty() ? "/" : out;
    if (links_left > 0) {
        known_.emplace(path, answer);
    }
    return answer;
}

std::string PathNames::followed(const std::string& path)
{
    int links_left = kLinksMax;
    return resolve(path, links_left);
}

std::string PathNames::of(const std::string& path)
{
    std::string whole = path;
    while (whole.size() > 1 && whole.ends_with('/')) {
        whole.pop_back();
    }
    const auto slash = whole.rfind('/');
    if (slash == std::string::npos || whole == "/") {
        return whole;
    }
    const std::string folder = followed(whole.substr(0, slash + 1));
    return (folder == "/" ? "" : folder) + whole.substr(slash);
}

} // namespace hostward::hardening
