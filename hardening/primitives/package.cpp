// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/lines.h"
#include "hardening/models/packages.h"
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kInstalledArguments{
    ArgumentSpec{"name", ValueType::List, true, "names, one of which is enough", {}},
    ArgumentSpec{
        "at_least", ValueType::Text, false, "oldest version that will do, as the package manager orders them", {}},
};
constexpr std::array kAbsentArguments{
    ArgumentSpec{"name", ValueType::List, true, "names, none of which may be there", {}},
};

const char* state_name(PackageState state)
{
    switch (state) {
    case PackageState::Installed: return "installed";
    case PackageState::Partial: return "unpacked, not configured";
    case PackageState::ConfigFiles: return "removed, its configuration stayed";
    }
    return "";
}

Evidence evidence_of(const Package& package, std::string expected)
{
    return {std::move(expected), package.name + " " + package.version + " " + state_name(package.state),
            package.origin.text()};
}

Result<Outcome> evaluate_installed(const Arguments& arguments, Facts& facts)
{
    const auto& packages = facts.get<Packages>();
    if (!packages) {
        return packages.error();
    }
    const std::string oldest = arguments.text_or("at_least", "");
    const std::string expected =
        joined(arguments.list("name"), " or ") + " installed" + (oldest.empty() ? "" : ", at least " + oldest);
    Outcome out;
    out.verdict = Verdict::Fail;
    for (const auto& name : arguments.list("name")) {
        for (auto [at, last] = packages->all.equal_range(name); at != last; ++at) {
            const Package& package = at->second;
            const bool is_new = oldest.empty() || compare_versions(package.manager, package.version, oldest) >= 0;
            if (package.state == PackageState::Installed && is_new) {
                return Outcome::of(Verdict::Pass, evidence_of(package, expected));
            }
            out.add(evidence_of(package, expected));
        }
    }
    if (out.evidence.empty()) {
        out.add({expected, "not installed", joined(packages->databases, ", ")});
    }
    return out;
}

Result<Outcome> evaluate_absent(const Arguments& arguments, Facts& facts)
{
    const auto& packages = facts.get<Packages>();
    if (!packages) {
        return packages.error();
    }
    const std::string expected = joined(arguments.list("name"), ", ") + " not installed";
    Outcome out;
    out.verdict = Verdict::Pass;
    for (const auto& name : arguments.list("name")) {
        for (auto [at, last] = packages->all.equal_range(name); at != last; ++at) {
            // What is left of a removed package are settings: nothing of it can run.
            if (at->second.state != PackageState::ConfigFiles) {
                out.verdict = Verdict::Fail;
            }
            out.add(evidence_of(at->second, expected));
        }
    }
    if (out.evidence.empty()) {
        out.add({expected, "not installed", joined(packages->databases, ", ")});
    }
    return out;
}

} // namespace

const Primitive kPackageInstalledPrimitive{"package-installed", "One of the packages is installed and configured.",
                                           kInstalledArguments, evaluate_installed};
const Primitive kPackageAbsentPrimitive{"package-absent", "None of the packages is installed, not even half.",
                                        kAbsentArguments, evaluate_absent};

} // namespace hostward::hardening
