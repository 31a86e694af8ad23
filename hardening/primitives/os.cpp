// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "hardening/models/os_release.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"id", ValueType::List, true, "IDs of os-release(5), one of which it must be", {}},
};

Result<Outcome> evaluate_os(const Arguments& arguments, Facts& facts)
{
    const auto& os = facts.get<OsRelease>();
    if (!os) {
        return os.error();
    }
    const auto& wanted = arguments.list("id");
    std::string expected;
    for (const auto& id : wanted) {
        expected += (expected.empty() ? "ID is " : " or ") + id;
    }
    return Outcome::pass_if(std::ranges::find(wanted, os->id) != wanted.end(), {expected, os->id, "/etc/os-release"});
}

} // namespace

const Primitive kOsPrimitive{"os", "The distribution is one of those named.", kArguments, evaluate_os};

} // namespace hostward::hardening
