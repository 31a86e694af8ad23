// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/file_set.h"

#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> paths(const host::MemoryHost& host, const std::string& pattern)
{
    const auto found = find_files(host, pattern);
    if (!found) {
        return {"error: " + found.error().text};
    }
    std::vector<std::string> names;
    for (const auto& file : *found) {
        names.push_back(file.path);
    }
    return names;
}

TEST(FileSet, NamesAndPatterns)
{
    host::MemoryHost host;
    host.file("/etc/ssh/a_key", "").file("/etc/ssh/b_key", "").file("/etc/ssh/.c_key", "").file("/etc/ssh/x.pub", "");
    host.link("/etc/ssh/gone_key", "/nowhere").link("/etc/ssh/l_key", "a_key").directory("/etc/sub");
    EXPECT_THAT(paths(host, "/etc/ssh/*_key"), ElementsAre("/etc/ssh/a_key", "/etc/ssh/b_key", "/etc/ssh/l_key"));
    EXPECT_THAT(paths(host, "/etc/s*/?.pub"), ElementsAre("/etc/ssh/x.pub"));
    EXPECT_THAT(paths(host, "/etc/ssh"), ElementsAre("/etc/ssh"));
    EXPECT_THAT(paths(host, "/"), ElementsAre("/"));
    EXPECT_THAT(paths(host, "/none"), IsEmpty());
    EXPECT_THAT(paths(host, "/none/*"), IsEmpty());
    EXPECT_THAT(paths(host, "/etc/ssh/a_key/*"), IsEmpty());
    EXPECT_THAT(paths(host, "relative"), ElementsAre(::testing::HasSubstr("absolute")));
}

TEST(FileSet, WhatCannotBeListedIsAnError)
{
    host::MemoryHost host;
    host.directory("/etc/ssh").broken("/etc/ssh", Error{ErrorKind::Denied, EACCES, "no"});
    EXPECT_THAT(paths(host, "/etc/ssh/*"), ElementsAre("error: no"));
    EXPECT_THAT(paths(host, "/etc/ssh/x"), ElementsAre("error: no"));
}

} // namespace
} // namespace hostward::hardening
