// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/rows.h"

#include <algorithm>

namespace hostward::guard {

namespace {

using Programs = std::array<std::string_view, 4>;

constexpr Programs kAllConnect{{"guard_connect4", "guard_connect6", "guard_sendmsg4", "guard_sendmsg6"}};
constexpr Programs kConnect{{"guard_connect4", "guard_connect6"}};
constexpr Programs kSix{{"guard_connect6", "guard_sendmsg6"}};
constexpr Programs kEgress{{"guard_egress"}};
constexpr Programs kInterfaces{};
constexpr Programs kPins{};

constexpr std::string_view kForwarded = "forwarded";
constexpr std::array<std::string_view, 2> kBypassSockets{{"packet-qdisc-bypass", "af-xdp"}};

constexpr std::array kRows{
    Row{"tcp", "connect over TCP", "connect", kConnect, ""},
    Row{"udp", "UDP by connect, sendto and sendmsg", "connect", kAllConnect, ""},
    Row{"fastopen-sendmsg", "sendmsg with MSG_FASTOPEN", "connect", kConnect, ""},
    Row{"fastopen-connect", "connect with TCP_FASTOPEN_CONNECT", "connect", kConnect, ""},
    Row{"v4-mapped", "an IPv6 socket to the mapped IPv4 address", "connect", kSix, ""},
    Row{"ipv6", "the address over IPv6", "connect", kSix, ""},
    Row{"address-forms", "other spellings of the address", "connect", kAllConnect,
        "The kernel sees the number, not the spelling."},
    Row{"ip-options", "a source route that names the address", "egress", kEgress, ""},
    Row{"io-uring", "connect by io_uring", "connect", kConnect, ""},
    Row{"mptcp", "an MPTCP socket", "connect", kConnect, ""},
    Row{"raw-ip", "a raw IP socket", "egress", kEgress, ""},
    Row{"af-packet", "frames from a packet socket", "tc", kInterfaces,
        "Interfaces moved into another network namespace are not covered."},
    Row{"packet-qdisc-bypass", "frames with PACKET_QDISC_BYPASS", "lsm", Programs{{"guard_setsockopt"}}, ""},
    Row{"af-xdp", "frames from an AF_XDP socket", "lsm", Programs{{"guard_socket_create"}}, ""},
    Row{"dnat", "destination NAT from another address", "egress", kEgress, ""},
    Row{"old-connection", "a connection older than the guard or the rule", "egress", kEgress, ""},
    Row{"passed-descriptor", "an allowed socket received from another process", "lsm", Programs{{"guard_file_receive"}},
        "A socket inherited over fork and exec belongs to the child."},
    Row{"setuid-helper", "a setuid program of an allowed user", "connect", kAllConnect, ""},
    Row{"exe-bind-mount", "another file mounted over an allowed program", "connect", kAllConnect, ""},
    Row{"exe-mount-namespace", "the same in a mount namespace", "connect", kAllConnect, ""},
    Row{"exe-user-namespace", "the same in a user namespace", "connect", kAllConnect, ""},
    Row{"exe-symlink", "a symbolic link to or named as an allowed program", "connect", kAllConnect, ""},
    Row{"exe-chroot", "the allowed path inside a chroot", "connect", kAllConnect, ""},
    Row{"exe-memfd", "a program in memory", "connect", kAllConnect, ""},
    Row{"exe-deleted", "an allowed program that was deleted", "connect", kAllConnect, ""},
    Row{"exe-inode-reuse", "a new file with the old inode number", "connect", kAllConnect, ""},
    Row{"container-root", "root in a container", "connect", kAllConnect,
        "A container with all of the host's namespaces but the mounts counts as the host, unless it is a pod."},
    Row{"cgroup-move", "moving into the cgroup of an allowed unit", "connect", kAllConnect, "Root can move itself."},
    Row{"exec-race", "exec of an allowed program while a thread connects", "connect", kAllConnect, ""},
    Row{"ptrace", "tracing an allowed process", "lsm", Programs{{"guard_ptrace", "guard_exec"}}, ""},
    Row{"link-detach", "detaching the programs", "seal", Programs{{"seal_bpf"}}, "A reboot ends the seal."},
    Row{"pin-delete", "deleting the pins", "seal",
        Programs{{"seal_unlink", "seal_rmdir", "seal_rename", "seal_umount"}}, "A reboot ends the seal."},
    Row{"map-write", "writing the policy's tables", "seal", Programs{{"seal_bpf", "seal_bpf_map"}},
        "A reboot ends the seal."},
    Row{"agent-kill", "killing the agent", "pins", kPins, "While the agent is dead nothing is listed."},
    Row{kForwarded, "traffic routed through this host", "tc", kInterfaces,
        "Interfaces moved into another network namespace are not covered."},
};

std::string with_reason(std::string text, const LayerStatus& layer)
{
    return layer.why.empty() ? text : std::move(text) + ": " + layer.why;
}

/// Why the layer does not close the row, empty if it does.
std::string gap(const Row& row, const LayerStatus& layer)
{
    const std::string name = "the " + layer.name + " layer is ";
    switch (layer.state) {
    case LayerState::Off: return with_reason(name + "off", layer);
    case LayerState::Unavailable: return with_reason(name + "unavailable", layer);
    case LayerState::Partial:
        if (row.programs == Programs{}) {
            return with_reason(name + "incomplete", layer);
        }
        break;
    case LayerState::On: break;
    }
    for (const auto program : row.programs) {
        if (!program.empty() && std::ranges::find(layer.detail, program) == layer.detail.end()) {
            return with_reason(std::string(program) + " is not attached", layer);
        }
    }
    return "";
}

/// Why the policy itself leaves the row open, empty if it does not.
std::string chosen(const Row& row, const RowContext& context)
{
    if (row.id == kForwarded && context.forwarded_allowed) {
        return "the policy says forwarded = \"allow\"";
    }
    if (std::ranges::find(kBypassSockets, row.id) != kBypassSockets.end() && context.bypass_sockets_allowed) {
        return "the policy says bypass_sockets = \"allow\"";
    }
    return "";
}

std::string why_open(const Row& row, const std::vector<LayerStatus>& layers, const RowContext& context)
{
    if (!context.loaded) {
        return "the guard is not loaded";
    }
    if (context.audit) {
        return "audit mode lets everything pass";
    }
    if (row.layer == "pins") {
        return "";
    }
    const auto layer = std::ranges::find(layers, row.layer, &LayerStatus::name);
    const std::string missing =
        layer == layers.end() ? "the " + std::string(row.layer) + " layer is not reported" : gap(row, *layer);
    if (row.layer == "seal" && (!context.sealed || !missing.empty())) {
        // The kernel itself keeps everybody else from it.
        return "root can: " + (context.sealed ? missing : "the guard is not sealed");
    }
    const std::string choice = chosen(row, context);
    return choice.empty() ? missing : choice;
}

} // namespace

std::span<const Row> rows() { return kRows; }

std::vector<RowStatus> rows_status(const std::vector<LayerStatus>& layers, const RowContext& context)
{
    std::vector<RowStatus> out;
    for (const auto& row : kRows) {
        std::string why = why_open(row, layers, context);
        const bool closed = why.empty();
        out.push_back({std::string(row.id), std::string(row.title), closed, std::string(row.layer), std::move(why)});
    }
    return out;
}

} // namespace hostward::guard
