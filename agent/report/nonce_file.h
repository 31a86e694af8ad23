// SPDX-License-Identifier: Apache-2.0
// Which proofs were taken already: a file that several verifiers may share.
#pragma once

#include "agent/report/durable.h"

#include <cstdint>
#include <string>

namespace hostward::report {

/// More than so many that have not expired: none is taken until some have.
inline constexpr std::size_t kNoncesMax = 200'000;

class NonceFile {
public:
    /// `path` need not exist yet; its folder does.
    explicit NonceFile(std::string path) : path_(std::move(path)) {}

    /// Takes the nonce of that instance until `expires_s`; durable on return, atomic among processes. Conflict: it was
    /// taken before. Invalid: the file is none of ours; nothing is taken then. Exhausted: kNoncesMax.
    [[nodiscard]] Status take(const std::string& instance, const std::string& nonce, std::int64_t now_s,
                              std::int64_t expires_s) const;

private:
    std::string path_;
};

} // namespace hostward::report
