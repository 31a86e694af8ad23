// SPDX-License-Identifier: Apache-2.0
// Parts of a check that `check` and its --posture share.
#pragma once

#include "agent/cli/options.h"
#include "agent/cli/output.h"
#include "hardening/engine/library.h"
#include "hardening/engine/report.h"

namespace hostward::cli {

[[nodiscard]] std::string absolute(const std::string& path);
[[nodiscard]] hardening::Selection selection_of(const CheckOptions& options);
[[nodiscard]] std::string known_profiles(const hardening::Library& library);
[[nodiscard]] Result<const hardening::Profile*> named_profile(const std::string& id, const hardening::Library& library);
[[nodiscard]] Result<hardening::Tailoring> tailoring_of(const CheckOptions& options, const hardening::Library& library,
                                                        const host::Host& own);

/// Runs one profile, with a line of progress on `err` if that is a terminal.
[[nodiscard]] hardening::Report run_with_progress(const hardening::Profile& profile, const hardening::Library& library,
                                                  const hardening::Tailoring& tailoring, const CheckOptions& options,
                                                  hardening::Facts& facts, Output& err);

} // namespace hostward::cli
