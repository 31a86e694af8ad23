// SPDX-License-Identifier: Apache-2.0
// The BPF objects that the binary carries, each loaded against the same maps. Private to agent/guard.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "agent/guard/kernel_maps.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

struct bpf_object;

namespace hostward::guard {

enum class ObjectId { Guard, Tc, Lsm, Seal };

/// Program names of an object in the order in which they are attached.
[[nodiscard]] const std::vector<std::string>& program_names(ObjectId id);

/// Digest over the bytes of all objects: the same build carries the same programs.
[[nodiscard]] std::uint64_t build_digest();

/// One opened object; programs are loaded by load().
class BpfObject {
public:
    /// maps: reuse these; nullptr: load() makes new ones.
    [[nodiscard]] static Result<BpfObject> open(ObjectId id, const KernelMaps* maps);
    /// Keeps only these programs for load().
    void select(const std::vector<std::string>& programs);
    /// Loads. The error carries the verifier's or the kernel's reason, last lines only.
    [[nodiscard]] Status load();
    [[nodiscard]] int program_fd(const std::string& name) const;
    /// A duplicate of the map's descriptor.
    [[nodiscard]] Result<UniqueFd> map_fd(const std::string& name) const;

private:
    struct Close {
        void operator()(bpf_object* object) const;
    };
    std::unique_ptr<bpf_object, Close> object_;
};

/// Routes libbpf's own messages into the errors above instead of stderr. Once per process.
void capture_libbpf_log();
[[nodiscard]] std::string take_libbpf_log();

} // namespace hostward::guard
