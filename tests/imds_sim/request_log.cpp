// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/request_log.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>

#include <chrono>
#include <iostream>

namespace hostward::imds_sim {

std::string to_json_line(const LogEntry& entry, std::int64_t time_ms)
{
    nlohmann::ordered_json line;
    line["time_ms"] = time_ms;
    line["peer"] = entry.peer.address;
    line["peer_port"] = entry.peer.port;
    line["local"] = entry.peer.local_address;
    line["method"] = entry.method;
    line["path"] = entry.path;
    line["status"] = entry.status;
    line["token"] = entry.token;
    line["user_agent"] = entry.user_agent;
    line["ttl"] = entry.ttl_seconds;
    line["forwarded"] = entry.forwarded;
    line["chunked"] = entry.is_chunked;
    line["fault"] = entry.fault;
    line["error"] = entry.error;
    // A client may send bytes that are no UTF-8: they are replaced, never an exception.
    return line.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<RequestLog> RequestLog::open(const std::string& path)
{
    RequestLog log;
    if (!path.empty()) {
        log.fd_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
        if (!log.fd_) {
            return system_error(errno, "open the request log " + path);
        }
    }
    return log;
}

void RequestLog::write(const LogEntry& entry)
{
    if (!fd_) {
        return;
    }
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    append(to_json_line(entry, std::chrono::duration_cast<std::chrono::milliseconds>(now).count()));
    if (fd_ && written_ > kMaxLogBytes) {
        append("{\"log\":\"full\"}\n");
        std::cerr << "imds_sim: the request log is full, continuing without it\n";
        fd_.reset();
    }
}

void RequestLog::append(const std::string& line)
{
    const auto done = ::write(fd_.get(), line.data(), line.size());
    const int error_number = errno;
    if (done != static_cast<ssize_t>(line.size())) {
        const auto error = system_error(done < 0 ? error_number : ENOSPC, "write the request log");
        std::cerr << "imds_sim: " << error.text << ", continuing without it\n";
        fd_.reset();
        return;
    }
    written_ += line.size();
}

} // namespace hostward::imds_sim
