// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/lines.h"

#include "hardening/models/facts.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;

TEST(Lines, LastLineNeedsNoEnd)
{
    std::vector<std::string> seen;
    for_each_line("a\n\nb", [&](std::string_view line, std::uint32_t number) {
        seen.push_back(std::to_string(number) + std::string(line));
    });
    EXPECT_THAT(seen, ElementsAre("1a", "2", "3b"));
}

TEST(Lines, WordsAreBetweenRunsOfBlanks)
{
    EXPECT_THAT(words(" a \t b\r"), ElementsAre("a", "b"));
    EXPECT_TRUE(words(" \t").empty());
    EXPECT_EQ(trimmed("\t x y \r"), "x y");
    EXPECT_EQ(lower("PermitRootLOGIN-É"), "permitrootlogin-É");
}

struct Counted {
    static Result<Counted> read(Facts& facts)
    {
        ++reads;
        TRY_ASSIGN(const std::string text, facts.host().read("/etc/x"));
        return Counted{text};
    }
    std::string text;
    static int reads;
};
int Counted::reads = 0;

TEST(Facts, AModelIsReadOnceAlsoWhenItFails)
{
    host::MemoryHost host;
    host.broken("/etc/x", Error{ErrorKind::System, 5, "disk"});
    host.directory("/etc");
    Facts facts(host, 0);
    EXPECT_EQ(facts.get<Counted>().error().text, "disk");
    EXPECT_FALSE(facts.get<Counted>().ok());
    EXPECT_EQ(Counted::reads, 1);
}

TEST(MemoryHost, LinksStayInTheRoot)
{
    host::MemoryHost host;
    host.file("/usr/lib/x", "text").link("/lib", "usr/lib").link("/up", "../../../usr/lib/x").link("/loop", "loop");
    EXPECT_EQ(host.read("/lib/x", 100).value(), "text");
    EXPECT_EQ(host.read("/up", 100).value(), "text");
    EXPECT_FALSE(host.read("/loop", 100).ok());
    EXPECT_EQ(host.facts("/lib", host::Links::Keep).value().type, host::FileType::Symlink);
    EXPECT_THAT(host.list("/").value(), ElementsAre("lib", "loop", "up", "usr"));
    EXPECT_EQ(host.read("/usr/lib/x/y", 100).error().kind, ErrorKind::NotFound);
}

} // namespace
} // namespace hostward::hardening
