// SPDX-License-Identifier: Apache-2.0
// One row of the threat model, tried twice: with the guard off it must work, with it on it must end as
// `guard status` says.
#pragma once

#include "tests/e2e/support/site.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace hostward::e2e {

/// One way to try a row.
struct Attempt {
    std::string name;
    std::function<Result<Outcome>()> run;
    std::function<Status()> prepare; ///< what happens before the guard comes; may be empty
};

struct Row {
    std::string id;     ///< as in `status --json`
    std::string policy; ///< names somebody else than the attacker
    std::vector<Attempt> attempts;
    Attempt control;                   ///< whom the policy allows: must get through
    std::function<Status()> on_loaded; ///< after the guard came, before the attempts; may be empty
};

/// Base of the suites: one site per suite, no guard at the start of a test.
class AttackTest : public testing::Test {
protected:
    static void SetUpTestSuite();
    static void TearDownTestSuite();
    void SetUp() override;
    void TearDown() override;

    [[nodiscard]] static Site& site() { return *site_; }
    /// An attempt that is one launch.
    [[nodiscard]] static Attempt attempt(std::string name, Launch launch);
    [[nodiscard]] static Attempt attempt(Launch launch);
    /// Root in the allowed unit over TCP.
    [[nodiscard]] static Attempt allowed_unit();

    /// Unloads and waits until that has had its effect.
    static void take_down();

    /// Another site, for what comes after an attack that left no guard to unload.
    static void renew_site();

    /// Does it all and prints one line: `[ROW] id=ID result=stopped|open|skipped why=TEXT`.
    static void check_row(const Row& row);

private:
    static std::unique_ptr<Site> site_;
    static std::string site_error_;
};

} // namespace hostward::e2e
