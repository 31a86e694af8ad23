// SPDX-License-Identifier: Apache-2.0
// Members of JSON that comes from outside: what is missing, or of another type, is empty. `Json` is the library's
// value, which only the including file knows.
#pragma once

#include <string>

namespace hostward::report {

/// The member, or null: of no object, too.
template <typename Json> [[nodiscard]] const Json& json_member(const Json& object, const char* name)
{
    static const Json nothing;
    if (!object.is_object()) {
        return nothing;
    }
    const auto found = object.find(name);
    return found == object.end() ? nothing : *found;
}

/// The member's text; "" for any other.
template <typename Json> [[nodiscard]] std::string json_text(const Json& object, const char* name)
{
    const Json& found = json_member(object, name);
    return found.is_string() ? found.template get<std::string>() : "";
}

/// On one line; bytes that are no UTF-8 are replaced.
template <typename Json> [[nodiscard]] std::string json_line(const Json& json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace hostward::report
