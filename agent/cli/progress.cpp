// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/progress.h"

#include <unistd.h>

#include <chrono>
#include <utility>

namespace hostward::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kQuiet{700}; ///< before the line shows up
constexpr std::chrono::milliseconds kTurn{250};
constexpr std::size_t kColumns = 78;
constexpr auto kClear = "\r\x1b[K";

} // namespace

ProgressLine::ProgressLine(Output& out) : out_(out)
{
    if (::isatty(out.fd()) == 1) {
        thread_ = std::thread([this] { run(); });
    }
}

ProgressLine::~ProgressLine()
{
    if (!thread_.joinable()) {
        return;
    }
    {
        const std::lock_guard lock(mutex_);
        is_over_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void ProgressLine::show(std::string text)
{
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
}

void ProgressLine::run()
{
    const auto begin = Clock::now();
    std::unique_lock lock(mutex_);
    bool is_shown = false;
    for (auto wait = kQuiet; !changed_.wait_for(lock, wait, [this] { return is_over_; }); wait = kTurn) {
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Clock::now() - begin).count();
        out_.print(kClear + (std::to_string(seconds) + " s, " + text_).substr(0, kColumns));
        is_shown = true;
    }
    if (is_shown) {
        out_.print(kClear);
    }
}

} // namespace hostward::cli
