// SPDX-License-Identifier: Apache-2.0
// The metadata an instance serves, read from JSON (tests/imds_sim/trees/README.md describes the format).
#pragma once

#include "agent/base/result.h"

#include <cstddef>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::imds_sim {

constexpr std::size_t kMaxTreeBytes = 4UL << 20U;
constexpr std::size_t kMaxTreeDepth = 16;

/// A leaf has text; a directory has children.
struct Node {
    bool is_leaf = false;
    bool is_template = false; ///< `{{now}}` and `{{now+SECONDS}}` in the text are filled in at each request
    std::string text;
    std::map<std::string, Node, std::less<>> children;
    std::map<std::string, std::string, std::less<>> index; ///< child name -> its line in the listing, when unusual
};

class Tree {
public:
    /// Reads a tree. `extends` may name a built-in tree only.
    [[nodiscard]] static Result<Tree> parse(std::string_view json);
    [[nodiscard]] static Result<Tree> builtin(std::string_view name);
    [[nodiscard]] static std::vector<std::string_view> builtin_names();

    /// Puts a leaf at `path` (below the version, such as "user-data"), making directories as needed.
    [[nodiscard]] Status set_leaf(std::string_view path, std::string text);

    /// Body of `path` (`/latest/meta-data/`), or nothing when there is no such item. A directory gives its listing,
    /// one name a line, directories with a slash; a slash after a leaf is tolerated. `now` fills templates.
    [[nodiscard]] std::optional<std::string> find(std::string_view path, std::time_t now) const;
    [[nodiscard]] bool is_version(std::string_view name) const;

private:
    Node root_; ///< what stands below each version
    std::set<std::string, std::less<>> versions_;
};

/// 2026-01-31T23:59:59Z
[[nodiscard]] std::string iso_time(std::time_t time);

} // namespace hostward::imds_sim
