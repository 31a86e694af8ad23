// SPDX-License-Identifier: Apache-2.0
// One JSON line per request, written before the answer leaves: a test that got its answer finds the line.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <cstddef>
#include <cstdint>
#include <string>

namespace hostward::imds_sim {

constexpr std::size_t kMaxLogBytes = 256UL << 20U; ///< beyond it one line says so and logging ends

/// Both ends of a connection, as text.
struct Peer {
    std::string address;
    std::uint16_t port = 0;
    std::string local_address;
};

struct LogEntry {
    Peer peer;
    std::string method;
    std::string path;
    int status = 0;          ///< 0: a fault, nothing was answered
    std::string token;       ///< "v1" none, "v2" valid, "expired", "invalid", "call" for PUT, "" for no request
    std::string user_agent;  ///< "" when absent
    int ttl_seconds = 0;     ///< of the token given
    bool forwarded = false;  ///< X-Forwarded-For was there
    bool is_chunked = false; ///< the body came in chunks
    std::string fault;       ///< "slow", "status", "throttle", "garbage", "reset", "hang" or ""
    std::string error;       ///< why the bytes were no request
};

class RequestLog {
public:
    /// Appends to `path`; an empty path logs nowhere.
    [[nodiscard]] static Result<RequestLog> open(const std::string& path);
    /// A line that cannot be written is told once on stderr; serving goes on.
    void write(const LogEntry& entry);

private:
    void append(const std::string& line);

    UniqueFd fd_;
    std::size_t written_ = 0;
};

[[nodiscard]] std::string to_json_line(const LogEntry& entry, std::int64_t time_ms);

} // namespace hostward::imds_sim
