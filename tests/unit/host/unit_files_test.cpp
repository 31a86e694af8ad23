// SPDX-License-Identifier: Apache-2.0
#include "agent/host/unit_files.h"

#include "tests/unit/host/temp_tree.h"

#include <map>

namespace hostward::host {
namespace {

constexpr auto kName = "guard.service";
constexpr auto kText = "[Unit]\nDefaultDependencies=no\nBefore=a.target b.target\n[Service]\nBefore=no.target\n";

UnitFile look(const TempTree& tree)
{
    const auto unit = unit_file(tree.root(), kName);
    EXPECT_TRUE(unit) << unit.error().text;
    return unit ? *unit : UnitFile{};
}

TEST(UnitFiles, AbsentIsAValue)
{
    const TempTree tree;
    EXPECT_FALSE(look(tree).is_installed);
}

TEST(UnitFiles, InstalledAndEnabled)
{
    const TempTree tree;
    tree.write("usr/lib/systemd/system/guard.service", kText);
    UnitFile unit = look(tree);
    EXPECT_TRUE(unit.is_installed);
    EXPECT_FALSE(unit.is_enabled);
    EXPECT_FALSE(unit.has_default_dependencies);
    EXPECT_EQ(unit.before, (std::vector<std::string>{"a.target", "b.target"}));
    tree.link("/usr/lib/systemd/system/guard.service", "etc/systemd/system/sysinit.target.wants/guard.service");
    unit = look(tree);
    EXPECT_TRUE(unit.is_enabled);
}

TEST(UnitFiles, MaskedByALinkOrAnEmptyFile)
{
    const TempTree tree;
    tree.write("usr/lib/systemd/system/guard.service", kText);
    tree.link("/dev/null", "etc/systemd/system/guard.service");
    EXPECT_TRUE(look(tree).is_masked);
    tree.remove("etc/systemd/system/guard.service");
    EXPECT_FALSE(look(tree).is_masked);
    tree.write("etc/systemd/system/guard.service", "");
    EXPECT_TRUE(look(tree).is_masked);
}

TEST(UnitFiles, DropInsAddAndTakeNothingAway)
{
    const TempTree tree;
    tree.write("usr/lib/systemd/system/guard.service", kText);
    tree.write("etc/systemd/system/guard.service.d/20-add.conf", "[Unit]\nBefore=c.target\n");
    EXPECT_EQ(look(tree).before, (std::vector<std::string>{"a.target", "b.target", "c.target"}));
    tree.write("usr/lib/systemd/system/guard.service.d/10-clear.conf", "[Unit]\nBefore=\nDefaultDependencies=yes\n");
    EXPECT_EQ(look(tree).before, (std::vector<std::string>{"a.target", "b.target", "c.target"}));
    EXPECT_TRUE(look(tree).has_default_dependencies);
    // The same name in a folder that counts more takes its place.
    tree.link("/dev/null", "etc/systemd/system/guard.service.d/10-clear.conf");
    EXPECT_FALSE(look(tree).has_default_dependencies);
    tree.write("etc/systemd/system/guard.service.d/readme.txt", "[Unit]\nBefore=d.target\n");
    EXPECT_EQ(look(tree).before.size(), 3U);
}

TEST(UnitFiles, BooleansAreSystemds)
{
    const TempTree tree;
    for (const auto& [value, expected] : std::map<std::string, bool>{{"Y", true},
                                                                     {"t", true},
                                                                     {"On", true},
                                                                     {"1", true},
                                                                     {"N", false},
                                                                     {"f", false},
                                                                     {"OFF", false},
                                                                     {"0", false}}) {
        tree.write("etc/systemd/system/guard.service",
                   "[Unit]\nDefaultDependencies=" + std::string(expected ? "no" : "yes") +
                       "\nDefaultDependencies=" + value + "\n");
        EXPECT_EQ(look(tree).has_default_dependencies, expected) << value;
    }
    tree.write("etc/systemd/system/guard.service", "[Unit]\nDefaultDependencies=no\nDefaultDependencies=perhaps\n");
    EXPECT_FALSE(look(tree).has_default_dependencies) << "systemd leaves out what is no boolean";
}

TEST(UnitFiles, DropInsOfPrefixesAndOfTheType)
{
    const TempTree tree;
    tree.write("usr/lib/systemd/system/a-b-c.service", "[Unit]\nBefore=own\n");
    const auto before = [&] { return unit_file(tree.root(), "a-b-c.service")->before; };
    tree.write("usr/lib/systemd/system/service.d/40.conf", "[Unit]\nBefore=type\n");
    tree.write("etc/systemd/system/a-.service.d/30.conf", "[Unit]\nBefore=short\n");
    tree.write("usr/lib/systemd/system/a-b-.service.d/20.conf", "[Unit]\nBefore=long\n");
    tree.write("etc/systemd/system/a-b.service.d/10.conf", "[Unit]\nBefore=foreign\n");
    EXPECT_EQ(before(), (std::vector<std::string>{"own", "long", "short", "type"}));
    // Of one name the drop-in for the unit itself counts, then that for the prefix.
    tree.write("usr/lib/systemd/system/a-b-c.service.d/40.conf", "[Unit]\nBefore=mine\n");
    EXPECT_EQ(before(), (std::vector<std::string>{"own", "long", "short", "mine"}));
}

TEST(UnitFiles, SectionsCommentsAndContinuedLines)
{
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    EXPECT_EQ(parse_unit_section(""), Pairs{});
    EXPECT_EQ(parse_unit_section("Before=outside\n[Service]\nBefore=x\n"), Pairs{});
    EXPECT_EQ(parse_unit_section("[Unit]\n# Before=a\n ; Before=b\nBefore = a \\\n# between\n  b\r\nBefore=\n"),
              (Pairs{{"Before", "a  b"}, {"Before", ""}}));
    EXPECT_EQ(parse_unit_section("[Unit]\nnonsense\n=x\n[Unit]\nA=b=c"), (Pairs{{"", "x"}, {"A", "b=c"}}));
    EXPECT_EQ(parse_unit_section("[Unit]\nBefore=a\\"), Pairs{});
}

TEST(UnitFiles, AnUnreadableUnitIsAnError)
{
    const TempTree tree;
    tree.directory("etc/systemd/system/guard.service/x");
    EXPECT_FALSE(unit_file(tree.root(), kName));
}

TEST(UnitFiles, TooLargeIsAnError)
{
    const TempTree tree;
    tree.write("etc/systemd/system/guard.service", std::string(kUnitFileBytesMax + 1, '#'));
    EXPECT_FALSE(unit_file(tree.root(), kName));
}

TEST(UnitFiles, NamesOfAllFolders)
{
    const TempTree tree;
    tree.write("usr/lib/systemd/system/a.service", "");
    tree.write("run/systemd/transient/b.socket", "");
    tree.write("etc/systemd/system/a.service", "");
    tree.write("etc/systemd/system/c.timer", "");
    tree.directory("etc/systemd/system/multi-user.target.wants");
    const auto names = unit_names(tree.root());
    ASSERT_TRUE(names);
    EXPECT_EQ(*names, (std::vector<std::string>{"a.service", "b.socket"}));
}

} // namespace
} // namespace hostward::host
