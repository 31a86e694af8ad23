// SPDX-License-Identifier: Apache-2.0
// One line on a terminal that says how far a long run is, and goes away with it.
#pragma once

#include "agent/cli/output.h"

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace hostward::cli {

class ProgressLine {
public:
    /// Nothing is ever written unless `out` is a terminal, nor by runs that are over at once.
    explicit ProgressLine(Output& out);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(std::string text);

private:
    void run();

    Output& out_;
    std::mutex mutex_; ///< of the two below
    std::condition_variable changed_;
    std::string text_;
    bool is_over_ = false;
    std::thread thread_; ///< draws, so that the seconds go on while one rule takes long
};

} // namespace hostward::cli
