// SPDX-License-Identifier: Apache-2.0
#include "agent/config/complaints.h"

#include "agent/base/text.h"

#include <algorithm>
#include <map>

namespace hostward::config {

std::vector<std::string> Complaints::lines() const
{
    // Files in the order in which they are first complained about, lines within them.
    std::map<std::string, std::size_t> file_order;
    for (const auto& complaint : all_) {
        file_order.emplace(complaint.place.file, file_order.size());
    }
    auto sorted = all_;
    std::ranges::stable_sort(sorted, {}, [&](const auto& complaint) {
        return std::pair(file_order.at(complaint.place.file), complaint.place.line);
    });
    std::vector<std::string> lines;
    for (const auto& [text, place] : sorted) {
        if (lines.size() == kComplaintsShownMax) {
            lines.push_back("and " + std::to_string(sorted.size() - kComplaintsShownMax) + " more");
            break;
        }
        lines.push_back(place.text() + ": " + text);
    }
    return lines;
}

Error Complaints::error() const
{
    std::string text;
    for (const auto& line : lines()) {
        text += (text.empty() ? "" : "\n") + line;
    }
    return invalid_error(std::move(text));
}

std::string quoted_list(const std::vector<std::string>& values)
{
    std::string text;
    for (const auto& value : values) {
        text += (text.empty() ? "" : ", ") + quote(value);
    }
    return text;
}

} // namespace hostward::config
