// SPDX-License-Identifier: Apache-2.0
// The file that node_exporter's textfile collector reads.
#pragma once

#include "agent/base/result.h"
#include "agent/guard/metrics_text.h"
#include "agent/guard/options.h"

#include <string>
#include <string_view>
#include <utility>

namespace hostward::guard {

/// Replaces `path` in one step by a file with this text that everybody may read. Refused (Denied) where somebody else
/// than the caller's user could change the folder or lead it elsewhere: the folder belongs to us, nobody else may
/// write in it, and there is no symbolic link on the way. What stood at `path` before stays on any error.
[[nodiscard]] Status write_metrics_file(const std::string& path, std::string_view text);

/// Removes it. Nothing there is no error.
[[nodiscard]] Status remove_metrics_file(const std::string& path);

/// The file as the agent keeps it.
class MetricsFile {
public:
    explicit MetricsFile(Options options) : options_(std::move(options)) {}

    /// From now on this is the file; empty: none. The one before is removed: what nobody keeps up to date must not be
    /// taken for the present state. Returns what to log, mostly nothing.
    [[nodiscard]] std::string move_to(const std::string& path);
    [[nodiscard]] bool is_wanted() const { return !path_.empty(); }
    /// Returns what to log: a problem when it comes and when it goes, not every time.
    [[nodiscard]] std::string write(const AgentFacts& facts);

private:
    Options options_;
    std::string path_;
    std::string problem_;
};

} // namespace hostward::guard
