// SPDX-License-Identifier: Apache-2.0
// Standard output and standard error, with every error of writing noticed.
#pragma once

#include "agent/base/result.h"

#include <string_view>

namespace hostward::cli {

class Output {
public:
    explicit Output(int fd) : fd_(fd) {}

    /// Writes all of `text`. Nothing is buffered. The first failure sticks: what follows is not written.
    void print(std::string_view text);
    void print_line(std::string_view text);

    [[nodiscard]] bool failed() const { return error_number_ != 0; }
    /// The reader went away, as in `... | head`: a reason to stop, nothing to complain about.
    [[nodiscard]] bool reader_is_gone() const;
    /// Closes the descriptor (some file systems tell of a full disk only then) and says what failed.
    [[nodiscard]] Status finish();

    [[nodiscard]] int fd() const { return fd_; }

private:
    int fd_;
    int error_number_ = 0;
};

/// Where a command writes: results to `out`, everything else to `err`.
struct Streams {
    Output& out;
    Output& err;
};

} // namespace hostward::cli
