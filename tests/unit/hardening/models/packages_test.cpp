// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/packages.h"

#include "hardening/models/dpkg.h"
#include "hardening/models/facts.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;

constexpr auto kStatus = "/var/lib/dpkg/status";

std::string stanza(const std::string& name, const std::string& status, const std::string& architecture = "amd64")
{
    return "Package: " + name + "\nStatus: " + status + "\nArchitecture: " + architecture + "\nVersion: 1.0\n\n";
}

/// The state of `name`, "-" where it is not known.
std::string state_of(const MemoryHost& host, const std::string& name)
{
    Facts facts(host, 0);
    const auto& packages = facts.get<Packages>();
    if (!packages) {
        return "error: " + packages.error().text;
    }
    std::string text;
    for (auto [at, last] = packages->all.equal_range(name); at != last; ++at) {
        constexpr std::array kNames{"installed", "partial", "config-files"};
        text += (text.empty() ? "" : " ") + std::string(kNames.at(static_cast<std::size_t>(at->second.state)));
    }
    return text.empty() ? "-" : text;
}

TEST(Dpkg, TheThirdWordDecidesWhateverTheFirst)
{
    struct Row {
        const char* status;
        const char* expected;
    };
    for (const auto& row : {
             Row{"install ok installed", "installed"},
             Row{"hold ok installed", "installed"}, // apt-mark hold
             Row{"deinstall ok installed", "installed"},
             Row{"purge ok installed", "installed"},
             Row{"unknown ok installed", "installed"},
             Row{"install reinstreq installed", "installed"},
             Row{"install ok triggers-pending", "installed"},
             Row{"install ok triggers-awaited", "installed"},
             Row{"install ok unpacked", "partial"},
             Row{"install ok half-configured", "partial"},
             Row{"install reinstreq half-installed", "partial"},
             Row{"deinstall ok config-files", "config-files"},
             Row{"unknown ok not-installed", "-"},
             Row{"INSTALL OK Installed", "installed"},
         }) {
        MemoryHost host;
        host.file(kStatus, stanza("rpcbind", row.status));
        EXPECT_EQ(state_of(host, "rpcbind"), row.expected) << row.status;
    }
}

TEST(Dpkg, AnotherStatusIsAnErrorWithItsLine)
{
    for (const auto* status : {"install ok", "", "install ok installed extra", "install ok gone"}) {
        MemoryHost host;
        host.file(kStatus, stanza("a", "install ok installed") + stanza("rpcbind", status));
        EXPECT_THAT(state_of(host, "rpcbind"), ::testing::HasSubstr("/status:6")) << status;
    }
}

TEST(Dpkg, NoDatabaseIsNotNoPackage)
{
    const MemoryHost host;
    Facts facts(host, 0);
    ASSERT_FALSE(facts.get<Packages>());
    EXPECT_EQ(facts.get<Packages>().error().kind, ErrorKind::NotFound);
    MemoryHost empty;
    empty.file(kStatus, "");
    EXPECT_EQ(state_of(empty, "rpcbind"), "-");
}

TEST(Dpkg, AnUnreadableDatabaseIsAnError)
{
    MemoryHost host;
    host.file(kStatus, stanza("a", "install ok installed"));
    host.broken(kStatus, Error{ErrorKind::System, EIO, "disk"});
    EXPECT_EQ(state_of(host, "a"), "error: disk");
    MemoryHost updates;
    updates.file(kStatus, stanza("a", "install ok installed"));
    updates.broken("/var/lib/dpkg/updates", Error{ErrorKind::Denied, EACCES, "no"});
    EXPECT_EQ(state_of(updates, "a"), "error: no");
}

TEST(Dpkg, MalformedTextIsAnError)
{
    EXPECT_FALSE(parse_dpkg("Package: a\nnonsense\n", "f"));
    EXPECT_FALSE(parse_dpkg(" continued\n", "f"));
    EXPECT_FALSE(parse_dpkg("Status: install ok installed\n\n", "f")); // whose?
    EXPECT_FALSE(parse_dpkg(": x\n", "f"));
    EXPECT_TRUE(parse_dpkg("", "f")->empty());
    EXPECT_TRUE(parse_dpkg("\n\n \n", "f")->empty());
}

TEST(Dpkg, FieldsOfTheDescriptionAreNoFields)
{
    const auto found =
        parse_dpkg("package: A\nDescription: x\n Package: b\n .\n Status: install ok installed\nVersion: 2", "f");
    ASSERT_TRUE(found);
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().name, "a");
    EXPECT_EQ(found->front().version, "2");
    EXPECT_EQ(found->front().status, "");
}

TEST(Dpkg, ArchitecturesAreDifferentPackagesALaterParagraphReplaces)
{
    MemoryHost host;
    host.file(kStatus, stanza("libc6", "install ok installed", "amd64\nMulti-Arch: same") +
                           stanza("libc6", "deinstall ok config-files", "i386\nMulti-Arch: same") +
                           stanza("b", "install ok installed") + stanza("b", "deinstall ok config-files") +
                           stanza("c", "install ok installed", "amd64") + stanza("c", "install ok unpacked", "all"));
    EXPECT_EQ(state_of(host, "libc6"), "installed config-files");
    EXPECT_EQ(state_of(host, "b"), "config-files");
    EXPECT_EQ(state_of(host, "c"), "partial");
}

TEST(Dpkg, WhatIsNotMergedYetCounts)
{
    MemoryHost host;
    host.file(kStatus, stanza("rsh-client", "install ok installed"));
    host.file("/var/lib/dpkg/updates/0001", stanza("telnet", "install ok installed"));
    host.file("/var/lib/dpkg/updates/0002", stanza("rsh-client", "purge ok not-installed"));
    host.file("/var/lib/dpkg/updates/tmp.i", "half a parag");
    EXPECT_EQ(state_of(host, "telnet"), "installed");
    EXPECT_EQ(state_of(host, "rsh-client"), "-");
}

TEST(Dpkg, StatusFolderOfAnImageWithoutDpkg)
{
    MemoryHost host;
    host.file("/var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12\nArchitecture: amd64\n");
    host.file("/var/lib/dpkg/status.d/base.md5sums", "d41d8cd98f00b204e9800998ecf8427e  etc/x\n");
    EXPECT_EQ(state_of(host, "base-files"), "installed");
    EXPECT_EQ(state_of(host, "rpcbind"), "-");
}

/// -1, 0 or 1.
int sign(int value) { return (value > 0 ? 1 : 0) - (value < 0 ? 1 : 0); }

struct Order {
    const char* left;
    const char* right;
    int expected;
};

TEST(Versions, AsDpkg)
{
    for (const auto& row : {
             Order{"1.0", "1.0", 0},
             Order{"1.0", "1.00", 0},
             Order{"1.9", "1.10", -1},
             Order{"1:0.1", "9", 1},
             Order{"0:1", "1", 0},
             Order{"1.0~rc1", "1.0", -1},
             Order{"1.0~~", "1.0~", -1},
             Order{"1.0-1", "1.0", 1},
             Order{"1.0-1ubuntu1", "1.0-1", 1},
             Order{"1.0a", "1.0+", -1},
             Order{"", "", 0},
             Order{"1.5.2-6+deb12u1", "1.5.2-6", 1},
             Order{"99999999999999999999999", "99999999999999999999998", 1},
         }) {
        EXPECT_EQ(sign(compare_dpkg(row.left, row.right)), row.expected) << row.left << " " << row.right;
        EXPECT_EQ(sign(compare_dpkg(row.right, row.left)), -row.expected) << row.left << " " << row.right;
    }
}

TEST(Versions, AsRpm)
{
    for (const auto& row : {
             Order{"1.0", "1.0", 0},
             Order{"1.0", "1.0-7", 0},
             Order{"1.0-2", "1.0-10", -1},
             Order{"2:1", "1", 1},
             Order{"1.0~rc1", "1.0", -1},
             Order{"1.0^git1", "1.0", 1},
             Order{"1.0^git1", "1.0.1", -1},
             Order{"1.0a", "1.0.1", -1},
             Order{"1_0", "1.0", 0},
             Order{"5.5p1", "5.5p10", -1},
             Order{"xyz", "8", -1},
             Order{"10xyz", "10.1xyz", -1},
             Order{"6.0.rc1", "6.0", 1},
             Order{"1.0~rc1^git1", "1.0~rc1", 1},
             Order{"1.0^", "1.0~", 1},
             Order{"a", "a.", 0},
         }) {
        EXPECT_EQ(sign(compare_rpm(row.left, row.right)), row.expected) << row.left << " " << row.right;
        EXPECT_EQ(sign(compare_rpm(row.right, row.left)), -row.expected) << row.left << " " << row.right;
    }
}

} // namespace
} // namespace hostward::hardening
