// SPDX-License-Identifier: Apache-2.0
// Stands in for the kernel's audit in one process: preloaded into auditctl, it answers as a kernel with every feature
// and no rules would, and writes each message that changes something to the end of the file HOSTWARD_RECORD. So no rule
// ever reaches the machine that the test runs on.
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr int kDescriptors = 64;
int peers[kDescriptors]; ///< auditctl's end -> the kernel's; 0: no socket of audit

bool is_ours(int fd) { return fd >= 0 && fd < kDescriptors && peers[fd] != 0; }

template <typename Function> Function next(const char* name)
{
    void* found = ::dlsym(RTLD_NEXT, name);
    Function function = nullptr;
    std::memcpy(&function, &found, sizeof(function));
    return function;
}

void answer(int peer, const nlmsghdr& request, unsigned type, const void* content, std::size_t size)
{
    nlmsghdr header = {};
    header.nlmsg_len = static_cast<unsigned>(NLMSG_HDRLEN + size);
    header.nlmsg_type = static_cast<unsigned short>(type);
    header.nlmsg_seq = request.nlmsg_seq;
    std::string bytes(reinterpret_cast<const char*>(&header), sizeof(header));
    bytes.append(static_cast<const char*>(content), size);
    (void)!::write(peer, bytes.data(), bytes.size()); // a full queue shows as a missing answer
}

void acknowledge(int peer, const nlmsghdr& request)
{
    nlmsgerr error = {};
    error.msg = request;
    answer(peer, request, NLMSG_ERROR, &error, sizeof(error));
}

void record(const void* bytes, std::size_t size)
{
    const char* path = std::getenv("HOSTWARD_RECORD");
    const int fd = path == nullptr ? -1 : ::open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd >= 0) {
        (void)!::write(fd, bytes, size); // a short record fails the test
        (void)::close(fd);
    }
}

} // namespace

extern "C" int socket(int domain, int type, int protocol)
{
    if (domain != AF_NETLINK || protocol != NETLINK_AUDIT) {
        return next<int (*)(int, int, int)>("socket")(domain, type, protocol);
    }
    int pair[2];
    if (::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) != 0) {
        return -1;
    }
    if (pair[0] >= kDescriptors) {
        return -1;
    }
    if (is_ours(pair[0])) {
        (void)::close(peers[pair[0]]); // of the socket before, which auditctl has closed
    }
    peers[pair[0]] = pair[1];
    return pair[0];
}

extern "C" ssize_t sendto(int fd, const void* bytes, size_t size, int flags, const sockaddr* to, socklen_t to_size)
{
    if (!is_ours(fd) || size < sizeof(nlmsghdr)) {
        return next<ssize_t (*)(int, const void*, size_t, int, const sockaddr*, socklen_t)>("sendto")(
            fd, bytes, size, flags, to, to_size);
    }
    nlmsghdr request = {};
    std::memcpy(&request, bytes, sizeof(request));
    acknowledge(peers[fd], request);
    if (request.nlmsg_type == AUDIT_GET) {
        audit_status status = {};
        status.feature_bitmap = AUDIT_FEATURE_BITMAP_ALL;
        answer(peers[fd], request, AUDIT_GET, &status, sizeof(status));
    } else if (request.nlmsg_type == AUDIT_LIST_RULES) {
        answer(peers[fd], request, NLMSG_DONE, "", 0);
    } else {
        record(bytes, size);
    }
    return static_cast<ssize_t>(size);
}

extern "C" ssize_t recvfrom(int fd, void* bytes, size_t size, int flags, sockaddr* from, socklen_t* from_size)
{
    const auto real = next<ssize_t (*)(int, void*, size_t, int, sockaddr*, socklen_t*)>("recvfrom");
    if (!is_ours(fd)) {
        return real(fd, bytes, size, flags, from, from_size);
    }
    if (from != nullptr && from_size != nullptr) {
        sockaddr_nl kernel = {};
        kernel.nl_family = AF_NETLINK;
        std::memcpy(from, &kernel, sizeof(kernel));
        *from_size = sizeof(kernel);
    }
    return real(fd, bytes, size, flags, nullptr, nullptr);
}
