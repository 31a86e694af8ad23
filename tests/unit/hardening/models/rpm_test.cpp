// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/rpm.h"

#include "hardening/models/facts.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;

std::string big(std::uint32_t value)
{
    std::string out;
    for (unsigned shift : {24U, 16U, 8U, 0U}) {
        out += static_cast<char>(value >> shift & 0xffU);
    }
    return out;
}

std::string little(std::uint32_t value)
{
    const std::string text = big(value);
    return {text.rbegin(), text.rend()};
}

struct Entry {
    std::uint32_t tag;
    std::uint32_t type;
    std::string data;
};

std::string header(const std::vector<Entry>& entries)
{
    std::string index;
    std::string data;
    for (const auto& entry : entries) {
        index += big(entry.tag) + big(entry.type) + big(static_cast<std::uint32_t>(data.size())) + big(1);
        data += entry.data;
    }
    return big(static_cast<std::uint32_t>(entries.size())) + big(static_cast<std::uint32_t>(data.size())) + index +
           data;
}

std::string text(const std::string& value) { return value + '\0'; }

std::string whole()
{
    return header({{63, 7, std::string(16, '\0')},
                   {1003, 4, big(2)},
                   {1000, 6, text("telnet")},
                   {1001, 6, text("0.17")},
                   {1002, 6, text("85.el9")},
                   {1022, 6, text("x86_64")}});
}

TEST(RpmHeader, NameVersionArchitecture)
{
    const auto package = parse_rpm_header(whole());
    ASSERT_TRUE(package) << package.error().text;
    EXPECT_EQ(package->name, "telnet");
    EXPECT_EQ(package->version, "2:0.17-85.el9");
    EXPECT_EQ(package->architecture, "x86_64");
    EXPECT_EQ(package->manager, PackageManager::Rpm);
}

TEST(RpmHeader, EveryCutIsAnError)
{
    const std::string good = whole();
    for (std::size_t size = 0; size < good.size(); ++size) {
        EXPECT_FALSE(parse_rpm_header(std::string_view(good).substr(0, size))) << size;
    }
    EXPECT_FALSE(parse_rpm_header(good + "x"));
}

TEST(RpmHeader, NumbersThatLieAreErrors)
{
    EXPECT_FALSE(parse_rpm_header(big(0xffffffff) + big(0xffffffff)));
    EXPECT_FALSE(parse_rpm_header(big(0x10000) + big(0)));
    EXPECT_FALSE(parse_rpm_header(header({{1000, 6, "unterminated"}})));
    EXPECT_FALSE(parse_rpm_header(header({{1000, 4, big(1)}, {1001, 6, text("1")}}))); // a name that is a number
    EXPECT_FALSE(parse_rpm_header(header({{1001, 6, text("1")}})));                    // no name
    std::string away = header({{1000, 6, text("a")}, {1001, 6, text("1")}});
    away.replace(8 + 8, 4, big(0xfffffff0)); // an offset before the data
    EXPECT_FALSE(parse_rpm_header(away));
}

/// One page of slots, then one blob.
std::string ndb(const std::string& blob)
{
    std::string page = "RpmP" + little(0) + little(1) + little(1) + little(2) + std::string(12, '\0');
    page += "Slot" + little(1) + little(256) + little(4);
    while (page.size() < 4096) {
        page += "Slot" + std::string(12, '\0');
    }
    return page + "BlbS" + little(1) + little(1) + little(static_cast<std::uint32_t>(blob.size())) + blob;
}

TEST(Ndb, BlobsOfUsedSlots)
{
    const std::string database = ndb("blob");
    const auto blobs = parse_ndb(database);
    ASSERT_TRUE(blobs) << blobs.error().text;
    EXPECT_THAT(*blobs, ::testing::ElementsAre("blob"));
}

TEST(Ndb, BrokenOnesAreErrors)
{
    const std::string good = ndb("blob");
    EXPECT_FALSE(parse_ndb(""));
    EXPECT_FALSE(parse_ndb(good.substr(0, good.size() - 1)));
    EXPECT_FALSE(parse_ndb(good.substr(0, 4096)));
    for (const std::size_t at : {0U, 4U, 12U, 32U, 36U, 40U, 4096U, 4100U, 4111U}) {
        std::string bad = good;
        bad[at] = static_cast<char>(bad[at] ^ 0x7f);
        EXPECT_FALSE(parse_ndb(bad)) << at;
    }
}

std::string packages_of(const MemoryHost& host)
{
    Facts facts(host, 0);
    const auto& packages = facts.get<Packages>();
    if (!packages) {
        return packages.error().text;
    }
    std::string names;
    for (const auto& [name, package] : packages->all) {
        names += name + "=" + package.version + "@" + package.origin.text() + " ";
    }
    return names;
}

TEST(Rpm, EitherFolder)
{
    for (const std::string folder : {"/var/lib/rpm", "/usr/lib/sysimage/rpm"}) {
        MemoryHost host;
        host.file(folder + "/Packages.db", ndb(whole()));
        EXPECT_EQ(packages_of(host), "telnet=2:0.17-85.el9@" + folder + "/Packages.db ");
    }
    MemoryHost linked;
    linked.file("/usr/lib/sysimage/rpm/Packages.db", ndb(whole())).link("/var/lib/rpm", "../../usr/lib/sysimage/rpm");
    EXPECT_EQ(packages_of(linked), "telnet=2:0.17-85.el9@/usr/lib/sysimage/rpm/Packages.db ");
}

TEST(Rpm, ABerkeleyDatabaseCannotBeTold)
{
    MemoryHost host;
    host.file("/var/lib/rpm/Packages", "whatever");
    EXPECT_THAT(packages_of(host), ::testing::HasSubstr("Berkeley DB"));
}

TEST(Rpm, ABrokenDatabaseIsAnError)
{
    MemoryHost host;
    host.file("/var/lib/rpm/Packages.db", "RpmP");
    EXPECT_THAT(packages_of(host), ::testing::HasSubstr("ndb"));
    MemoryHost header_broken;
    header_broken.file("/var/lib/rpm/Packages.db", ndb("blob"));
    EXPECT_THAT(packages_of(header_broken), ::testing::HasSubstr("too short"));
}

} // namespace
} // namespace hostward::hardening
