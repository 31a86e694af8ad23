// SPDX-License-Identifier: Apache-2.0
// The door to systemd's journal for entries with fields.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <string>
#include <string_view>

namespace hostward::guard {

inline constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

/// Not sd_journal_sendv(3): that one waits while the journal does not read, and calls it a success when there is none.
class JournalSocket {
public:
    /// The journal itself is looked for by each send(): it may be restarted. Invalid: the path is too long.
    [[nodiscard]] static Result<JournalSocket> open(const std::string& path = kJournalSocket);
    /// `entry`: of journal_entry(). Never waits: a journal that does not read is an error.
    [[nodiscard]] Status send(std::string_view entry) const;

private:
    JournalSocket(std::string path, UniqueFd socket) : path_(std::move(path)), socket_(std::move(socket)) {}

    std::string path_;
    UniqueFd socket_;
};

} // namespace hostward::guard
