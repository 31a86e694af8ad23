// SPDX-License-Identifier: Apache-2.0
#include "agent/report/random.h"

#include "agent/base/text.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace hostward::report {

void fill_random(unsigned char* bytes, std::size_t size)
{
    while (size > 0) {
        const ssize_t got = ::getrandom(bytes, size, 0);
        if (got < 0 && errno != EINTR) {
            std::abort(); // a nonce that somebody can guess must not exist
        }
        const std::size_t filled = got < 0 ? 0 : static_cast<std::size_t>(got);
        bytes += filled;
        size -= filled;
    }
}

std::string make_nonce()
{
    std::array<unsigned char, kNonceBytes> bytes{};
    fill_random(bytes.data(), bytes.size());
    return hex(bytes.data(), bytes.size());
}

} // namespace hostward::report
