// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/tree.h"

#include "agent/base/text.h"
#include "tests/imds_sim/builtin_trees.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <span>

namespace hostward::imds_sim {

namespace {

using Json = nlohmann::json;

Result<std::string> text_of(const Json& value, const std::string& where)
{
    if (value.is_string()) {
        return value.get<std::string>();
    }
    const bool is_lines = value.is_array() && std::ranges::all_of(value, [](const Json& v) { return v.is_string(); });
    if (!is_lines) {
        return invalid_error(where + ": text must be a string or an array of lines");
    }
    std::string out;
    for (std::size_t i = 0; i < value.size(); ++i) {
        out.append(i == 0 ? "" : "\n").append(value[i].get<std::string>());
    }
    return out;
}

Result<Node> leaf_of(const Json& value, const std::string& where, bool is_template)
{
    Node node;
    node.is_leaf = true;
    node.is_template = is_template;
    TRY_ASSIGN(node.text, text_of(value, where));
    return node;
}

Status read_index(const Json& value, const std::string& where, Node& node)
{
    if (!value.is_object()) {
        return invalid_error(where + "/$index: must be an object of names and listing lines");
    }
    for (const auto& [name, line] : value.items()) {
        if (!line.is_string() || !node.children.contains(name)) {
            return invalid_error(where + "/$index: " + quote(name) + " is no child or its line no string");
        }
        node.index[name] = line.get<std::string>();
    }
    return success();
}

Result<Node> node_of(const Json& value, const std::string& where, std::size_t depth)
{
    if (!value.is_object()) {
        return leaf_of(value, where, false);
    }
    if (value.contains("$template")) {
        if (value.size() != 1) {
            return invalid_error(where + ": $template stands alone");
        }
        return leaf_of(value.at("$template"), where, true);
    }
    if (depth > kMaxTreeDepth) {
        return invalid_error(where + ": deeper than " + std::to_string(kMaxTreeDepth));
    }
    Node node;
    for (const auto& [name, child] : value.items()) {
        if (name == "$index") {
            continue;
        }
        if (name.empty() || name.front() == '$' || name.find('/') != std::string::npos) {
            return invalid_error(where + ": " + quote(name) + " is no item name");
        }
        std::string below = where;
        below.append("/").append(name);
        TRY_ASSIGN(node.children[name], node_of(child, below, depth + 1));
    }
    if (value.contains("$index")) {
        TRY(read_index(value.at("$index"), where, node));
    }
    return node;
}

/// The document with what it extends merged below it (RFC 7386: null removes).
Result<Json> load(std::string_view text, std::size_t depth)
{
    if (text.size() > kMaxTreeBytes) {
        return invalid_error("tree larger than " + std::to_string(kMaxTreeBytes) + " bytes");
    }
    Json document = Json::parse(text, nullptr, false);
    if (document.is_discarded() || !document.is_object()) {
        return invalid_error("tree is not a JSON object");
    }
    if (!document.contains("extends")) {
        return document;
    }
    const Json base_name = document.at("extends");
    if (!base_name.is_string() || depth == 0) {
        return invalid_error("extends: must name one built-in tree, at most four deep");
    }
    const auto trees = builtin_trees();
    const auto found = std::ranges::find(trees, base_name.get<std::string>(), &BuiltinTree::name);
    if (found == trees.end()) {
        return invalid_error("extends: no built-in tree " + quote(base_name.get<std::string>()));
    }
    TRY_ASSIGN(Json base, load(found->json, depth - 1));
    document.erase("extends");
    base.merge_patch(document);
    return base;
}

std::string listing_of(const Node& node)
{
    std::string out;
    for (const auto& [name, child] : node.children) {
        const auto line = node.index.find(name);
        out += out.empty() ? "" : "\n";
        out += line != node.index.end() ? line->second : name + (child.is_leaf ? "" : "/");
    }
    return out;
}

/// Fills `{{now}}` and `{{now+SECONDS}}`; anything else in braces stays as it is.
std::string fill(std::string_view text, std::time_t now)
{
    constexpr std::string_view kOpen = "{{now";
    std::string out;
    while (true) {
        const auto at = text.find(kOpen);
        const auto end = at == std::string_view::npos ? at : text.find("}}", at);
        if (end == std::string_view::npos) {
            return out.append(text);
        }
        auto offset = text.substr(at + kOpen.size(), end - at - kOpen.size());
        offset.remove_prefix(offset.starts_with('+') ? 1 : 0);
        const auto seconds = offset.empty() ? std::optional<std::time_t>(0) : parse_number<std::time_t>(offset);
        out.append(text.substr(0, at));
        out.append(seconds ? iso_time(now + *seconds) : std::string(text.substr(at, end + 2 - at)));
        text.remove_prefix(end + 2);
    }
}

/// Path parts without the empty one before the first slash and after the last.
std::vector<std::string_view> parts_of(std::string_view path)
{
    auto parts = split(path, '/');
    if (parts.front().empty()) {
        parts.erase(parts.begin());
    }
    if (!parts.empty() && parts.back().empty()) {
        parts.pop_back();
    }
    return parts;
}

} // namespace

std::string iso_time(std::time_t time)
{
    std::tm parts{};
    (void)::gmtime_r(&time, &parts); // fails only for years beyond int
    std::array<char, 40> text{};
    const auto length = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {text.data(), length};
}

Result<Tree> Tree::parse(std::string_view json)
{
    constexpr std::size_t kMaxExtends = 4;
    TRY_ASSIGN(const Json document, load(json, kMaxExtends));
    Tree tree;
    for (const auto& [key, value] : document.items()) {
        if (key == "versions" && value.is_array()) {
            for (const Json& version : value) {
                if (!version.is_string()) {
                    return invalid_error("versions: must be an array of strings");
                }
                tree.versions_.insert(version.get<std::string>());
            }
        } else if (key == "tree" && value.is_object()) {
            TRY_ASSIGN(tree.root_, node_of(value, "tree", 0));
        } else if (key != "description") {
            return invalid_error("tree file: " + quote(key) + " is unknown or of the wrong type");
        }
    }
    tree.versions_.insert("latest");
    return tree;
}

Result<Tree> Tree::builtin(std::string_view name)
{
    const auto trees = builtin_trees();
    const auto found = std::ranges::find(trees, name, &BuiltinTree::name);
    if (found == trees.end()) {
        return invalid_error("no built-in tree " + quote(name));
    }
    return parse(found->json);
}

std::vector<std::string_view> Tree::builtin_names()
{
    std::vector<std::string_view> names;
    for (const BuiltinTree& tree : builtin_trees()) {
        names.push_back(tree.name);
    }
    return names;
}

Status Tree::set_leaf(std::string_view path, std::string text)
{
    const auto parts = parts_of(path);
    const auto is_empty = [](std::string_view part) { return part.empty(); };
    if (parts.empty() || parts.size() > kMaxTreeDepth || std::ranges::any_of(parts, is_empty)) {
        return invalid_error("no item path: " + quote(path));
    }
    Node* node = &root_;
    for (const auto part : parts) {
        if (node->is_leaf) {
            return invalid_error("below a leaf: " + quote(path));
        }
        node = &node->children[std::string(part)];
    }
    if (!node->children.empty()) {
        return invalid_error("is a directory: " + quote(path));
    }
    *node = Node{true, false, std::move(text), {}, {}};
    return success();
}

std::optional<std::string> Tree::find(std::string_view path, std::time_t now) const
{
    const auto parts = parts_of(path);
    if (parts.empty()) {
        std::string out;
        for (const auto& version : versions_) {
            out.append(out.empty() ? "" : "\n").append(version);
        }
        return out;
    }
    if (!is_version(parts.front())) {
        return std::nullopt;
    }
    const Node* node = &root_;
    for (const auto part : std::span(parts).subspan(1)) {
        const auto child = node->children.find(part);
        if (child == node->children.end()) {
            return std::nullopt;
        }
        node = &child->second;
    }
    if (!node->is_leaf) {
        return listing_of(*node);
    }
    return node->is_template ? fill(node->text, now) : node->text;
}

bool Tree::is_version(std::string_view name) const { return versions_.contains(name); }

} // namespace hostward::imds_sim
