// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/ini.h"

#include "hardening/models/systemd_config.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNull;
using ::testing::NotNull;

std::string value(std::string_view text, std::string_view key, std::string_view section = "Journal")
{
    Ini ini;
    parse_systemd_ini(text, "f", ini);
    const auto* entry = ini.find(section, key);
    return entry == nullptr ? "unset" : entry->value + "@" + std::to_string(entry->where.line);
}

TEST(SystemdIni, Lines)
{
    EXPECT_EQ(value("", "Storage"), "unset");
    EXPECT_EQ(value("Storage=x\n", "Storage"), "unset"); // outside of a section
    EXPECT_EQ(value("[Journal]\n#Storage=x\n;Storage=y\n", "Storage"), "unset");
    EXPECT_EQ(value("[Journal]\nStorage = a \n Storage=b\r\n", "Storage"), "b@3");
    EXPECT_EQ(value("[Journal]\nStorage=a\nStorage=\n", "Storage"), "unset");
    EXPECT_EQ(value("[Journal]\nstorage=a\n", "Storage"), "unset");
    EXPECT_EQ(value("[Other]\nStorage=a\n", "Storage"), "unset");
    EXPECT_EQ(value("[Journal]\nStorage=a # b\n", "Storage"), "a # b@2"); // no comments after values
    EXPECT_EQ(value("[Journal]\nStorage=a\\\n# between\nb\n", "Storage"), "a b@2");
    EXPECT_EQ(value("[Journal]\nStorage=a\\\\\nX=b\n", "X"), "b@3");
    EXPECT_EQ(value("[Journal]\nStorage\n", "Storage"), "unset");
    EXPECT_EQ(value("[Journal]\nStorage=a\\", "Storage"), "a@2");
}

TEST(SystemdIni, ABrokenHeaderStopsEverything)
{
    Ini ini;
    parse_systemd_ini("[Journal]\nA=1\n[Journal\nA=2\n", "f", ini);
    parse_systemd_ini("[Journal]\nA=3\n", "g", ini);
    EXPECT_EQ(ini.find("Journal", "A")->value, "1");
    ASSERT_TRUE(ini.stops_at);
    EXPECT_EQ(ini.stops_at->text(), "f:3");
}

TEST(SystemdIni, ListsAreResetByNothing)
{
    Ini ini;
    parse_systemd_ini("[Time]\nNTP=a\nNTP=\nNTP=b c\nNTP=d\n", "f", ini);
    std::vector<std::string> values;
    for (const auto* entry : ini.list("Time", "NTP")) {
        values.push_back(entry->value);
    }
    EXPECT_THAT(values, ElementsAre("b c", "d"));
}

TEST(KeyFile, AsGLibReadsThem)
{
    const auto ini = parse_key_file("# c\n[xdmcp]\nEnable = true\n[xdmcp]\nEnable=false\n[security]\n;x=1\n", "f");
    EXPECT_EQ(ini.find("xdmcp", "Enable")->value, "false");
    EXPECT_FALSE(ini.stops_at);
    EXPECT_TRUE(parse_key_file("Enable=true\n", "f").stops_at);
    EXPECT_TRUE(parse_key_file("[a]\nword\n", "f").stops_at);
    EXPECT_THAT(parse_key_file("", "f").find("a", "b"), IsNull());
}

TEST(SystemdConfig, DropInsFollowTheMainFile)
{
    host::MemoryHost host;
    host.file("/etc/systemd/journald.conf", "[Journal]\nStorage=auto\n");
    host.file("/usr/lib/systemd/journald.conf", "[Journal]\nStorage=none\n");
    host.file("/usr/lib/systemd/journald.conf.d/20.conf", "[Journal]\nStorage=persistent\n");
    host.file("/etc/systemd/journald.conf.d/10.conf", "[Journal]\nStorage=volatile\n");
    auto config = read_systemd_config(host, "journald");
    ASSERT_TRUE(config.ok());
    EXPECT_THAT(config->files, ElementsAre("/etc/systemd/journald.conf", "/etc/systemd/journald.conf.d/10.conf",
                                           "/usr/lib/systemd/journald.conf.d/20.conf"));
    ASSERT_THAT(config->ini.find("Journal", "Storage"), NotNull());
    EXPECT_EQ(config->ini.find("Journal", "Storage")->where.text(), "/usr/lib/systemd/journald.conf.d/20.conf:2");
    host.link("/etc/systemd/journald.conf.d/20.conf", "/dev/null");
    EXPECT_EQ(read_systemd_config(host, "journald")->ini.find("Journal", "Storage")->value, "volatile");
    host.broken("/etc/systemd/journald.conf", Error{ErrorKind::System, 5, "disk"});
    EXPECT_FALSE(read_systemd_config(host, "journald").ok());
}

} // namespace
} // namespace hostward::hardening
