// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <string>

namespace hostward::cli {

void Output::print(std::string_view text)
{
    while (!text.empty() && !failed()) {
        const ssize_t written = ::write(fd_, text.data(), text.size());
        const int error_number = errno;
        if (written >= 0) {
            text.remove_prefix(static_cast<std::size_t>(written));
        } else if (error_number != EINTR) {
            error_number_ = error_number;
        }
    }
}

void Output::print_line(std::string_view text) { print(std::string(text) + "\n"); }

bool Output::reader_is_gone() const { return error_number_ == EPIPE; }

Status Output::finish()
{
    if (::close(fd_) != 0 && !failed()) {
        error_number_ = errno;
    }
    if (failed()) {
        return system_error(error_number_, "cannot write the result");
    }
    return success();
}

} // namespace hostward::cli
