// SPDX-License-Identifier: Apache-2.0
// The only file that knows the logging library.
#include "agent/base/log.h"

#include "agent/base/terminal.h"
#include "agent/base/text.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>

namespace hostward {

namespace {

spdlog::level::level_enum level_of(LogLevel level)
{
    switch (level) {
    case LogLevel::Debug: return spdlog::level::debug;
    case LogLevel::Info: return spdlog::level::info;
    case LogLevel::Warning: return spdlog::level::warn;
    case LogLevel::Error: return spdlog::level::err;
    }
    return spdlog::level::err;
}

/// What stands before the text. Plain information has no level: it is what a person asked for.
class Formatter : public spdlog::formatter {
public:
    explicit Formatter(LogStyle style) : style_(style) {}

    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override
    {
        append(out, style_ == LogStyle::Journal ? journal_prefix(message.level) : plain_prefix(message.level));
        append(out, {message.payload.data(), message.payload.size()});
        append(out, "\n");
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override
    {
        return std::make_unique<Formatter>(style_);
    }

private:
    static void append(spdlog::memory_buf_t& out, std::string_view text) { out.append(text.begin(), text.end()); }
    static std::string_view plain_prefix(spdlog::level::level_enum level)
    {
        switch (level) {
        case spdlog::level::debug: return "hostward: debug: ";
        case spdlog::level::warn: return "hostward: warning: ";
        case spdlog::level::err: return "hostward: error: ";
        default: return "hostward: ";
        }
    }
    static std::string_view journal_prefix(spdlog::level::level_enum level)
    {
        switch (level) {
        case spdlog::level::debug: return "<7>";
        case spdlog::level::warn: return "<4>";
        case spdlog::level::err: return "<3>";
        default: return "<6>";
        }
    }
    LogStyle style_;
};

spdlog::logger& logger()
{
    static const auto instance = [] {
        auto made = std::make_unique<spdlog::logger>("hostward", std::make_shared<spdlog::sinks::stderr_sink_mt>());
        made->set_formatter(std::make_unique<Formatter>(LogStyle::Plain));
        made->set_level(spdlog::level::info);
        made->flush_on(spdlog::level::trace);
        // A full disk under standard error: nobody is left to tell.
        made->set_error_handler([](const std::string&) {});
        return made;
    }();
    return *instance;
}

} // namespace

void set_log(LogStyle style, LogLevel lowest)
{
    logger().set_formatter(std::make_unique<Formatter>(style));
    logger().set_level(level_of(lowest));
}

void log(LogLevel level, std::string_view text)
{
    for (const auto line : split(text, '\n')) {
        const std::string safe = printable(line);
        logger().log(level_of(level), spdlog::string_view_t(safe.data(), safe.size()));
    }
}

} // namespace hostward
