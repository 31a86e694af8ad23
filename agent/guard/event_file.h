// SPDX-License-Identifier: Apache-2.0
// The bounded file of event lines that `guard events` reads.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <cstddef>
#include <string>

namespace hostward::guard {

/// run_dir/events.jsonl, and events.jsonl.1 with what came before. Both together never exceed twice
/// kEventFileBytesMax: what is older is gone (the journal keeps it longer).
class EventFile {
public:
    static constexpr std::size_t kEventFileBytesMax = 8U << 20;

    [[nodiscard]] static Result<EventFile> open(const std::string& run_dir);
    /// Appends one line; rotates first when it would not fit.
    [[nodiscard]] Status append(const std::string& line);

private:
    EventFile(std::string path, UniqueFd file, std::size_t size)
        : path_(std::move(path)), file_(std::move(file)), size_(size)
    {
    }
    [[nodiscard]] Status rotate();

    std::string path_;
    UniqueFd file_;
    std::size_t size_ = 0;
};

} // namespace hostward::guard
