// SPDX-License-Identifier: Apache-2.0
// Who can knock at sshd: on a running host by its listening sockets, in an image by what it would do at boot.
#include "hardening/models/lines.h"
#include "hardening/models/sockets.h"
#include "hardening/models/sshd_effective.h"
#include "hardening/models/units.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 3> kVerdicts{"pass", "fail", "manual"};
constexpr std::array kArguments{
    ArgumentSpec{"everywhere", ValueType::Text, true, "the verdict when it listens on all addresses", kVerdicts},
};
constexpr auto kExpected = "not reachable from other hosts";
constexpr auto kPublicAddress = "meta-data/public-ipv4";
constexpr std::array kUnits{"ssh.service", "sshd.service", "ssh.socket", "sshd.socket"};

Verdict verdict_of(std::string_view name)
{
    if (name == "pass") {
        return Verdict::Pass;
    }
    return name == "fail" ? Verdict::Fail : Verdict::Manual;
}

/// A failure weighs more than what a person must judge, and that more than a pass.
void worsen(Verdict& verdict, Verdict next)
{
    if (next == Verdict::Fail || (next == Verdict::Manual && verdict == Verdict::Pass)) {
        verdict = next;
    }
}

/// Port of `address:port`, `[address]:port`; nothing where there is an address only.
std::string port_of(std::string_view address)
{
    const auto colon = address.rfind(':');
    const bool is_ipv6 = address.starts_with('[') ? address.find("]:") != address.npos : false;
    const bool is_one = colon != address.npos && address.find(':') == colon;
    return is_ipv6 || is_one ? std::string(address.substr(colon + 1)) : "";
}

std::vector<std::string> texts_of(const SshdEffective& effective, const std::string& keyword)
{
    std::vector<std::string> out;
    const auto found = effective.values.find(keyword);
    for (const auto& value : found == effective.values.end() ? std::vector<SshdValue>{} : found->second) {
        out.push_back(value.text);
    }
    return out;
}

std::vector<std::string> ports_of(const SshdEffective& effective)
{
    auto out = texts_of(effective, "port");
    for (const auto& address : texts_of(effective, "listenaddress")) {
        if (auto port = port_of(address); !port.empty()) {
            out.push_back(std::move(port));
        }
    }
    if (out.empty()) {
        out.emplace_back("22");
    }
    return out;
}

/// Sockets of systemd count as well: it listens in sshd's place.
Result<Outcome> judge_sockets(const Arguments& arguments, const SshdEffective& effective, Facts& facts)
{
    const auto& sockets = facts.get<ListeningSockets>();
    if (!sockets) {
        return sockets.error();
    }
    const auto ports = ports_of(effective);
    Outcome out{Verdict::Pass, "", {}, 0};
    for (const auto& socket : sockets->all) {
        if (!socket.protocol.starts_with("tcp") ||
            std::ranges::find(ports, std::to_string(socket.port)) == ports.end()) {
            continue;
        }
        const bool is_everywhere = std::ranges::all_of(socket.address, [](auto byte) { return byte == 0; });
        if (!socket.is_loopback()) {
            worsen(out.verdict, is_everywhere ? verdict_of(arguments.text("everywhere")) : Verdict::Manual);
        }
        out.add({kExpected, socket.text() + (socket.process.empty() ? "" : " by " + socket.process),
                 "/proc/net/" + socket.protocol});
    }
    if (out.evidence.empty()) {
        out.add({kExpected, "nothing listens on port " + joined(ports, ", "), "/proc/net"});
    }
    return out;
}

Result<bool> starts_at_boot(Facts& facts)
{
    const auto& units = facts.get<Units>();
    if (!units) {
        return units.error();
    }
    return std::ranges::any_of(kUnits, [&](const char* name) { return !units->pulled_by(name).empty(); });
}

Result<Outcome> judge_config(const Arguments& arguments, const SshdConfig& config, const SshdEffective& effective,
                             Facts& facts)
{
    TRY_ASSIGN(const bool starts, starts_at_boot(facts));
    if (!starts) {
        return Outcome::of(Verdict::Pass, {kExpected, "no unit starts sshd at boot", "ssh.service, sshd.service"});
    }
    const auto found = effective.values.find("listenaddress");
    if (found == effective.values.end() || found->second.empty()) {
        return Outcome::of(verdict_of(arguments.text("everywhere")),
                           {kExpected, "no ListenAddress: all addresses", config.file.path});
    }
    Outcome out{Verdict::Pass, "", {}, 0};
    for (const auto& value : found->second) {
        const std::string_view text = value.text;
        const bool is_loopback =
            text.starts_with("127.") || text.starts_with("[::1]") || text == "::1" || text.starts_with("localhost");
        const bool is_everywhere =
            text.starts_with("0.0.0.0") || text.starts_with("[::]") || text == "::" || text.starts_with('*');
        if (!is_loopback) {
            worsen(out.verdict, is_everywhere ? verdict_of(arguments.text("everywhere")) : Verdict::Manual);
        }
        out.add({kExpected, "ListenAddress " + value.text, value.origin.text()});
    }
    return out;
}

/// What of the network the instance knows of: security groups are not told to it.
void add_public_address(Facts& facts, Outcome& out)
{
    if (!facts.host().is_running() || out.verdict == Verdict::Pass) {
        return;
    }
    const auto address = facts.surroundings().metadata(kPublicAddress);
    const bool is_none = !address && address.error().kind == ErrorKind::NotFound;
    out.add({"no public address",
             address   ? std::string(trimmed(*address))
             : is_none ? "none"
                       : "not known: " + address.error().text,
             kPublicAddress});
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& config = facts.get<SshdConfig>();
    if (!config) {
        return config.error();
    }
    if (!config->is_installed) {
        return Outcome::not_applicable("there is no OpenSSH server");
    }
    const SshdConnection nobody;
    const auto effective = evaluate_sshd(*config, &nobody);
    TRY_ASSIGN(Outcome out, facts.host().is_running() ? judge_sockets(arguments, effective, facts)
                                                      : judge_config(arguments, *config, effective, facts));
    add_public_address(facts, out);
    if (out.verdict == Verdict::Manual) {
        out.reason = "whether security groups let others reach it cannot be seen from inside";
    }
    return out;
}

} // namespace

const Primitive kSshdExposurePrimitive{"sshd-exposure", "sshd does not wait for connections from other hosts.",
                                       kArguments, evaluate};

} // namespace hostward::hardening
