// SPDX-License-Identifier: Apache-2.0
// Primitives asked about a host in memory with surroundings that answer as a test says.
#pragma once

#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <map>
#include <string>

namespace hostward::hardening {

/// Items that are not there are NotFound, as on an instance.
class FakeSurroundings final : public Surroundings {
public:
    std::map<std::string, Result<std::string>> items;
    Result<MetadataAccess> access = Error{ErrorKind::System, 0, "nobody there"};
    Result<GuardFacts> guard_facts = Error{ErrorKind::Denied, 0, "only root can tell"};

    [[nodiscard]] Result<std::string> metadata(const std::string& path) override
    {
        const auto found = items.find(path);
        return found == items.end() ? Error{ErrorKind::NotFound, 0, path + ": no such item"} : found->second;
    }
    [[nodiscard]] Result<MetadataAccess> metadata_access() override { return access; }
    [[nodiscard]] Result<GuardFacts> guard() override { return guard_facts; }
};

using Given = std::map<std::string, Value, std::less<>>;

/// CannotTell with the error's text where it is an error, as the engine has it.
inline Outcome outcome_of(const Primitive& primitive, const host::Host& host, Surroundings& around, Given given = {})
{
    Facts facts(host, 0, true, around);
    auto outcome = primitive.evaluate(Arguments(std::move(given)), facts);
    return outcome ? outcome.take() : Outcome::cannot_tell(outcome.error().text);
}

/// The verdict's word; with the reason for what cannot be told.
inline std::string word_of(const Outcome& outcome)
{
    const std::string word = verdict_name(outcome.verdict);
    return outcome.verdict == Verdict::CannotTell ? word + ": " + outcome.reason : word;
}

/// All of the evidence in one text, to look for what must be in it, and what must not.
inline std::string evidence_of(const Outcome& outcome)
{
    std::string text;
    for (const auto& one : outcome.evidence) {
        text += one.expected + " | " + one.found + " | " + one.where + "\n";
    }
    return text;
}

} // namespace hostward::hardening
