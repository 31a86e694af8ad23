// SPDX-License-Identifier: Apache-2.0
// Messages of the running program, on standard error. Composition roots and the agent's loop log; libraries return
// errors. Secrets (tokens, credentials, whole responses) are never put into a message.
#pragma once

#include <string_view>

namespace hostward {

enum class LogLevel { Debug, Info, Warning, Error };

enum class LogStyle {
    Plain,   ///< `hostward: warning: text`
    Journal, ///< `<4>text`: the journal reads the level, see sd-daemon(3)
};

/// Sets what is written from now on. Before the first call: Plain, Info.
void set_log(LogStyle style, LogLevel lowest);

/// One line per line of `text`. Control characters are escaped. Never fails: there is nowhere to say it.
void log(LogLevel level, std::string_view text);

inline void log_debug(std::string_view text) { log(LogLevel::Debug, text); }
inline void log_info(std::string_view text) { log(LogLevel::Info, text); }
inline void log_warning(std::string_view text) { log(LogLevel::Warning, text); }
inline void log_error(std::string_view text) { log(LogLevel::Error, text); }

} // namespace hostward
