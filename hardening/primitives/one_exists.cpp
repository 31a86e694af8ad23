// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"paths", ValueType::List, true, "files, links followed: `/usr/sbin/chronyd`", {}},
};

Result<Outcome> evaluate_one_exists(const Arguments& arguments, Facts& facts)
{
    std::string expected;
    for (const auto& path : arguments.list("paths")) {
        TRY_ASSIGN(const bool is_there, host::exists(facts.host(), path));
        if (is_there) {
            return Outcome::of(Verdict::Pass, {"exists", path + " exists", path});
        }
        expected += (expected.empty() ? "" : ", ") + path;
    }
    return Outcome::of(Verdict::Fail, {"one of them exists", "none does", expected});
}

} // namespace

const Primitive kOneExistsPrimitive{"one_exists",
                                    "One of the files exists: for rules that are about a program, where it is.",
                                    kArguments, evaluate_one_exists};

} // namespace hostward::hardening
