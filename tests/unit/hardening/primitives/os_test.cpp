// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

Result<Outcome> ask(const host::MemoryHost& host)
{
    Facts facts(host, 0);
    return kOsPrimitive.evaluate(Arguments({{"id", Value(std::vector<std::string>{"rhel", "amzn"})}}), facts);
}

TEST(OsPrimitive, OneOfTheIds)
{
    host::MemoryHost host;
    EXPECT_FALSE(ask(host).ok()) << "without the file nobody can tell";
    host.file("/usr/lib/os-release", "ID=\"amzn\"\n");
    EXPECT_EQ(ask(host).value().verdict, Verdict::Pass);
    host.file("/etc/os-release", "# ID=amzn\nID=debian\n");
    EXPECT_EQ(ask(host).value().verdict, Verdict::Fail);
    EXPECT_EQ(ask(host).value().evidence[0].expected, "ID is rhel or amzn");
}

} // namespace
} // namespace hostward::hardening
