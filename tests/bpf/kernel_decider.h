// SPDX-License-Identifier: Apache-2.0
// The kernel's decision for a described caller: product maps, product code, nothing attached.
#pragma once

#include "agent/guard/decide.h"
#include "agent/guard/kernel_maps.h"

#include <map>
#include <memory>
#include <optional>
#include <string>

struct decide_bpf;

namespace hostward::test {

class KernelDecider {
public:
    [[nodiscard]] static Result<KernelDecider> create();

    /// install_policy() of the product.
    [[nodiscard]] Status install(const guard::CompiledPolicy& policy);

    /// Nothing: not guarded.
    [[nodiscard]] Result<std::optional<guard::Decision>> decide(const guard::Caller& caller,
                                                                const std::string& address);

private:
    struct Destroy {
        void operator()(decide_bpf* skeleton) const;
    };
    guard::KernelMaps maps_;
    std::unique_ptr<decide_bpf, Destroy> skeleton_;
    std::map<std::string, std::uint64_t> cgroup_ids_; ///< one id per path, as in the kernel: exercises the cache
};

} // namespace hostward::test
