// SPDX-License-Identifier: Apache-2.0
// address_forms: every spelling of the two addresses that the C library accepts, each tried over TCP.
// Exit 0 when all of them reach the service, 1 when none does, 3 when they differ.
#include "attack.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace {

constexpr std::array kForms{
    "169.254.169.254",           // as documented
    "2852039166",                // one decimal number
    "0xa9fea9fe",                // one hexadecimal number
    "0XA9FEA9FE",                //
    "025177524776",              // one octal number
    "169.16689662",              // a.b with a 24-bit b
    "169.254.43518",             // a.b.c with a 16-bit c
    "0xa9.0xfe.0xa9.0xfe",       // hexadecimal parts
    "0251.0376.0251.0376",       // octal parts
    "0xa9.254.0251.254",         // mixed parts
    "00000251.00000376.169.254", // leading zeros
    "::ffff:169.254.169.254",    // IPv4 mapped to IPv6, dotted
    "::ffff:a9fe:a9fe",          // the same in hexadecimal
    "0:0:0:0:0:ffff:a9fe:a9fe",  // uncompressed
    "::FFFF:A9FE:A9FE",          // upper case
    "fd00:ec2::254",             // the IPv6 address
    "FD00:EC2::254",             //
    "fd00:0ec2:0:0:0:0:0:0254",  // uncompressed
    "fd00:ec2:0::0:254",         // other compression
    "fd00:ec2::0.0.2.84",        // the low 32 bits dotted
};

/// Bytes of the answer, or a negative errno.
std::int64_t try_address(const addrinfo& entry)
{
    const int fd = socket(entry.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    attack::set_deadline(fd);
    std::int64_t outcome = 0;
    std::string answer;
    if (connect(fd, entry.ai_addr, entry.ai_addrlen) != 0) {
        outcome = -errno;
    } else {
        outcome = attack::try_exchange(fd, answer);
    }
    (void)close(fd);
    return outcome;
}

/// The form as getaddrinfo reads it; a form that it refuses is an error of this list.
std::int64_t try_form(const char* form)
{
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int status = getaddrinfo(form, "80", &hints, &found);
    if (status != 0) {
        std::printf("%s: %s\n", form, gai_strerror(status));
        return -EINVAL;
    }
    const std::int64_t outcome = try_address(*found);
    freeaddrinfo(found);
    return outcome;
}

} // namespace

int main()
{
    std::size_t reached = 0;
    for (const char* form : kForms) {
        const std::int64_t outcome = try_form(form);
        reached += outcome > 0 ? 1 : 0;
        if (outcome > 0) {
            std::printf("reached %s: %lld bytes\n", form, static_cast<long long>(outcome));
        } else {
            std::printf("refused %s: %s\n", form, strerrorname_np(static_cast<int>(-outcome)));
        }
    }
    if (reached == kForms.size()) {
        return attack::kReached;
    }
    return reached == 0 ? attack::kRefused : attack::kMixed;
}
