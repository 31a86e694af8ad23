// SPDX-License-Identifier: Apache-2.0
#include "tests/vm/probe/triggers.h"

#include "agent/base/unique_fd.h"

#include <bpf/bpf.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace hostward::probe {
namespace {

sockaddr_storage loopback(int family, in_port_t port, socklen_t& size)
{
    sockaddr_storage storage{};
    if (family == AF_INET) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = port;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        size = sizeof(address);
        std::memcpy(&storage, &address, size);
    } else {
        sockaddr_in6 address{};
        address.sin6_family = AF_INET6;
        address.sin6_port = port;
        address.sin6_addr = in6addr_loopback;
        size = sizeof(address);
        std::memcpy(&storage, &address, size);
    }
    return storage;
}

sockaddr* generic(sockaddr_storage& storage) { return reinterpret_cast<sockaddr*>(&storage); }

in_port_t bound_port(int fd)
{
    sockaddr_in6 bound{}; // the port is at the same place in both families
    socklen_t size = sizeof(bound);
    (void)getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size); // a zero port makes the connect fail
    return bound.sin6_port;
}

UniqueFd bound_socket(int family, int type)
{
    UniqueFd fd(socket(family, type | SOCK_CLOEXEC, 0));
    socklen_t size = 0;
    sockaddr_storage address = loopback(family, 0, size);
    if (bind(fd.get(), generic(address), size) != 0) {
        return {};
    }
    if (type == SOCK_STREAM && listen(fd.get(), 1) != 0) {
        return {};
    }
    return fd;
}

UniqueFd connected_to(const UniqueFd& server, int family)
{
    UniqueFd client(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    socklen_t size = 0;
    sockaddr_storage address = loopback(family, bound_port(server.get()), size);
    if (connect(client.get(), generic(address), size) != 0) {
        return {};
    }
    return client;
}

void tcp(int family)
{
    const UniqueFd server = bound_socket(family, SOCK_STREAM);
    const UniqueFd client = connected_to(server, family);
    (void)!write(client.get(), "x", 1); // the programs count, a lost byte shows as "not seen"
}

void udp(int family)
{
    const UniqueFd server = bound_socket(family, SOCK_DGRAM);
    const UniqueFd client(socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    socklen_t size = 0;
    sockaddr_storage address = loopback(family, bound_port(server.get()), size);
    (void)sendto(client.get(), "x", 1, 0, generic(address), size);
}

void wait_for(pid_t child)
{
    int status = 0;
    (void)waitpid(child, &status, 0);
}

std::string own_cgroup_folder()
{
    const char* folder = std::getenv("HOSTWARD_PROBE_CGROUP"); // set by our own main
    return folder != nullptr ? folder : "";
}

} // namespace

void tcp4() { tcp(AF_INET); }
void tcp6() { tcp(AF_INET6); }
void udp4() { udp(AF_INET); }
void udp6() { udp(AF_INET6); }

void make_cgroup()
{
    const std::string folder = own_cgroup_folder() + "/made";
    (void)mkdir(folder.c_str(), 0755);
    (void)rmdir(folder.c_str());
}

void pass_descriptor()
{
    const UniqueFd server = bound_socket(AF_INET, SOCK_STREAM);
    const UniqueFd client = connected_to(server, AF_INET);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return;
    }
    const UniqueFd near(pair[0]);
    const UniqueFd far(pair[1]);
    char byte = 'x';
    iovec part{&byte, 1};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof(control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int passed = client.get();
    std::memcpy(CMSG_DATA(header), &passed, sizeof(passed));
    (void)sendmsg(near.get(), &message, 0);
    (void)recvmsg(far.get(), &message, MSG_CMSG_CLOEXEC); // the child ends soon: the received copy goes with it
}

void ptrace_child()
{
    const pid_t child = fork();
    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    (void)ptrace(PTRACE_SEIZE, child, nullptr, nullptr);
    (void)kill(child, SIGKILL);
    wait_for(child);
}

void traceme() { (void)ptrace(PTRACE_TRACEME, 0, nullptr, nullptr); }

void exec_child()
{
    const pid_t child = vfork();
    if (child == 0) {
        (void)execl("/proc/self/exe", "probe", "--nothing", nullptr);
        _exit(1);
    }
    wait_for(child);
}

void bpf_calls()
{
    __u32 id = 0;
    if (bpf_map_get_next_id(0, &id) == 0) {
        const UniqueFd map(bpf_map_get_fd_by_id(id));
    }
    id = 0;
    if (bpf_prog_get_next_id(0, &id) == 0) {
        const UniqueFd program(bpf_prog_get_fd_by_id(id));
    }
}

void bpffs_entries()
{
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return;
    }
    char place[] = "/tmp/hostward-probe.XXXXXX";
    if (mkdtemp(place) == nullptr) {
        return;
    }
    const std::string root = place;
    if (mount("bpf", place, "bpf", 0, nullptr) == 0) {
        const UniqueFd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "probe", 4, 8, 1, nullptr));
        (void)bpf_obj_pin(map.get(), (root + "/pin").c_str());
        (void)!link((root + "/pin").c_str(), (root + "/linked").c_str());
        (void)chmod((root + "/pin").c_str(), 0600);
        (void)rename((root + "/pin").c_str(), (root + "/renamed").c_str());
        (void)unlink((root + "/renamed").c_str());
        (void)unlink((root + "/linked").c_str());
        (void)mkdir((root + "/folder").c_str(), 0700);
        (void)rmdir((root + "/folder").c_str());
        (void)umount2(place, MNT_DETACH);
    }
    (void)rmdir(place);
}

void mounts()
{
    if (unshare(CLONE_NEWNS) != 0 || mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return;
    }
    char place[] = "/tmp/hostward-probe.XXXXXX";
    if (mkdtemp(place) == nullptr) {
        return;
    }
    const std::string from = std::string(place) + "/from";
    const std::string to = std::string(place) + "/to";
    (void)mkdir(from.c_str(), 0700);
    (void)mkdir(to.c_str(), 0700);
    if (mount("probe", from.c_str(), "tmpfs", 0, nullptr) == 0) {
        // mount(MS_MOVE) asks another hook, and only on newer kernels.
        (void)syscall(SYS_move_mount, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0);
        (void)umount2(from.c_str(), MNT_DETACH); // where it could not be moved
        (void)umount2(to.c_str(), MNT_DETACH);
    }
    (void)rmdir(from.c_str());
    (void)rmdir(to.c_str());
    (void)rmdir(place);
}

void open_file() { const UniqueFd fd(open("/proc/self/status", O_RDONLY | O_CLOEXEC)); }
void signal_self() { (void)kill(getpid(), 0); }
void getpid_call() { (void)syscall(SYS_getpid); }

void socket_calls()
{
    const UniqueFd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
    const int one = 1;
    (void)setsockopt(fd.get(), SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one));
}

} // namespace hostward::probe
