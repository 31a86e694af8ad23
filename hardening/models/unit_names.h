// SPDX-License-Identifier: Apache-2.0
// Parts of a unit's name: PREFIX@INSTANCE.SUFFIX.
#pragma once

#include <string>
#include <string_view>

namespace hostward::hardening {

struct UnitName {
    std::string prefix;
    std::string instance;
    std::string suffix; ///< with its point
    bool has_at = false;

    [[nodiscard]] bool is_template() const { return has_at && instance.empty(); }
    [[nodiscard]] bool is_instance() const { return has_at && !instance.empty(); }
    [[nodiscard]] std::string template_name() const { return prefix + "@" + suffix; }
};

[[nodiscard]] inline UnitName parse_unit_name(std::string_view name)
{
    UnitName parts;
    const auto point = name.rfind('.');
    parts.suffix = point == name.npos ? "" : std::string(name.substr(point));
    name = name.substr(0, point);
    const auto at = name.find('@');
    parts.has_at = at != name.npos;
    parts.prefix = name.substr(0, at);
    parts.instance = parts.has_at ? std::string(name.substr(at + 1)) : "";
    return parts;
}

[[nodiscard]] inline std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

} // namespace hostward::hardening
