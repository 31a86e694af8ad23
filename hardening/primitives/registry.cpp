// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

Primitives all_primitives()
{
    static constexpr std::array kAll{
        &kOsPrimitive,
    };
    return kAll;
}

} // namespace hostward::hardening
