// SPDX-License-Identifier: Apache-2.0
// passwd, group, shadow and gshadow against the C library's own readers.
#include "hardening/models/accounts.h"
#include "hardening/models/shadow.h"
#include "tests/e2e/models/random.h"

#include <gtest/gtest.h>

#include <gshadow.h>
#include <grp.h>
#include <pwd.h>
#include <shadow.h>

#include <cstdio>
#include <memory>

namespace hostward::hardening {
namespace {

using e2e::Random;

constexpr std::size_t kFiles = 3000;

std::string random_line(Random& random, std::size_t fields)
{
    static const std::vector<std::string> kNames{"root", "a",  "a.b",  "svc$",  "Ab", "",
                                                 "+",    "-x", "+nis", " lead", "#c"};
    static const std::vector<std::string> kFields{"0",          "00",
                                                  "+0",         " 0",
                                                  "-0",         "-1",
                                                  "1000",       "4294967295",
                                                  "4294967296", "99999999999999999999",
                                                  "0x10",       "1 ",
                                                  "",           "x",
                                                  "*",          "!",
                                                  "$6$s$h",     "a,b",
                                                  " a, b,,c",   ",",
                                                  "\t7",        "-18446744073709551615",
                                                  "\v3",        "/bin/sh\r",
                                                  " "};
    std::string line = random.of(kNames);
    const std::size_t count = random.one_in(6) ? random.below(fields + 3) : fields;
    for (std::size_t i = 1; i < count; ++i) {
        const bool is_plain = random.below(3) != 0;
        line += ":" + (is_plain ? std::to_string(random.below(2000)) : random.of(kFields));
    }
    return line;
}

std::string random_file(Random& random, std::size_t fields)
{
    std::string text;
    for (auto lines = random.below(8); lines > 0; --lines) {
        text += random.one_in(12) ? random.of(std::vector<std::string>{"", "#", " \t", "+", "x"})
                                  : random_line(random, fields);
        text += "\n"; // a line without one is read past its end by fmemopen(3) streams
    }
    return text;
}

struct CloseFile {
    void operator()(std::FILE* file) const { (void)std::fclose(file); }
};
std::unique_ptr<std::FILE, CloseFile> stream_of(std::string& text)
{
    // fmemopen refuses an empty buffer.
    return std::unique_ptr<std::FILE, CloseFile>(text.empty() ? std::fopen("/dev/null", "r")
                                                              : ::fmemopen(text.data(), text.size(), "r"));
}

std::string list(char** names)
{
    std::string text;
    for (; names != nullptr && *names != nullptr; ++names) {
        text += std::string(*names) + "|";
    }
    return text;
}
std::string list(const std::vector<std::string>& names)
{
    std::string text;
    for (const auto& name : names) {
        text += name + "|";
    }
    return text;
}
bool is_compat(const char* name) { return name[0] == '+' || name[0] == '-'; }

TEST(DifferentialAccounts, Passwd)
{
    Random random;
    SCOPED_TRACE("HOSTWARD_SEED=" + std::to_string(random.seed()));
    for (std::size_t i = 0; i < e2e::rounds(kFiles); ++i) {
        std::string text = random_file(random, 7);
        std::vector<std::string> truth;
        const auto stream = stream_of(text);
        while (const passwd* entry = ::fgetpwent(stream.get())) {
            if (!is_compat(entry->pw_name)) {
                truth.push_back(std::string(entry->pw_name) + "," + std::to_string(entry->pw_uid) + "," +
                                std::to_string(entry->pw_gid) + "," + entry->pw_gecos + "," + entry->pw_dir + "," +
                                entry->pw_shell);
            }
        }
        std::vector<std::string> ours;
        for (const auto& user : parse_passwd(text, "f").users) {
            ours.push_back(user.name + "," + std::to_string(user.uid) + "," + std::to_string(user.gid) + "," +
                           user.gecos + "," + user.home + "," + user.shell);
        }
        ASSERT_EQ(ours, truth) << text;
    }
}

TEST(DifferentialAccounts, Group)
{
    Random random;
    SCOPED_TRACE("HOSTWARD_SEED=" + std::to_string(random.seed()));
    for (std::size_t i = 0; i < e2e::rounds(kFiles); ++i) {
        std::string text = random_file(random, 4);
        std::vector<std::string> truth;
        const auto stream = stream_of(text);
        while (const group* entry = ::fgetgrent(stream.get())) {
            if (!is_compat(entry->gr_name)) {
                truth.push_back(std::string(entry->gr_name) + "," + std::to_string(entry->gr_gid) + "," +
                                list(entry->gr_mem));
            }
        }
        std::vector<std::string> ours;
        for (const auto& known : parse_groups(text, "f").groups) {
            ours.push_back(known.name + "," + std::to_string(known.gid) + "," + list(known.members));
        }
        ASSERT_EQ(ours, truth) << text;
    }
}

TEST(DifferentialAccounts, Shadow)
{
    Random random;
    SCOPED_TRACE("HOSTWARD_SEED=" + std::to_string(random.seed()));
    for (std::size_t i = 0; i < e2e::rounds(kFiles); ++i) {
        std::string text = random_file(random, 9);
        std::vector<std::string> truth;
        const auto stream = stream_of(text);
        while (const spwd* entry = ::fgetspent(stream.get())) {
            if (!is_compat(entry->sp_namp)) {
                truth.push_back(std::string(entry->sp_namp) + "," + std::to_string(entry->sp_lstchg) + "," +
                                std::to_string(entry->sp_min) + "," + std::to_string(entry->sp_max) + "," +
                                std::to_string(entry->sp_warn) + "," + std::to_string(entry->sp_inact) + "," +
                                std::to_string(entry->sp_expire));
            }
        }
        std::vector<std::string> ours;
        for (const auto& entry : parse_shadow(text, "f").entries) {
            ours.push_back(entry.name + "," + std::to_string(entry.changed_day) + "," + std::to_string(entry.min_days) +
                           "," + std::to_string(entry.max_days) + "," + std::to_string(entry.warn_days) + "," +
                           std::to_string(entry.inactive_days) + "," + std::to_string(entry.expire_day));
        }
        ASSERT_EQ(ours, truth) << text;
    }
}

TEST(DifferentialAccounts, GroupShadow)
{
    Random random;
    SCOPED_TRACE("HOSTWARD_SEED=" + std::to_string(random.seed()));
    for (std::size_t i = 0; i < e2e::rounds(kFiles); ++i) {
        std::string text = random_file(random, 4);
        std::vector<std::string> truth;
        const auto stream = stream_of(text);
        while (const sgrp* entry = ::fgetsgent(stream.get())) {
            if (!is_compat(entry->sg_namp)) {
                truth.push_back(std::string(entry->sg_namp) + "," + list(entry->sg_adm) + "," + list(entry->sg_mem));
            }
        }
        std::vector<std::string> ours;
        for (const auto& entry : parse_group_shadow(text, "f").entries) {
            ours.push_back(entry.name + "," + list(entry.administrators) + "," + list(entry.members));
        }
        ASSERT_EQ(ours, truth) << text;
    }
}

} // namespace
} // namespace hostward::hardening
