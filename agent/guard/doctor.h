// SPDX-License-Identifier: Apache-2.0
// What this host offers the guard, what is wrong, and what to do: `guard doctor`. Facts are collected at the edge by
// examine(); diagnose() is pure and asks every question of docs/doctor.md once.
#pragma once

#include "agent/base/result.h"
#include "agent/config/guard_config.h"
#include "agent/guard/options.h"
#include "agent/guard/policy.h"
#include "agent/guard/status.h"
#include "agent/host/unit_files.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace hostward::guard {

struct PolicyPlace; // guard.h

/// From good to bad. Not knowing is worse than a warning: it may hide an error.
enum class Severity { Ok, Info, Warning, CannotTell, Error };

/// The stable word for it: "ok", "info", "warning", "cannot-tell", "error".
[[nodiscard]] const char* severity_text(Severity severity);

/// The answer to one question. Ids are stable; every question has exactly one answer in every run.
struct Finding {
    std::string id;
    std::string group; ///< "kernel", "layers", "guard", "policy", "boot"
    Severity severity = Severity::CannotTell;
    std::string title;                 ///< one line
    std::vector<std::string> evidence; ///< what was seen, one line each
    std::vector<std::string> open;     ///< rows of the threat model (rows.h) that stay open because of it
    std::vector<std::string> remedy;   ///< what to do, one step each
};

/// The value of a fact that nobody has looked at: never "it is fine".
[[nodiscard]] inline Error not_examined() { return Error{ErrorKind::System, 0, "it was not examined"}; }

enum class BootTool { Unknown, Grubby, UpdateGrub, Bottlerocket };

struct KernelFacts {
    std::string release; ///< as uname(2) says
    std::string machine;
    std::uint32_t uid = 0;                                              ///< effective, of this process
    Result<std::uint64_t> capabilities = not_examined();                ///< effective set of this process
    Result<std::uint64_t> memlock = not_examined();                     ///< hard limit, bytes
    Result<bool> has_btf = not_examined();                              ///< of the kernel itself
    Result<std::string> lockdown = not_examined();                      ///< the level; "" if not built
    Result<std::vector<std::string>> security_modules = not_examined(); ///< active ones, in order
    Result<bool> has_bpf_lsm = not_examined();                          ///< CONFIG_BPF_LSM
    BootTool boot_tool = BootTool::Unknown;
};

struct PlaceFacts {
    Result<std::vector<std::string>> cgroup2_mounts = not_examined();
    Result<std::vector<std::string>> cgroup1_mounts = not_examined();
    Result<std::string> init_cgroup = not_examined(); ///< of process 1 in cgroup2: "/" where nobody manages it
    Result<bool> pins_on_bpffs = not_examined();
    std::string pin_dir;
};

/// One thing that was tried for real.
struct Trial {
    enum class Outcome { Works, Fails, Untried };
    Outcome outcome = Outcome::Untried;
    std::string why; ///< of anything but Works
};

/// Names of trials. Those of the security layers are program names (bpf_objects.h).
namespace trial {
inline constexpr auto kConnect4 = "guard_connect4";
inline constexpr auto kConnect6 = "guard_connect6";
inline constexpr auto kSendmsg4 = "guard_sendmsg4";
inline constexpr auto kSendmsg6 = "guard_sendmsg6";
inline constexpr auto kEgress = "guard_egress";
inline constexpr auto kTags = "socket tags";
inline constexpr auto kEvents = "event ring";
inline constexpr auto kTc = "tc";
inline constexpr auto kExeFacts = "exe facts";
} // namespace trial

struct PolicyFacts {
    std::string path;
    Result<config::GuardConfig> config = not_examined();
    Result<CompiledPolicy> compiled = not_examined();
    Result<std::uint64_t> age_s = not_examined();         ///< since it changed, drop-ins included
    std::map<std::string, Result<ExeInfo>> exes;          ///< every program that a rule names
    Result<std::set<std::string>> users = not_examined(); ///< names that exist
    Result<std::set<std::string>> groups = not_examined();
    Result<std::vector<std::string>> units = not_examined(); ///< installed or running
};

/// A socket of this network namespace that is connected to a guarded address.
struct OpenSocket {
    std::string peer;    ///< ADDRESS:PORT
    std::string process; ///< "pid 12 /usr/bin/x"; empty: nobody found
    std::uint32_t uid = 0;
};

struct RunFacts {
    Result<GuardStatus> status = not_examined();
    Result<std::vector<std::string>> missing_pins = not_examined();
    Result<std::vector<std::string>> other_pins = not_examined();  ///< sets of other versions, unfinished ones
    Result<std::vector<std::string>> stale_facts = not_examined(); ///< rules whose names mean something else by now
    Result<std::vector<OpenSocket>> sockets = not_examined();
};

struct BootFacts {
    bool is_systemd = false; ///< process 1 is systemd
    Result<host::UnitFile> unit = not_examined();
    Result<std::uint64_t> loaded_us = not_examined();      ///< when the oldest program in force was loaded
    Result<std::uint64_t> network_pre_us = not_examined(); ///< when network-pre.target was reached; 0: never
};

struct DoctorFacts {
    KernelFacts kernel;
    PlaceFacts place;
    std::map<std::string, Trial> trials;
    PolicyFacts policy;
    RunFacts run;
    BootFacts boot;
};

/// Every question of docs/doctor.md, in its order. Pure.
[[nodiscard]] std::vector<Finding> diagnose(const DoctorFacts& facts);

/// The worst severity of `findings`; Ok if there are none.
[[nodiscard]] Severity worst_of(const std::vector<Finding>& findings);

/// Looks at this host. Trials run in a cgroup and a network namespace of their own that are gone afterwards; security
/// programs, which have no such place, are attached for a moment with a policy that lets everything pass, and not at
/// all where a guard has them attached. What cannot be looked at is a fact, too: this never fails.
[[nodiscard]] DoctorFacts examine(const Options& options, const PolicyPlace& place);

} // namespace hostward::guard
