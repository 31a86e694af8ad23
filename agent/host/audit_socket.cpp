// SPDX-License-Identifier: Apache-2.0
#include "agent/host/audit_socket.h"

#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string_view>

namespace hostward::host {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{2000};
constexpr std::size_t kMessagesMax = 50'000;
constexpr std::size_t kMessageBytesMax = 16384; ///< a rule is at most a path and a key longer than its struct
constexpr std::uint32_t kSequence = 1;

Error refused(int number)
{
    if (number == ECONNREFUSED) { // the kernel's answer to everybody outside its first namespaces
        return Error{ErrorKind::Denied, number, "the kernel's audit does not answer in this namespace"};
    }
    if (number == EPROTONOSUPPORT) {
        return Error{ErrorKind::Unsupported, number, "the kernel has no audit"};
    }
    return system_error(number, "asking the kernel's audit");
}

Status send_question(int fd, AuditQuestion question)
{
    nlmsghdr request = {};
    request.nlmsg_len = NLMSG_LENGTH(0);
    request.nlmsg_type = static_cast<std::uint16_t>(question);
    request.nlmsg_flags = NLM_F_REQUEST;
    request.nlmsg_seq = kSequence;
    sockaddr_nl kernel = {};
    kernel.nl_family = AF_NETLINK;
    const auto sent = ::sendto(fd, &request, request.nlmsg_len, MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&kernel), sizeof(kernel));
    return sent < 0 ? Status(refused(errno)) : success();
}

/// One datagram of the kernel; empty: it was from somebody else.
Result<std::string> receive(int fd, Clock::time_point until)
{
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    pollfd ready = {fd, POLLIN, 0};
    const int count = left.count() <= 0 ? 0 : ::poll(&ready, 1, static_cast<int>(left.count()));
    if (count == 0) {
        return Error{ErrorKind::System, ETIMEDOUT, "the kernel's audit does not answer"};
    }
    if (count < 0 && errno == EINTR) {
        return std::string();
    }
    std::string bytes(kMessageBytesMax, '\0');
    sockaddr_nl from = {};
    socklen_t from_size = sizeof(from);
    const auto got =
        ::recvfrom(fd, bytes.data(), bytes.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &from_size);
    if (got < 0 && errno != EAGAIN && errno != EINTR) {
        return refused(errno);
    }
    bytes.resize(got < 0 || from.nl_pid != 0 ? 0 : static_cast<std::size_t>(got));
    return bytes;
}

/// Takes the messages of a datagram. True: the answer is complete.
Result<bool> take(std::string_view bytes, AuditQuestion question, std::vector<std::string>& answers)
{
    while (bytes.size() >= sizeof(nlmsghdr)) {
        nlmsghdr header = {};
        std::memcpy(&header, bytes.data(), sizeof(header));
        if (header.nlmsg_len < NLMSG_LENGTH(0)) {
            return invalid_error("the kernel's audit sent a message without a length");
        }
        // Audit's own count of a message's length leaves out its header at times: a datagram is one message then.
        const std::size_t size = std::min<std::size_t>(header.nlmsg_len, bytes.size());
        const auto content = bytes.substr(NLMSG_HDRLEN, size - NLMSG_HDRLEN);
        if (header.nlmsg_seq == kSequence && header.nlmsg_type == NLMSG_ERROR && content.size() >= sizeof(int)) {
            int number = 0;
            std::memcpy(&number, content.data(), sizeof(number));
            return number == 0 ? Result<bool>(false) : Result<bool>(refused(-number));
        }
        if (header.nlmsg_type == NLMSG_DONE) {
            return true;
        }
        if (header.nlmsg_seq == kSequence && header.nlmsg_type == static_cast<std::uint16_t>(question)) {
            answers.emplace_back(content);
            if (question == AuditQuestion::Status) {
                return true;
            }
        }
        bytes.remove_prefix(std::min<std::size_t>(NLMSG_ALIGN(size), bytes.size()));
    }
    return false;
}

} // namespace

Result<std::vector<std::string>> ask_kernel_audit(AuditQuestion question)
{
    const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT));
    if (!fd) {
        return refused(errno);
    }
    TRY(send_question(fd.get(), question));
    const auto until = Clock::now() + kPatience;
    std::vector<std::string> answers;
    while (answers.size() < kMessagesMax) {
        TRY_ASSIGN(const auto bytes, receive(fd.get(), until));
        TRY_ASSIGN(const bool is_complete, take(bytes, question, answers));
        if (is_complete) {
            return answers;
        }
    }
    return Error{ErrorKind::Exhausted, 0, "the kernel has more than " + std::to_string(kMessagesMax) + " audit rules"};
}

} // namespace hostward::host
