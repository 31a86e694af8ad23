// SPDX-License-Identifier: Apache-2.0
#include "agent/report/digest.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <array>
#include <cstdlib>

namespace hostward::report {

std::string sha256_bytes(std::string_view bytes)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
    std::size_t length = out.size();
    if (EVP_Q_digest(nullptr, "SHA256", nullptr, bytes.data(), bytes.size(), out.data(), &length) != 1) {
        std::abort(); // no SHA-256 or no memory: nothing that is signed or checked could be right
    }
    return {out.begin(), out.end()};
}

} // namespace hostward::report
