// SPDX-License-Identifier: Apache-2.0
// An event line as an entry of systemd's journal, with a field for everything that one may want to ask for. Pure.
#pragma once

#include <string>
#include <string_view>

namespace hostward::guard {

/// The entry in the bytes of the journal's native protocol. `line`: of event_line(); it is the MESSAGE, so that who
/// reads only that misses nothing. docs/events.md lists the fields.
[[nodiscard]] std::string journal_entry(std::string_view line);

} // namespace hostward::guard
