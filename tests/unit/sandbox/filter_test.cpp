// SPDX-License-Identifier: Apache-2.0
#include "agent/sandbox/filter.h"

#include "agent/sandbox/capabilities.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace hostward::sandbox {

namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

/// What the filter does with a call whatever its arguments are; none: that depends on them, or the table ends.
std::optional<Action> plain_action(const Filter& filter, std::string_view call)
{
    for (const auto& group : filter.groups) {
        for (const auto& rule : group.rules) {
            if (rule.syscall == call && !rule.when) {
                return rule.action;
            }
        }
    }
    return std::nullopt;
}

bool is_possible(const Filter& filter, std::string_view call)
{
    bool is_named = false;
    for (const auto& group : filter.groups) {
        for (const auto& rule : group.rules) {
            if (rule.syscall == call && rule.action == Action::Allow) {
                return true;
            }
            is_named = is_named || (rule.syscall == call && !rule.when);
        }
    }
    return !is_named && filter.otherwise == Action::Allow;
}

TEST(Filter, EveryProgramHasItsOwnName)
{
    std::set<std::string_view> names;
    for (const auto program : kPrograms) {
        EXPECT_TRUE(names.insert(name_of(program)).second) << name_of(program);
    }
}

TEST(Filter, EveryGroupExistsAndSaysWhy)
{
    for (const auto program : kPrograms) {
        for (const auto& group : filter_of(program).groups) {
            EXPECT_THAT(group.name, Not(IsEmpty())) << name_of(program) << " has a group that is not in the table";
            EXPECT_THAT(group.reason, Not(IsEmpty())) << group.name;
            EXPECT_FALSE(group.rules.empty()) << group.name;
        }
    }
}

/// libseccomp takes one of them, and which one is not for the reader to guess.
TEST(Filter, NoCallIsBothPlainAndByItsArguments)
{
    for (const auto program : kPrograms) {
        const Filter filter = filter_of(program);
        for (const auto& group : filter.groups) {
            for (const auto& rule : group.rules) {
                EXPECT_FALSE(rule.when && plain_action(filter, rule.syscall))
                    << rule.syscall << " in " << name_of(program);
            }
        }
    }
}

TEST(Filter, NobodyMayWhatNobodyNeeds)
{
    for (const auto program : kPrograms) {
        const Filter filter = filter_of(program);
        for (const auto* call : {"ptrace", "process_vm_writev", "init_module", "finit_module", "kexec_load", "mount",
                                 "setns", "keyctl", "io_uring_setup", "userfaultfd", "open_by_handle_at",
                                 "perf_event_open", "pivot_root", "reboot", "settimeofday", "personality"}) {
            EXPECT_FALSE(is_possible(filter, call)) << call << " in " << name_of(program);
        }
    }
}

TEST(Filter, OnlyACheckStartsPrograms)
{
    for (const auto program : kPrograms) {
        const bool is_check = program == Program::Check || program == Program::ReportCollect;
        EXPECT_EQ(is_possible(filter_of(program), "execve"), is_check) << name_of(program);
        EXPECT_EQ(is_possible(filter_of(program), "execveat"), is_check) << name_of(program);
    }
}

TEST(Filter, OnlyTheDoctorMakesANamespace)
{
    for (const auto program : kPrograms) {
        EXPECT_EQ(is_possible(filter_of(program), "unshare"), program == Program::GuardDoctor) << name_of(program);
    }
}

TEST(Filter, WhoTalksToTheInternetCannotTouchBpf)
{
    for (const auto program : {Program::Report, Program::Verify, Program::Config}) {
        EXPECT_FALSE(is_possible(filter_of(program), "bpf")) << name_of(program);
    }
}

TEST(Capabilities, AReportHasNone) { EXPECT_THAT(kept_capabilities(Program::Report, Output::Own), IsEmpty()); }

TEST(Capabilities, FilesOfOthersAreWrittenWhereTheCommandLineSaysSo)
{
    EXPECT_THAT(kept_capabilities(Program::Check, Output::Named), Contains("cap_dac_override"));
    EXPECT_THAT(kept_capabilities(Program::Check, Output::Own), Not(Contains("cap_dac_override")));
}

TEST(Capabilities, NobodyMayChangeUsersButWhoStepsDown)
{
    for (const auto program : kPrograms) {
        const auto kept = kept_capabilities(program, Output::Named);
        EXPECT_EQ(std::ranges::find(kept, "cap_setuid") != kept.end(), program == Program::ReportCollect)
            << name_of(program);
        EXPECT_THAT(kept, Not(Contains("cap_sys_module")));
        EXPECT_THAT(kept, Not(Contains("cap_setpcap")));
    }
}

} // namespace

} // namespace hostward::sandbox
