// SPDX-License-Identifier: Apache-2.0
// Every primitive there is. A new one is declared here, added to the list in registry.cpp, and documented by its own
// `about` texts: docs/checks/primitives.md is generated from them.
#pragma once

#include "hardening/engine/primitive.h"

namespace hostward::hardening {

[[nodiscard]] Primitives all_primitives();

extern const Primitive kOsPrimitive; ///< which distribution this is

} // namespace hostward::hardening
