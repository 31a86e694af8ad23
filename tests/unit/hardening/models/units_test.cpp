// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/units.h"

#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr auto kInstall = "[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n";
constexpr auto kPlain = "[Service]\nExecStart=/bin/true\n";

std::string path(const std::string& name) { return "/usr/lib/systemd/system/" + name; }
std::string etc(const std::string& name) { return "/etc/systemd/system/" + name; }

std::string state_of(const MemoryHost& host, const std::string& name)
{
    Facts facts(host, 0);
    const auto& units = facts.get<Units>();
    if (!units) {
        return "error: " + units.error().text;
    }
    const auto state = units->state(facts, name);
    return state ? std::string(name_of(*state)) : "error: " + state.error().text;
}

std::vector<std::string> activated_by(const MemoryHost& host, const std::string& name)
{
    Facts facts(host, 0);
    const auto found = facts.get<Units>()->activated_by(facts, name);
    return found ? *found : std::vector<std::string>{found.error().text};
}

MemoryHost installed(const std::string& text)
{
    MemoryHost host;
    host.file(path("a.service"), text);
    return host;
}

TEST(UnitState, OfOneUnit)
{
    EXPECT_EQ(state_of(MemoryHost(), "a.service"), "not-found");
    EXPECT_EQ(state_of(installed(kInstall), "a.service"), "disabled");
    EXPECT_EQ(state_of(installed(kPlain), "a.service"), "static");
    EXPECT_EQ(state_of(installed("[Install]\nAlso=b.socket\n"), "a.service"), "indirect");
    EXPECT_EQ(state_of(installed("[Install]\nWantedBy=x\nWantedBy=\n"), "a.service"), "static");
    EXPECT_EQ(state_of(installed("# [Install]\n;WantedBy=x\n[Install]\n#WantedBy=x\n"), "a.service"), "static");
    EXPECT_EQ(state_of(installed("nonsense\n[[[\n=\n\\"), "a.service"), "static");
}

TEST(UnitState, EnabledByALinkWhereverItIs)
{
    auto host = installed(kInstall);
    host.link(etc("multi-user.target.wants/a.service"), path("a.service"));
    EXPECT_EQ(state_of(host, "a.service"), "enabled");
    auto runtime = installed(kInstall);
    runtime.link("/run/systemd/system/x.target.requires/a.service", path("a.service"));
    EXPECT_EQ(state_of(runtime, "a.service"), "enabled-runtime");
    auto vendor = installed(kInstall);
    vendor.link(path("x.target.wants/a.service"), "../a.service");
    EXPECT_EQ(state_of(vendor, "a.service"), "disabled"); // started all the same: pulled_by() tells
    Facts facts(vendor, 0);
    EXPECT_THAT(facts.get<Units>()->pulled_by("a.service"), ElementsAre(path("x.target.wants/a.service")));
}

TEST(UnitState, Masked)
{
    auto host = installed(kInstall);
    host.link(etc("a.service"), "/dev/null");
    EXPECT_EQ(state_of(host, "a.service"), "masked");
    auto runtime = installed(kInstall);
    runtime.link("/run/systemd/system/a.service", "/dev/null");
    EXPECT_EQ(state_of(runtime, "a.service"), "masked-runtime");
    auto empty = installed(kInstall);
    empty.file(etc("a.service"), "");
    EXPECT_EQ(state_of(empty, "a.service"), "masked");
}

TEST(UnitState, OtherNames)
{
    auto host = installed(kInstall);
    host.link(etc("b.service"), path("a.service"));
    EXPECT_EQ(state_of(host, "b.service"), "alias");
    EXPECT_EQ(state_of(host, "a.service"), "indirect");
    auto known = installed(std::string(kInstall) + "Alias=b.service\n");
    known.link(etc("b.service"), path("a.service"));
    EXPECT_EQ(state_of(known, "a.service"), "enabled");
    MemoryHost linked;
    linked.file("/opt/a.service", kInstall).link(etc("a.service"), "/opt/a.service");
    EXPECT_EQ(state_of(linked, "a.service"), "linked");
}

TEST(UnitState, ByPlace)
{
    MemoryHost host;
    host.file("/run/systemd/generator/g.service", kPlain).file("/run/systemd/transient/t.service", kPlain);
    EXPECT_EQ(state_of(host, "g.service"), "generated");
    EXPECT_EQ(state_of(host, "t.service"), "transient");
}

TEST(UnitState, TemplatesAndInstances)
{
    MemoryHost host;
    host.file(path("t@.service"), kInstall).link(etc("multi-user.target.wants/t@one.service"), path("t@.service"));
    EXPECT_EQ(state_of(host, "t@one.service"), "enabled");
    EXPECT_EQ(state_of(host, "t@two.service"), "disabled");
    EXPECT_EQ(state_of(host, "t@.service"), "indirect"); // one of its instances is enabled
}

TEST(UnitState, DropInsCount)
{
    auto host = installed(kPlain);
    host.file(etc("a.service.d/x.conf"), "[Install]\nWantedBy=y.target\n");
    EXPECT_EQ(state_of(host, "a.service"), "disabled");
    host.link(etc("a.service.d/x.conf"), "/dev/null");
    EXPECT_EQ(state_of(host, "a.service"), "static");
}

TEST(UnitState, WhatCannotBeReadIsAnError)
{
    auto host = installed(kInstall);
    host.broken(path("a.service"), Error{ErrorKind::System, EIO, "disk"});
    EXPECT_EQ(state_of(host, "a.service"), "error: disk");
    MemoryHost circle;
    circle.link(etc("a.service"), "b.service").link(etc("b.service"), "a.service");
    EXPECT_THAT(state_of(circle, "a.service"), ::testing::HasSubstr("error"));
    MemoryHost folder;
    folder.directory("/etc/systemd/system").broken("/etc/systemd/system", Error{ErrorKind::Denied, EACCES, "no"});
    EXPECT_EQ(state_of(folder, "a.service"), "error: no");
}

TEST(UnitActivation, ADisabledServiceBehindASocketIsReachable)
{
    auto host = installed(kInstall);
    host.file(path("a.socket"), "[Socket]\nListenStream=1\n[Install]\nWantedBy=sockets.target\n");
    EXPECT_THAT(activated_by(host, "a.service"), IsEmpty());
    host.link(etc("sockets.target.wants/a.socket"), path("a.socket"));
    EXPECT_EQ(state_of(host, "a.service"), "disabled");
    EXPECT_THAT(activated_by(host, "a.service"), ElementsAre("a.socket"));
    host.link(etc("a.socket"), "/dev/null");
    EXPECT_THAT(activated_by(host, "a.service"), IsEmpty());
}

TEST(UnitActivation, OtherNamesTimersAndPaths)
{
    auto host = installed(kInstall);
    host.file(path("x.socket"), "[Socket]\nService=a.service\n")
        .link(path("sockets.target.wants/x.socket"), "../x.socket");
    host.file(path("y.timer"), "[Timer]\nUnit=a.service\n").link(etc("timers.target.wants/y.timer"), path("y.timer"));
    host.file(path("a.path"), "[Path]\nPathExists=/x\n").link(etc("z.target.requires/a.path"), path("a.path"));
    host.file(path("other.timer"), "[Timer]\n").link(etc("timers.target.wants/other.timer"), path("other.timer"));
    EXPECT_THAT(activated_by(host, "a.service"), ElementsAre("x.socket", "y.timer", "a.path"));
}

TEST(RunningUnits, TheTable)
{
    const auto all =
        parse_list_units("a.service loaded active running Some words\n\nb.service not-found inactive dead b\nx\n");
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all.at("a.service").active, "active");
    EXPECT_EQ(all.at("b.service").load, "not-found");
}

TEST(RunningUnits, NoAnswerIsAnError)
{
    MemoryHost image;
    image.image();
    Facts facts(image, 0);
    EXPECT_EQ(facts.get<RunningUnits>().error().kind, ErrorKind::Unsupported);
    MemoryHost other;
    Facts no_systemd(other, 0);
    EXPECT_EQ(no_systemd.get<RunningUnits>().error().kind, ErrorKind::Unsupported);
    MemoryHost failing;
    failing.directory("/run/systemd/system");
    failing.program({"/usr/bin/systemctl", "list-units", "--all", "--full", "--plain", "--no-legend", "--no-pager"},
                    {1, "", "Failed to connect to bus"});
    Facts fails(failing, 0);
    EXPECT_THAT(fails.get<RunningUnits>().error().text, ::testing::HasSubstr("connect to bus"));
}

} // namespace
} // namespace hostward::hardening
