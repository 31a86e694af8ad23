// SPDX-License-Identifier: Apache-2.0
#include "hardening/engine/verdict.h"

#include <algorithm>
#include <utility>

namespace hostward::hardening {

namespace {

std::size_t count(const std::vector<Outcome>& parts, Verdict verdict)
{
    return static_cast<std::size_t>(std::ranges::count(parts, verdict, &Outcome::verdict));
}

bool have(const std::vector<Outcome>& parts, Verdict verdict) { return count(parts, verdict) != 0; }

/// A manual part leaves the whole to a person; nothing below makes it more than that.
bool is_open(const Outcome& part) { return part.verdict == Verdict::CannotTell || part.verdict == Verdict::Manual; }

/// The verdict, with the evidence of those parts that led to it.
template <typename Takes> Outcome fold(Verdict verdict, const std::vector<Outcome>& parts, Takes takes)
{
    Outcome out;
    out.verdict = verdict;
    for (const auto& part : parts) {
        if (!takes(part)) {
            continue;
        }
        out.add_all(part);
        if (!part.reason.empty() && out.reason.find(part.reason) == std::string::npos) {
            out.reason += (out.reason.empty() ? "" : "; ") + part.reason;
        }
    }
    return out;
}

Outcome fold_same(Verdict verdict, const std::vector<Outcome>& parts)
{
    return fold(verdict, parts, [verdict](const Outcome& part) { return part.verdict == verdict; });
}

Outcome fold_open(const std::vector<Outcome>& parts)
{
    return fold(have(parts, Verdict::CannotTell) ? Verdict::CannotTell : Verdict::Manual, parts, is_open);
}

bool is_told(const Outcome& part) { return part.verdict == Verdict::Pass || part.verdict == Verdict::Fail; }

} // namespace

void Outcome::add(Evidence one)
{
    if (evidence.size() < kEvidenceMax) {
        evidence.push_back(std::move(one));
    } else {
        ++evidence_dropped;
    }
}

void Outcome::add_all(const Outcome& other)
{
    for (const auto& one : other.evidence) {
        add(one);
    }
    evidence_dropped += other.evidence_dropped;
}

Outcome Outcome::of(Verdict verdict, Evidence one) { return Outcome{verdict, "", {std::move(one)}, 0}; }

Outcome Outcome::pass_if(bool condition, Evidence one)
{
    return of(condition ? Verdict::Pass : Verdict::Fail, std::move(one));
}

Outcome Outcome::not_applicable(std::string reason)
{
    return Outcome{Verdict::NotApplicable, std::move(reason), {}, 0};
}
Outcome Outcome::cannot_tell(std::string reason) { return Outcome{Verdict::CannotTell, std::move(reason), {}, 0}; }

const char* verdict_name(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Pass: return "pass";
    case Verdict::Fail: return "fail";
    case Verdict::NotApplicable: return "not-applicable";
    case Verdict::Manual: return "manual";
    case Verdict::CannotTell: return "cannot-tell";
    }
    return "";
}

Outcome all_of(const std::vector<Outcome>& parts)
{
    if (have(parts, Verdict::Fail)) {
        return fold_same(Verdict::Fail, parts);
    }
    if (std::ranges::any_of(parts, is_open)) {
        return fold_open(parts);
    }
    return fold_same(have(parts, Verdict::Pass) ? Verdict::Pass : Verdict::NotApplicable, parts);
}

Outcome any_of(const std::vector<Outcome>& parts)
{
    if (have(parts, Verdict::Pass)) {
        return fold_same(Verdict::Pass, parts);
    }
    if (std::ranges::any_of(parts, is_open)) {
        return fold_open(parts);
    }
    return fold_same(have(parts, Verdict::Fail) ? Verdict::Fail : Verdict::NotApplicable, parts);
}

Outcome none_of(const std::vector<Outcome>& parts)
{
    if (have(parts, Verdict::Pass)) {
        Outcome out = fold_same(Verdict::Pass, parts);
        out.verdict = Verdict::Fail;
        return out;
    }
    if (std::ranges::any_of(parts, is_open)) {
        return fold_open(parts);
    }
    Outcome out = fold_same(have(parts, Verdict::Fail) ? Verdict::Fail : Verdict::NotApplicable, parts);
    out.verdict = out.verdict == Verdict::Fail ? Verdict::Pass : out.verdict;
    return out;
}

Outcome exactly_one_of(const std::vector<Outcome>& parts)
{
    const std::size_t passes = count(parts, Verdict::Pass);
    if (passes > 1) {
        Outcome out = fold_same(Verdict::Pass, parts);
        out.verdict = Verdict::Fail;
        return out;
    }
    if (std::ranges::any_of(parts, is_open)) {
        return fold_open(parts);
    }
    if (passes == 1) {
        return fold(Verdict::Pass, parts, is_told);
    }
    return fold_same(have(parts, Verdict::Fail) ? Verdict::Fail : Verdict::NotApplicable, parts);
}

} // namespace hostward::hardening
