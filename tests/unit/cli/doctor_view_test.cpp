// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/doctor_view.h"

#include <gtest/gtest.h>

namespace hostward::cli {
namespace {

using guard::Severity;

// The codes are a contract: fleets act on them.
TEST(DoctorView, EndsAsTheWorstFindingSays)
{
    EXPECT_EQ(static_cast<int>(doctor_exit_code(Severity::Ok)), 0);
    EXPECT_EQ(static_cast<int>(doctor_exit_code(Severity::Info)), 0);
    EXPECT_EQ(static_cast<int>(doctor_exit_code(Severity::Warning)), 7);
    EXPECT_EQ(static_cast<int>(doctor_exit_code(Severity::CannotTell)), 8);
    EXPECT_EQ(static_cast<int>(doctor_exit_code(Severity::Error)), 9);
}

TEST(DoctorView, NotKnowingIsWorseThanAWarning)
{
    std::vector<guard::Finding> findings(3);
    findings[0].severity = Severity::CannotTell;
    findings[1].severity = Severity::Warning;
    findings[2].severity = Severity::Ok;
    EXPECT_EQ(guard::worst_of(findings), Severity::CannotTell);
    findings[2].severity = Severity::Error;
    EXPECT_EQ(guard::worst_of(findings), Severity::Error);
}

} // namespace
} // namespace hostward::cli
