// SPDX-License-Identifier: Apache-2.0
// The metadata service's side: a process in the far namespace that answers on port 80 (TCP, UDP, both addresses)
// and counts every packet that arrives for a guarded address. What it counted, not what an attack says, decides
// whether something came through.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace hostward::e2e {

/// In memory shared with the process. Lock-free, so valid between processes.
struct FarEndCounters {
    std::atomic<std::uint64_t> openings;    ///< packets that open or carry something: SYN, payload, not TCP at all
    std::atomic<std::uint64_t> control;     ///< bare TCP ACK, FIN, RST
    std::atomic<std::uint64_t> connections; ///< accepted
    std::atomic<std::uint64_t> requests;    ///< received over a connection or as a datagram
};

class FarEnd {
public:
    [[nodiscard]] static Result<FarEnd> start(int network);
    FarEnd(FarEnd&& other) noexcept;
    FarEnd& operator=(FarEnd&&) = delete;
    FarEnd(const FarEnd&) = delete;
    FarEnd& operator=(const FarEnd&) = delete;
    ~FarEnd();

    /// Takes note of everything that has arrived until now, then forgets it.
    void reset();
    /// Packets and requests since reset(), everything that has arrived included; control packets are none.
    [[nodiscard]] std::uint64_t arrivals();
    [[nodiscard]] std::string text() const;

private:
    FarEnd() = default;
    void settle();

    pid_t pid_ = -1;
    UniqueFd channel_; ///< a byte there and back: everything that had arrived has been counted
    FarEndCounters* counters_ = nullptr;
};

} // namespace hostward::e2e
