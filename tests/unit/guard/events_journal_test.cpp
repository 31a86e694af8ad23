// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/events_journal.h"

#include <gtest/gtest.h>

namespace hostward::guard {
namespace {

bool has(const std::string& entry, const std::string& field)
{
    return ("\n" + entry).find("\n" + field + "\n") != std::string::npos;
}

TEST(EventsJournal, TheLineItselfIsTheMessage)
{
    const std::string line = R"({"decision":"deny","user":"curious"})";
    const std::string entry = journal_entry(line);
    EXPECT_TRUE(entry.starts_with("MESSAGE=" + line + "\n")) << entry;
    EXPECT_TRUE(has(entry, "HOSTWARD_USER=curious")) << entry;
}

TEST(EventsJournal, FieldsAreWhatIsKnown)
{
    const std::string entry = journal_entry(R"({"time":"x","first":"y","last":"z","count":18446744073709551615,)"
                                            R"("rule":null,"imds_version":"2","container":false})");
    EXPECT_TRUE(has(entry, "HOSTWARD_COUNT=18446744073709551615")) << entry;
    EXPECT_TRUE(has(entry, "HOSTWARD_IMDS_VERSION=2")) << entry;
    EXPECT_TRUE(has(entry, "HOSTWARD_CONTAINER=false")) << entry;
    for (const char* name : {"HOSTWARD_RULE", "HOSTWARD_TIME", "HOSTWARD_FIRST", "HOSTWARD_LAST"}) {
        EXPECT_EQ(entry.find(name), std::string::npos) << entry;
    }
}

TEST(EventsJournal, ARefusalStandsOut)
{
    EXPECT_TRUE(has(journal_entry(R"({"decision":"deny"})"), "PRIORITY=4"));
    EXPECT_TRUE(has(journal_entry(R"({"decision":"would-deny"})"), "PRIORITY=5"));
    EXPECT_TRUE(has(journal_entry(R"({"decision":"allow"})"), "PRIORITY=6"));
}

TEST(EventsJournal, TheRefusedUnitIsTheObjectUnderItsRealName)
{
    const std::string unit = R"("unit":"a@dev-disk\\\\x2did.service"})";
    const std::string object = "OBJECT_SYSTEMD_UNIT=a@dev-disk\\x2did.service";
    EXPECT_TRUE(has(journal_entry(R"({"decision":"deny",)" + unit), object));
    EXPECT_TRUE(has(journal_entry(R"({"decision":"would-deny",)" + unit), object));
    EXPECT_EQ(journal_entry(R"({"decision":"allow",)" + unit).find("OBJECT_"), std::string::npos);
    EXPECT_EQ(journal_entry(R"({"decision":"deny","unit":null})").find("OBJECT_"), std::string::npos);
}

TEST(EventsJournal, NoValueCanPretendToBeAField)
{
    const std::string entry = journal_entry(R"({"decision":"allow","exe":"/x\nPRIORITY=0"})");
    const std::string expected = std::string("HOSTWARD_EXE\n") + '\x0d' + std::string(7, '\0') + "/x\nPRIORITY=0\n";
    EXPECT_NE(entry.find(expected), std::string::npos) << entry;
}

TEST(EventsJournal, WhatIsNoEventIsStillAMessage)
{
    for (const std::string line : {"", "no JSON", "[1]", "7"}) {
        const std::string entry = journal_entry(line);
        EXPECT_TRUE(entry.starts_with("MESSAGE=" + line + "\nMESSAGE_ID=")) << entry;
        EXPECT_EQ(entry.find("HOSTWARD_"), std::string::npos) << entry;
    }
}

} // namespace
} // namespace hostward::guard
