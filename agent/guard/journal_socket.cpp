// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/journal_socket.h"

#include "agent/base/text.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

namespace hostward::guard {

namespace {

/// Several batches of lines: the journal may not get its turn for a while, above all during the boot.
constexpr int kSendBytes = 4 << 20;

} // namespace

Result<JournalSocket> JournalSocket::open(const std::string& path)
{
    if (path.size() >= sizeof(sockaddr_un::sun_path)) {
        return invalid_error("the path of the journal's socket is too long");
    }
    UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) {
        const int error = errno;
        return system_error(error, "cannot make a socket to the journal");
    }
    // Refused without CAP_NET_ADMIN: then there is room for fewer.
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kSendBytes, sizeof(kSendBytes));
    return JournalSocket(path, std::move(socket));
}

Status JournalSocket::send(std::string_view entry) const
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(static_cast<char*>(address.sun_path), path_.data(), path_.size());
    const auto sent = ::sendto(socket_.get(), entry.data(), entry.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    if (sent < 0) {
        const int error = errno;
        return system_error(error, "cannot send to the journal");
    }
    return success();
}

} // namespace hostward::guard
