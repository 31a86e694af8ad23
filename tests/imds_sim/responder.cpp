// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/responder.h"

#include "agent/base/unique_fd.h"

#include <fcntl.h>

#include <array>
#include <iostream>

namespace hostward::imds_sim {

namespace {

/// Looks like a TLS record, then noise: no client may take it for an answer.
using namespace std::string_view_literals;
constexpr std::string_view kGarbage = "\x16\x03\x01\x02\x00\x01\xff\xfe\x00HTTP?/9 banana\n\n\x80\x81"sv;

Result<std::string> read_control(const std::string& path)
{
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) {
        return system_error(errno, "open the control file " + path);
    }
    std::array<char, kMaxControlBytes + 1> bytes{};
    const auto size = ::read(fd.get(), bytes.data(), bytes.size());
    if (size < 0) {
        return system_error(errno, "read the control file " + path);
    }
    if (static_cast<std::size_t>(size) > kMaxControlBytes) {
        return invalid_error("control file larger than " + std::to_string(kMaxControlBytes) + " bytes");
    }
    return std::string(bytes.data(), static_cast<std::size_t>(size));
}

std::string_view name_of(Credential credential)
{
    switch (credential) {
    case Credential::None: return "v1";
    case Credential::Token: return "v2";
    case Credential::ExpiredToken: return "expired";
    case Credential::InvalidToken: return "invalid";
    case Credential::TokenCall: return "call";
    }
    return "";
}

std::string_view name_of(const Faults& faults, const Answer& answer)
{
    if (!is_in_scope(faults.scope, answer.is_put)) {
        return "";
    }
    switch (faults.kind) {
    case FaultKind::Garbage: return "garbage";
    case FaultKind::Reset: return "reset";
    case FaultKind::Hang: return "hang";
    case FaultKind::None: break;
    }
    if (answer.throttled) {
        return "throttle";
    }
    if (faults.status != 0) {
        return "status";
    }
    return faults.slow_ms > 0 ? "slow" : "";
}

LogEntry entry_of(const Request& request, const Answer& answer, const Peer& peer)
{
    LogEntry entry;
    entry.peer = peer;
    entry.method = request.method;
    entry.path = answer.path;
    entry.status = answer.response.status;
    entry.token = name_of(answer.credential);
    entry.user_agent = request.header("User-Agent").value_or("");
    entry.ttl_seconds = answer.ttl_seconds;
    entry.forwarded = request.header("X-Forwarded-For").has_value();
    entry.is_chunked = request.header("Transfer-Encoding").has_value();
    return entry;
}

} // namespace

const Settings& SettingsSource::current()
{
    if (control_path_.empty()) {
        return base_;
    }
    auto text = read_control(control_path_);
    if (!text.ok() && text.error().error_number == ENOENT) {
        last_ = base_;
        return last_;
    }
    auto settings = text.ok() ? apply_settings(*text, base_) : Result<Settings>(text.error());
    if (settings.ok()) {
        last_ = settings.take();
        complaint_.clear();
    } else if (settings.error().text != complaint_) {
        complaint_ = settings.error().text;
        std::cerr << "imds_sim: " << complaint_ << ", continuing with the settings before\n";
    }
    return last_;
}

Plan Responder::respond(const Request& request, const Peer& peer)
{
    const Settings& settings = settings_.current();
    const Now now{std::chrono::steady_clock::now(), std::time(nullptr)};
    const Answer answer = service_.answer(request, settings, now);
    const bool in_scope = is_in_scope(settings.faults.scope, answer.is_put);

    Plan plan;
    plan.kind = in_scope ? settings.faults.kind : FaultKind::None;
    plan.delay_ms = in_scope ? settings.faults.slow_ms : 0;
    plan.hop_limit = answer.is_put ? settings.hop_limit : 0;
    plan.close_after = !request.keep_alive || plan.kind == FaultKind::Garbage;
    const WireOptions wire{request.method != "HEAD", request.keep_alive, now.wall};
    plan.wire = plan.kind == FaultKind::Garbage ? std::string(kGarbage) : to_wire(answer.response, wire);

    LogEntry entry = entry_of(request, answer, peer);
    entry.fault = name_of(settings.faults, answer);
    entry.status = plan.kind == FaultKind::None ? entry.status : 0;
    log_.write(entry);
    return plan;
}

Plan Responder::refuse(const Malformed& malformed, const Peer& peer)
{
    LogEntry entry;
    entry.peer = peer;
    entry.status = malformed.status;
    entry.error = malformed.reason;
    log_.write(entry);

    Plan plan;
    plan.close_after = true;
    plan.wire = to_wire(error_response(malformed.status, malformed.reason), {true, false, std::time(nullptr)});
    return plan;
}

} // namespace hostward::imds_sim
