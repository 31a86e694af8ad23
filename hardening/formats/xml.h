// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace hostward::hardening {

/// `raw` as text of an XML or HTML element or a quoted attribute: printable UTF-8 stays, line ends stay, everything
/// that is not a character of XML 1.0 becomes \xNN.
[[nodiscard]] std::string xml_text(std::string_view raw);

} // namespace hostward::hardening
