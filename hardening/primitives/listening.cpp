// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sockets.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"port", ValueType::List, true, "numbers of TCP ports", {}},
};

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& sockets = facts.get<ListeningSockets>();
    if (!sockets) {
        return sockets.error();
    }
    const auto& ports = arguments.list("port");
    Outcome out;
    out.verdict = Verdict::Pass;
    for (const auto& socket : sockets->all) {
        if (!socket.protocol.starts_with("tcp") ||
            std::ranges::find(ports, std::to_string(socket.port)) == ports.end()) {
            continue;
        }
        if (!socket.is_loopback()) {
            out.verdict = Verdict::Fail;
        }
        out.add({"listens on loopback only", socket.text() + (socket.process.empty() ? "" : " by " + socket.process),
                 "/proc/net/" + socket.protocol});
    }
    if (out.evidence.empty()) {
        out.add({"listens on loopback only", "nothing listens on these ports", "/proc/net"});
    }
    return out;
}

} // namespace

const Primitive kLoopbackOnlyPrimitive{"loopback-only", "Whoever listens on these TCP ports does so on loopback only.",
                                       kArguments, evaluate};

} // namespace hostward::hardening
