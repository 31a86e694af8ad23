// SPDX-License-Identifier: Apache-2.0
// Rules on a host: each becomes an outcome.
#pragma once

#include "hardening/engine/rule.h"

namespace hostward::hardening {

/// `parameters`: all of the rule's, as parameters_of() gives them.
[[nodiscard]] Outcome evaluate(const Rule& rule, const std::map<std::string, Value>& parameters, Facts& facts);

/// An expression alone.
[[nodiscard]] Outcome evaluate(const Check& check, const std::map<std::string, Value>& parameters, Facts& facts);

} // namespace hostward::hardening
