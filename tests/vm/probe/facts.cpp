// SPDX-License-Identifier: Apache-2.0
#include "tests/vm/probe/facts.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "tests/vm/probe/triggers.h"

#include <bpf/bpf.h>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace hostward::probe {
namespace {

std::string errno_text(const char* what) { return std::string(what) + ": " + std::strerror(errno); }

// A connected pair on loopback; the client's end is what gets destroyed.
struct Connection {
    UniqueFd server;
    UniqueFd client;
    UniqueFd accepted;
    sockaddr_in local{};
    sockaddr_in remote{};
};

Answer connect_pair(Connection& pair)
{
    pair.server.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    pair.remote.sin_family = AF_INET;
    pair.remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* remote = reinterpret_cast<sockaddr*>(&pair.remote);
    socklen_t size = sizeof(pair.remote);
    if (bind(pair.server.get(), remote, size) != 0 || listen(pair.server.get(), 1) != 0 ||
        getsockname(pair.server.get(), remote, &size) != 0) {
        return errno_text("listen");
    }
    pair.client.reset(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (connect(pair.client.get(), remote, size) != 0) {
        return errno_text("connect");
    }
    pair.accepted.reset(accept4(pair.server.get(), nullptr, nullptr, SOCK_CLOEXEC));
    size = sizeof(pair.local);
    if (getsockname(pair.client.get(), reinterpret_cast<sockaddr*>(&pair.local), &size) != 0) {
        return errno_text("getsockname");
    }
    return {};
}

struct DestroyRequest {
    nlmsghdr header;
    inet_diag_req_v2 body;
};

// The kernel's answer to one request: 0 or a negative errno.
int netlink_ask(DestroyRequest& request)
{
    const UniqueFd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    if (send(fd.get(), &request, sizeof(request), 0) < 0) {
        return -errno;
    }
    pollfd ready{fd.get(), POLLIN, 0};
    struct {
        nlmsghdr header;
        nlmsgerr error;
        char rest[512];
    } reply{};
    if (poll(&ready, 1, 5000) != 1 || recv(fd.get(), &reply, sizeof(reply), 0) < 0) {
        return -ETIMEDOUT;
    }
    return reply.header.nlmsg_type == NLMSG_ERROR ? reply.error.error : -EPROTO;
}

Answer sock_destroy()
{
    Connection pair;
    if (Answer why = connect_pair(pair); !why.empty()) {
        return why;
    }
    DestroyRequest request{};
    request.header.nlmsg_len = sizeof(request);
    request.header.nlmsg_type = SOCK_DESTROY;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
    request.body.sdiag_family = AF_INET;
    request.body.sdiag_protocol = IPPROTO_TCP;
    request.body.idiag_states = 1U << TCP_ESTABLISHED;
    request.body.id.idiag_sport = pair.local.sin_port;
    request.body.id.idiag_dport = pair.remote.sin_port;
    request.body.id.idiag_src[0] = pair.local.sin_addr.s_addr;
    request.body.id.idiag_dst[0] = pair.remote.sin_addr.s_addr;
    request.body.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
    request.body.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (const int error = netlink_ask(request); error != 0) {
        return std::string("SOCK_DESTROY: ") + std::strerror(-error);
    }
    char byte = 0;
    if (recv(pair.client.get(), &byte, 1, MSG_DONTWAIT) >= 0 || errno != ECONNABORTED) {
        return errno_text("the destroyed connection");
    }
    return {};
}

Answer inner_map_of_another_size()
{
    bpf_map_create_opts options{};
    options.sz = sizeof(options);
    options.map_flags = BPF_F_NO_PREALLOC;
    const UniqueFd model(bpf_map_create(BPF_MAP_TYPE_HASH, "model", 8, 8, 4, &options));
    const UniqueFd other(bpf_map_create(BPF_MAP_TYPE_HASH, "other", 8, 8, 1000, &options));
    options.map_flags = 0;
    options.inner_map_fd = static_cast<__u32>(model.get());
    const UniqueFd outer(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", 4, 4, 2, &options));
    if (!model || !other || !outer) {
        return errno_text("create");
    }
    const __u32 slot = 1;
    const int inner = other.get();
    if (bpf_map_update_elem(outer.get(), &slot, &inner, BPF_ANY) != 0) {
        return errno_text("put a larger table");
    }
    return {};
}

Answer has_btf() { return access("/sys/kernel/btf/vmlinux", R_OK) == 0 ? Answer{} : errno_text("BTF"); }

Answer lsm_list_has_bpf()
{
    std::string list;
    std::ifstream file("/sys/kernel/security/lsm");
    if (!std::getline(file, list)) {
        return errno_text("/sys/kernel/security/lsm");
    }
    for (const std::string_view name : split(list, ',')) {
        if (name == "bpf") {
            return {};
        }
    }
    return list;
}

Answer socket_of(int family, int type, int protocol)
{
    const UniqueFd fd(socket(family, type | SOCK_CLOEXEC, protocol));
    return fd ? Answer{} : errno_text("socket");
}

constexpr int kMptcp = 262; // IPPROTO_MPTCP, not in every libc's headers

Answer af_xdp_socket() { return socket_of(AF_XDP, SOCK_RAW, 0); }
Answer mptcp_socket() { return socket_of(AF_INET, SOCK_STREAM, kMptcp); }

} // namespace

const std::vector<DirectFact>& direct_facts()
{
    static const std::vector<DirectFact> facts = {
        {"btf", has_btf},
        {"lsm_list_has_bpf", lsm_list_has_bpf},
        {"sock_destroy", sock_destroy},
        {"inner_map_of_another_size", inner_map_of_another_size},
        {"af_xdp_socket", af_xdp_socket},
        {"mptcp_socket", mptcp_socket},
    };
    return facts;
}

const std::vector<ProgramFact>& program_facts()
{
    static const std::vector<ProgramFact> facts = {
        {"connect4", {"connect4_plain"}, tcp4},
        {"connect4_sk_storage", {"connect4_sk_storage"}, tcp4},
        {"connect6_sk_storage", {"connect6_sk_storage"}, tcp6},
        {"sendmsg4_sk_storage", {"sendmsg4_sk_storage"}, udp4},
        {"sendmsg6_sk_storage", {"sendmsg6_sk_storage"}, udp6},
        {"connect4_exe_inode", {"connect4_exe_inode"}, tcp4},
        {"connect4_task_btf", {"connect4_task_btf"}, tcp4},
        {"connect4_inner_map_update", {"connect4_inner_map_update"}, tcp4},
        {"connect4_ringbuf", {"connect4_ringbuf"}, tcp4},
        {"connect4_ancestor_cgroup_id", {"connect4_ancestor_cgroup_id"}, tcp4},
        {"connect4_netns_cookie", {"connect4_netns_cookie"}, tcp4},
        {"connect4_set_retval", {"connect4_set_retval"}, tcp4},
        {"connect4_bpf_loop", {"connect4_bpf_loop"}, tcp4},
        {"egress_reads_tag", {"tag_connect4", "egress_reads_tag"}, tcp4},
        {"egress_full_sock_tag", {"tag_connect4", "egress_full_sock_tag"}, tcp4},
        {"egress_writes_tag", {"egress_writes_tag"}, tcp4},
        {"egress_current_task", {"egress_current_task"}, tcp4},
        {"tc_reads_tag", {"tag_connect4", "tc_reads_tag"}, tcp4},
        {"tcx_reads_tag", {"tag_connect4", "tcx_reads_tag"}, tcp4},
        {"tc_current_task", {"tc_current_task"}, tcp4},
        {"sock_create", {"sock_create_plain"}, tcp4},
        {"sock_create_sk_storage", {"sock_create_sk_storage"}, tcp4},
        {"raw_tp_cgroup_mkdir", {"raw_tp_cgroup_mkdir"}, make_cgroup},
        {"raw_tp_sys_enter", {"raw_tp_sys_enter"}, getpid_call},
        {"fentry", {"fentry_tcp_v4_connect"}, tcp4},
        {"iter_task_file", {"iter_task_file"}, nullptr},
        {"syscall_prog", {"syscall_prog"}, nullptr},
        {"lsm_socket_create", {"lsm_socket_create"}, socket_calls},
        {"lsm_socket_setsockopt", {"lsm_socket_setsockopt"}, socket_calls},
        {"lsm_socket_connect", {"lsm_socket_connect"}, tcp4},
        {"lsm_socket_sendmsg", {"lsm_socket_sendmsg"}, udp4},
        {"lsm_ptrace_access_check", {"lsm_ptrace_access_check"}, ptrace_child},
        {"lsm_ptrace_traceme", {"lsm_ptrace_traceme"}, traceme},
        {"lsm_file_receive", {"lsm_file_receive"}, pass_descriptor},
        {"lsm_file_receive_sk_storage", {"tag_connect4", "lsm_file_receive_sk_storage"}, pass_descriptor},
        {"lsm_file_receive_cookie", {"tag_connect4", "lsm_file_receive_cookie"}, pass_descriptor},
        {"lsm_socket_sendmsg_sk_storage", {"tag_connect4", "lsm_socket_sendmsg_sk_storage"}, tcp4},
        {"lsm_task_storage", {"lsm_task_storage"}, pass_descriptor},
        {"lsm_bpf", {"lsm_bpf"}, bpf_calls},
        {"lsm_bpf_map", {"lsm_bpf_map"}, bpf_calls},
        {"lsm_bpf_prog", {"lsm_bpf_prog"}, bpf_calls},
        {"lsm_file_open", {"lsm_file_open"}, open_file},
        {"lsm_inode_unlink", {"lsm_inode_unlink"}, bpffs_entries},
        {"lsm_path_unlink", {"lsm_path_unlink"}, bpffs_entries},
        {"lsm_inode_rename", {"lsm_inode_rename"}, bpffs_entries},
        {"lsm_inode_rmdir", {"lsm_inode_rmdir"}, bpffs_entries},
        {"lsm_inode_link", {"lsm_inode_link"}, bpffs_entries},
        {"lsm_inode_setattr", {"lsm_inode_setattr"}, bpffs_entries},
        {"lsm_sb_umount", {"lsm_sb_umount"}, mounts},
        {"lsm_sb_mount", {"lsm_sb_mount"}, mounts},
        {"lsm_move_mount", {"lsm_move_mount"}, mounts},
        {"lsm_task_kill", {"lsm_task_kill"}, signal_self},
        {"lsm_bprm_creds_for_exec", {"lsm_bprm_creds_for_exec"}, exec_child},
        {"lsm_cgroup_socket_create", {"lsm_cgroup_socket_create"}, socket_calls},
        {"lsm_cgroup_socket_setsockopt", {"lsm_cgroup_socket_setsockopt"}, socket_calls},
    };
    return facts;
}

} // namespace hostward::probe
