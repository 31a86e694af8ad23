// SPDX-License-Identifier: Apache-2.0
// What a check says of a host, with what was seen.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace hostward::hardening {

enum class Verdict {
    Pass,
    Fail,
    NotApplicable, ///< with a reason: what the rule is about is not on this host
    Manual,        ///< a person must judge
    CannotTell,    ///< with a reason: we could not look. Never "it is fine"
};

/// One thing that was looked at. Text from the host is as found: outputs escape it.
struct Evidence {
    std::string expected; ///< `1`, `owned by root`
    std::string found;    ///< `0`, `absent`. Never a secret
    std::string where;    ///< FILE:LINE, a path, a kernel interface
};

/// Of one check. Further evidence is counted, not kept.
inline constexpr std::size_t kEvidenceMax = 20;

struct Outcome {
    Verdict verdict = Verdict::CannotTell;
    std::string reason; ///< why not applicable, why it cannot be told; else may be empty
    std::vector<Evidence> evidence;
    std::size_t evidence_dropped = 0;

    /// Keeps it, or counts it when there is no room.
    void add(Evidence one);
    void add_all(const Outcome& other);

    [[nodiscard]] static Outcome of(Verdict verdict, Evidence one);
    [[nodiscard]] static Outcome pass_if(bool condition, Evidence one);
    [[nodiscard]] static Outcome not_applicable(std::string reason);
    [[nodiscard]] static Outcome cannot_tell(std::string reason);
};

/// `pass`, `fail`, `not-applicable`, `manual`, `cannot-tell`: the words of every output.
[[nodiscard]] const char* verdict_name(Verdict verdict);

/// All hold: a failure decides, then what cannot be told. Not applicable parts do not count, unless all are.
[[nodiscard]] Outcome all_of(const std::vector<Outcome>& parts);
/// At least one holds: a pass decides, then what cannot be told.
[[nodiscard]] Outcome any_of(const std::vector<Outcome>& parts);
/// None holds: a part that passes is the failure.
[[nodiscard]] Outcome none_of(const std::vector<Outcome>& parts);
/// Exactly one holds. Two passes decide; fewer with something that cannot be told do not.
[[nodiscard]] Outcome exactly_one_of(const std::vector<Outcome>& parts);

} // namespace hostward::hardening
