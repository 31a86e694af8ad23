// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/unit_name.h"

#include <gtest/gtest.h>

namespace hostward::guard {
namespace {

TEST(UnitName, IsMostlyTheNameOfItsCgroup)
{
    for (const char* unit : {"a.service", "cpus.service", "cpu-burner.service", "iotop.service",
                             "cgroupfs-mount.service", "pid.service", "memorycard.service", "x_y.service"}) {
        EXPECT_EQ(cgroup_of_unit(unit), unit);
        EXPECT_EQ(unit_of_cgroup(unit), unit);
    }
}

TEST(UnitName, GetsAnUnderscoreWhereTheKernelHasFiles)
{
    for (const std::string unit : {"_a.service", ".a.service", "cgroup.service", "cpu.service", "cpuset.slice",
                                   "memory.swap", "io.mount", "pids.scope", "__a.service", "devices.service"}) {
        EXPECT_EQ(cgroup_of_unit(unit), "_" + unit);
        EXPECT_EQ(unit_of_cgroup("_" + unit), unit);
    }
}

TEST(UnitName, KnowsWhatAPrefixCanBecome)
{
    EXPECT_EQ(unit_escape("cpu."), UnitEscape::Always);
    EXPECT_EQ(unit_escape("_x"), UnitEscape::Always);
    EXPECT_EQ(unit_escape("cp"), UnitEscape::Sometimes);
    EXPECT_EQ(unit_escape("m"), UnitEscape::Sometimes);
    EXPECT_EQ(unit_escape("docker-"), UnitEscape::Never);
    EXPECT_EQ(unit_escape("cloud-"), UnitEscape::Never);
}

} // namespace
} // namespace hostward::guard
