// SPDX-License-Identifier: Apache-2.0
// What a test owns on the machine. Everything but the cgroup vanishes with the process, even when it is killed:
// a private mount namespace with a tmpfs (programs, scratch, run folder) and a bpf file system (pins).
#pragma once

#include "agent/base/result.h"
#include "tests/e2e/support/process.h"

#include <string>
#include <string_view>

namespace hostward::e2e {

/// Settings of the suite from outside. Read once.
struct Surroundings {
    std::string hostward; ///< HOSTWARD_BIN, default the build folder's `hostward`
    std::string attacks;  ///< folder of the attack programs, beside the test's own
    bool is_vm = false;   ///< HOSTWARD_VM=1: emulated and slow, repetitions are scaled down
    [[nodiscard]] int scaled(int native, int emulated) const { return is_vm ? emulated : native; }
};
[[nodiscard]] const Surroundings& surroundings();

/// A copy of an attack program where every user can run it, root-owned: `attack_path("tcp")`.
[[nodiscard]] std::string attack_path(std::string_view name);

inline constexpr auto kSandbox = "/mnt";
inline constexpr auto kPrograms = "/mnt/programs";
inline constexpr auto kScratch = "/mnt/scratch"; ///< everybody may write here
inline constexpr auto kBpf = "/mnt/bpf";
inline constexpr auto kRunDir = "/mnt/run";

/// Enters the private mount namespace and fills it. Once per process; further calls do nothing.
[[nodiscard]] Status enter_sandbox();

/// A cgroup of the test's own below the cgroup2 root, removed with everything below it. Those of dead processes
/// are removed at creation.
class CgroupTree {
public:
    [[nodiscard]] static Result<CgroupTree> create();
    CgroupTree(CgroupTree&& other) noexcept;
    CgroupTree& operator=(CgroupTree&&) = delete;
    CgroupTree(const CgroupTree&) = delete;
    CgroupTree& operator=(const CgroupTree&) = delete;
    ~CgroupTree();

    [[nodiscard]] const std::string& path() const { return path_; }
    /// Makes `below` with its parents, where missing, and returns its folder.
    [[nodiscard]] Result<std::string> make(const std::string& below) const;

private:
    explicit CgroupTree(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

} // namespace hostward::e2e
