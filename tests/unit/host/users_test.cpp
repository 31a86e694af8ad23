// SPDX-License-Identifier: Apache-2.0
#include "agent/host/users.h"

#include "tests/unit/host/temp_tree.h"

#include <gtest/gtest.h>

namespace hostward::host {
namespace {

TEST(ParseAccounts, PasswdAndGroup)
{
    const auto users = parse_accounts("root:x:0:0:root:/root:/bin/bash\nalice:x:1000:1000::/home/a:/bin/sh\n", 4);
    EXPECT_EQ(users.id_of.size(), 2U);
    EXPECT_EQ(users.id_of.at("alice"), 1000U);
    EXPECT_EQ(users.name_of.at(0), "root");
    const auto groups = parse_accounts("adm:x:4:syslog,alice\nempty:x:5:\nshort:x:6", 3);
    EXPECT_EQ(groups.id_of.at("adm"), 4U);
    EXPECT_EQ(groups.id_of.at("short"), 6U) << "no newline at the end, no member list";
    EXPECT_EQ(groups.skipped_lines, 0U);
}

TEST(ParseAccounts, FirstLineCounts)
{
    const auto users = parse_accounts("a:x:1:1:::\na:x:2:2:::\nb:x:1:1:::\n", 4);
    EXPECT_EQ(users.id_of.at("a"), 1U);
    EXPECT_EQ(users.id_of.at("b"), 1U);
    EXPECT_EQ(users.name_of.at(1), "a");
    EXPECT_EQ(users.name_of.at(2), "a") << "as getpwuid(3) finds it";
}

TEST(ParseAccounts, CommentsAndBlanksAreNoFault)
{
    const auto users = parse_accounts("# comment\n\n   \n  a:x:1:1:::\n", 4);
    EXPECT_EQ(users.id_of.size(), 1U);
    EXPECT_EQ(users.id_of.at("a"), 1U);
    EXPECT_EQ(users.skipped_lines, 0U);
}

TEST(ParseAccounts, MalformedLinesAreSkippedAndCounted)
{
    const std::string_view text = "no colon\n:x:1:1:::\nshort:x:1\nneg:x:-1:0:::\nword:x:zero:0:::\nplus:x:+1:0:::\n"
                                  "space:x: 1:0:::\nhuge:x:4294967296:0:::\nnobody:x:4294967295:0:::\n+nis::::::\n"
                                  "-gone:x:5:5:::\n+:x:0:0:::\nempty:x::0:::\ngood:x:7:7:::\n";
    const auto users = parse_accounts(text, 4);
    EXPECT_EQ(users.id_of.size(), 1U);
    EXPECT_EQ(users.id_of.at("good"), 7U);
    EXPECT_EQ(users.skipped_lines, 13U);
}

TEST(ParseAccounts, NulIsNoName)
{
    using namespace std::string_view_literals;
    EXPECT_TRUE(parse_accounts("ro\0ot:x:0:0:::\n"sv, 4).id_of.empty());
}

TEST(Users, ReadsBelowARoot)
{
    const TempTree tree;
    tree.write("etc/passwd", "alice:x:1000:1000:::\n");
    tree.write("etc/group", "adm:x:4:\n");
    const auto users = Users::read(tree.root());
    ASSERT_TRUE(users.ok()) << users.error().text;
    EXPECT_EQ(users->user("alice"), 1000U);
    EXPECT_EQ(users->user("adm"), std::nullopt);
    EXPECT_EQ(users->group("adm"), 4U);
    EXPECT_EQ(users->group("alice"), std::nullopt);
}

TEST(Users, LinksStayBelowTheRoot)
{
    const TempTree tree;
    tree.write("usr/lib/passwd", "inside:x:5:5:::\n");
    tree.link("/usr/lib/passwd", "etc/passwd");
    tree.link("../../../../../../../../etc/group", "etc/group");
    const auto users = Users::read(tree.root());
    // The second link leads to itself when the root is a root: never to this machine's file.
    ASSERT_FALSE(users.ok());
    EXPECT_EQ(users.error().error_number, ELOOP);
    tree.remove("etc/group");
    const auto again = Users::read(tree.root());
    ASSERT_TRUE(again.ok()) << again.error().text;
    EXPECT_EQ(again->user("inside"), 5U);
    EXPECT_EQ(again->user("root"), std::nullopt);
}

TEST(Users, MissingFilesHaveNoAccounts)
{
    const TempTree tree;
    const auto users = Users::read(tree.root());
    ASSERT_TRUE(users.ok()) << users.error().text;
    EXPECT_TRUE(users->users.id_of.empty());
}

TEST(Users, WhatCannotBeReadIsAnError)
{
    const TempTree tree;
    tree.directory("etc/passwd");
    EXPECT_FALSE(Users::read(tree.root()).ok());
    EXPECT_FALSE(Users::read(tree.root() + "/none").ok());
}

TEST(Users, ThisMachineHasRoot)
{
    const auto users = Users::read();
    ASSERT_TRUE(users.ok()) << users.error().text;
    EXPECT_EQ(users->user("root"), 0U);
    EXPECT_EQ(users->group("root"), 0U);
}

} // namespace
} // namespace hostward::host
