// SPDX-License-Identifier: Apache-2.0
#include "agent/config/toml_reader.h"

namespace hostward::config {

std::optional<std::string> read_string(const TomlItem& item)
{
    if (item.node.is(TomlNode::Type::Text)) {
        return item.node.text;
    }
    item.complain("is " + item.node.type_text + ": allowed is a string");
    return std::nullopt;
}

std::optional<std::string> read_line(const TomlItem& item, std::size_t bytes_max)
{
    auto text = read_string(item);
    if (!text) {
        return std::nullopt;
    }
    const bool has_control =
        std::ranges::any_of(*text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
    if (text->empty() || text->size() > bytes_max || has_control) {
        item.complain("is not one line of text: allowed are 1 to " + std::to_string(bytes_max) + " bytes on one line");
        return std::nullopt;
    }
    return text;
}

} // namespace hostward::config
