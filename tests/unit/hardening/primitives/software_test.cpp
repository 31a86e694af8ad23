// SPDX-License-Identifier: Apache-2.0
// Packages, units and sockets: what other scanners get wrong is here with the truth as expectation.
#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;
using Values = std::map<std::string, Value, std::less<>>;
using Names = std::vector<std::string>;

/// The verdict's word; for what cannot be told with its reason.
std::string ask(const Primitive& primitive, const MemoryHost& host, Values values)
{
    Facts facts(host, 0);
    const auto outcome = primitive.evaluate(Arguments(std::move(values)), facts);
    if (!outcome) {
        return "error: " + outcome.error().text;
    }
    EXPECT_TRUE(outcome->verdict == Verdict::CannotTell || !outcome->evidence.empty()) << "a verdict needs evidence";
    return verdict_name(outcome->verdict);
}

std::string stanza(const std::string& name, const std::string& status, const std::string& version = "1.0")
{
    return "Package: " + name + "\nStatus: " + status + "\nArchitecture: amd64\nVersion: " + version + "\n\n";
}

MemoryHost with_package(const std::string& status, const std::string& version = "1.0")
{
    MemoryHost host;
    host.file("/var/lib/dpkg/status", stanza("rpcbind", status, version));
    return host;
}

std::string absent(const MemoryHost& host)
{
    return ask(kPackageAbsentPrimitive, host, {{"name", Names{"x", "rpcbind"}}});
}
std::string installed(const MemoryHost& host, const std::string& at_least = "")
{
    Values values{{"name", Names{"x", "rpcbind"}}};
    if (!at_least.empty()) {
        values.emplace("at_least", at_least);
    }
    return ask(kPackageInstalledPrimitive, host, values);
}

TEST(PackagePrimitives, AHeldPackageIsInstalled)
{
    EXPECT_EQ(absent(with_package("hold ok installed")), "fail");
    EXPECT_EQ(installed(with_package("hold ok installed")), "pass");
}

TEST(PackagePrimitives, HalfAPackageIsNeitherThereNorAway)
{
    EXPECT_EQ(absent(with_package("install ok half-configured")), "fail");
    EXPECT_EQ(installed(with_package("install ok half-configured")), "fail");
    EXPECT_EQ(absent(with_package("deinstall ok config-files")), "pass");
    EXPECT_EQ(installed(with_package("deinstall ok config-files")), "fail");
}

TEST(PackagePrimitives, NoDatabaseCannotBeTold)
{
    EXPECT_THAT(absent(MemoryHost()), ::testing::StartsWith("error"));
    EXPECT_THAT(installed(MemoryHost()), ::testing::StartsWith("error"));
    MemoryHost broken = with_package("install ok installed");
    broken.broken("/var/lib/dpkg/status", Error{ErrorKind::System, EIO, "disk"});
    EXPECT_EQ(absent(broken), "error: disk");
    MemoryHost berkeley;
    berkeley.file("/var/lib/rpm/Packages", "x");
    EXPECT_THAT(absent(berkeley), ::testing::HasSubstr("Berkeley"));
}

TEST(PackagePrimitives, OldVersionsWillNotDo)
{
    EXPECT_EQ(installed(with_package("install ok installed", "1.5.2-6"), "1.5.2-6"), "pass");
    EXPECT_EQ(installed(with_package("install ok installed", "1.5.2-6+deb12u1"), "1.5.2-6"), "pass");
    EXPECT_EQ(installed(with_package("install ok installed", "1.5.10-1"), "1.5.2-6"), "pass");
    EXPECT_EQ(installed(with_package("install ok installed", "1.5.2~rc1-6"), "1.5.2-6"), "fail");
}

constexpr auto kService = "/usr/lib/systemd/system/cups.service";
constexpr auto kText = "[Service]\nExecStart=/usr/sbin/cupsd\n[Install]\nWantedBy=multi-user.target\n";
constexpr auto kWanted = "/etc/systemd/system/multi-user.target.wants/cups.service";

MemoryHost image_with_service()
{
    MemoryHost host;
    host.image().file(kService, kText);
    return host;
}

MemoryHost running(MemoryHost host, const std::string& table)
{
    host.directory("/run/systemd/system");
    host.program({"/usr/bin/systemctl", "list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager"},
                 {0, table, ""});
    return host;
}

MemoryHost live_with_service()
{
    MemoryHost host;
    host.file(kService, kText);
    return host;
}

std::string off(const MemoryHost& host)
{
    return ask(kUnitOffPrimitive, host, {{"unit", Names{"cups.service", "none.socket"}}});
}
std::string on(const MemoryHost& host, bool must_run = true)
{
    return ask(kUnitOnPrimitive, host, {{"unit", Names{"none.service", "cups.service"}}, {"running", must_run}});
}

TEST(UnitPrimitives, WhicheverPackageItIsFrom)
{
    auto host = image_with_service();
    host.file("/var/lib/dpkg/status", stanza("cups-daemon", "install ok installed"));
    host.link(kWanted, kService);
    EXPECT_EQ(off(host), "fail");
    EXPECT_EQ(on(host), "pass");
}

TEST(UnitPrimitives, AnImageIsDecidedByItsLinks)
{
    EXPECT_EQ(off(image_with_service()), "pass"); // disabled is off, it need not be masked
    EXPECT_EQ(on(image_with_service()), "fail");
    MemoryHost nothing;
    nothing.image();
    EXPECT_EQ(off(nothing), "pass");
    EXPECT_EQ(on(nothing), "fail");
    auto masked = image_with_service();
    masked.link(kWanted, kService).link("/etc/systemd/system/cups.service", "/dev/null");
    EXPECT_EQ(off(masked), "pass");
    EXPECT_EQ(on(masked), "fail");
}

TEST(UnitPrimitives, AMaskUntilTheNextBootIsNotOff)
{
    auto host = image_with_service();
    host.link(kWanted, kService).link("/run/systemd/system/cups.service", "/dev/null");
    EXPECT_EQ(off(host), "fail");
    EXPECT_EQ(on(host), "fail");
}

TEST(UnitPrimitives, ADisabledServiceBehindASocketIsNotOff)
{
    auto host = image_with_service();
    host.file("/usr/lib/systemd/system/cups.socket", "[Socket]\nListenStream=/run/cups.sock\n")
        .link("/etc/systemd/system/sockets.target.wants/cups.socket", "/usr/lib/systemd/system/cups.socket");
    EXPECT_EQ(off(host), "fail");
}

TEST(UnitPrimitives, WhatRunsNowCounts)
{
    EXPECT_EQ(off(running(live_with_service(), "")), "pass");
    EXPECT_EQ(off(running(live_with_service(), "cups.service loaded active running x\n")), "fail");
    EXPECT_EQ(off(running(live_with_service(), "cups.service loaded failed failed x\n")), "pass");
    auto enabled = live_with_service();
    enabled.link(kWanted, kService);
    EXPECT_EQ(on(running(enabled, "cups.service loaded active running x\n")), "pass");
    EXPECT_EQ(on(running(enabled, "cups.service loaded inactive dead x\n")), "fail");
    EXPECT_EQ(on(running(enabled, ""), false), "pass");
    EXPECT_EQ(on(running(live_with_service(), "cups.service loaded active running x\n")), "fail"); // lost at reboot
}

TEST(UnitPrimitives, WithoutSystemdItCannotBeTold)
{
    EXPECT_EQ(off(live_with_service()), "cannot-tell");
    auto enabled = live_with_service();
    enabled.link(kWanted, kService);
    EXPECT_EQ(off(enabled), "fail"); // the link is enough
    EXPECT_EQ(on(enabled), "cannot-tell");
    EXPECT_EQ(on(live_with_service()), "fail");
}

std::string loopback(const std::string& row)
{
    MemoryHost host;
    host.file("/proc/self/net/tcp", "head\n" + row).file("/proc/self/net/udp", "head\n");
    return ask(kLoopbackOnlyPrimitive, host, {{"port", Names{"25"}}});
}

TEST(LoopbackOnly, OfThePortsMeant)
{
    const std::string rest = " 00000000:0000 0A 0:0 0:0 0 0 0 7\n";
    EXPECT_EQ(loopback(""), "pass");
    EXPECT_EQ(loopback("0: 0100007F:0019" + rest), "pass");
    EXPECT_EQ(loopback("0: 00000000:0019" + rest), "fail");
    EXPECT_EQ(loopback("0: 00000000:0016" + rest), "pass");
    EXPECT_THAT(ask(kLoopbackOnlyPrimitive, MemoryHost(), {{"port", Names{"25"}}}), ::testing::StartsWith("error"));
}

} // namespace
} // namespace hostward::hardening
