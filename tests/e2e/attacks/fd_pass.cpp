// SPDX-License-Identifier: Apache-2.0
// A socket opened by one process and used by another:
//   fd_pass give connected|unconnected ADDRESS PATH   opens it, prints `ready PID FD`, waits for a line on stdin,
//                                                     sends it over the Unix socket PATH, waits for the taker
//   fd_pass take connected|unconnected ADDRESS PATH   listens on PATH, prints `ready`, receives it, uses it
//   fd_pass getfd PID FD                              takes it with pidfd_getfd, uses it
#include "attack.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr auto kUsageText = "fd_pass give|take connected|unconnected ADDRESS PATH | fd_pass getfd PID FD";

sockaddr_un unix_address(const char* path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (std::strlen(path) >= sizeof(address.sun_path)) {
        attack::usage("PATH is too long");
    }
    std::strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
    return address;
}

void wait_for_line()
{
    std::array<char, 16> line{};
    if (read(STDIN_FILENO, line.data(), line.size()) < 0) {
        attack::usage("fd_pass give needs a standard input");
    }
}

/// Control data with room for one descriptor.
union Control {
    cmsghdr header;
    std::array<char, CMSG_SPACE(sizeof(int))> bytes;
};

msghdr descriptor_message(iovec& part, Control& control)
{
    static char byte = 'x'; // a message needs at least one byte of data
    part = {&byte, 1};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    return message;
}

void send_descriptor(int channel, int fd)
{
    iovec part{};
    Control control{};
    const msghdr message = descriptor_message(part, control);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    if (sendmsg(channel, &message, MSG_NOSIGNAL) < 0) {
        attack::cannot_try("sendmsg(SCM_RIGHTS)", errno);
    }
}

int receive_descriptor(int channel, const attack::Stopwatch& watch)
{
    iovec part{};
    Control control{};
    msghdr message = descriptor_message(part, control);
    if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) < 0) {
        attack::refused("recvmsg(SCM_RIGHTS)", errno, watch);
    }
    const cmsghdr* header = CMSG_FIRSTHDR(&message);
    if (header == nullptr || header->cmsg_type != SCM_RIGHTS) {
        attack::refused("the descriptor was not delivered", EPERM, watch); // the kernel drops it and sets MSG_CTRUNC
    }
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

int give(bool is_connected, const attack::Target& target, const char* path)
{
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(target.family(), SOCK_STREAM, 0, watch);
    attack::set_deadline(fd);
    if (is_connected && connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect by the giver", errno, watch);
    }
    std::printf("ready %d %d\n", static_cast<int>(getpid()), fd);
    (void)std::fflush(stdout);
    wait_for_line();
    if (*path == '\0') {
        return attack::kReached; // somebody else takes it
    }
    const int channel = attack::make_socket(AF_UNIX, SOCK_SEQPACKET, 0, watch);
    const sockaddr_un address = unix_address(path);
    if (connect(channel, std::bit_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        attack::cannot_try("connect to the taker", errno);
    }
    send_descriptor(channel, fd);
    char byte = 0;
    (void)recv(channel, &byte, 1, 0); // returns when the taker is done
    return attack::kReached;
}

[[noreturn]] void take(bool is_connected, const attack::Target& target, const char* path)
{
    const attack::Stopwatch starting;
    const int listener = attack::make_socket(AF_UNIX, SOCK_SEQPACKET, 0, starting);
    const sockaddr_un address = unix_address(path);
    if (bind(listener, std::bit_cast<const sockaddr*>(&address), sizeof(address)) != 0 || chmod(path, 0777) != 0 ||
        listen(listener, 1) != 0) {
        attack::cannot_try("listen for the giver", errno);
    }
    std::printf("ready\n");
    (void)std::fflush(stdout);
    const int channel = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (channel < 0) {
        attack::cannot_try("accept the giver", errno);
    }
    const attack::Stopwatch watch;
    const int fd = receive_descriptor(channel, watch);
    if (!is_connected && connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect on the descriptor", errno, watch);
    }
    attack::exchange(fd, "a passed descriptor", watch);
}

[[noreturn]] void get_fd(const char* pid, const char* fd_number)
{
    const attack::Stopwatch watch;
    const auto process = static_cast<int>(syscall(SYS_pidfd_open, attack::require_number(pid), 0));
    if (process < 0) {
        attack::cannot_try("pidfd_open", errno);
    }
    const auto fd = static_cast<int>(syscall(SYS_pidfd_getfd, process, attack::require_number(fd_number), 0));
    if (fd < 0 && (errno == EPERM || errno == EACCES)) {
        attack::refused("pidfd_getfd", errno, watch);
    }
    if (fd < 0) {
        attack::cannot_try("pidfd_getfd", errno);
    }
    attack::exchange(fd, "a descriptor taken with pidfd_getfd", watch);
}

} // namespace

int main(int argc, char** argv)
{
    const std::string_view way = argc > 1 ? argv[1] : "";
    if (way == "getfd" && argc == 4) {
        get_fd(argv[2], argv[3]);
    }
    if (argc != 5) {
        attack::usage(kUsageText);
    }
    const bool is_connected = std::strcmp(argv[2], "connected") == 0;
    const attack::Target target = attack::require_target(argv[3]);
    if (way == "give") {
        return give(is_connected, target, argv[4]);
    }
    if (way == "take") {
        take(is_connected, target, argv[4]);
    }
    attack::usage(kUsageText);
}
