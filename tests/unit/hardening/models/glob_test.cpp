// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/glob.h"

#include <gtest/gtest.h>

#include <fnmatch.h>

#include <random>
#include <string>

namespace hostward::hardening {
namespace {

TEST(Wildcards, StarsAndQuestionMarks)
{
    EXPECT_TRUE(matches_wildcards("1.1.*", "1.1.2.3"));
    EXPECT_TRUE(matches_wildcards("*root*", "sshd-root-login"));
    EXPECT_TRUE(matches_wildcards("a?c", "abc"));
    EXPECT_FALSE(matches_wildcards("1.1", "1.1.2"));
    EXPECT_FALSE(matches_wildcards("a*b", "abx"));
    EXPECT_TRUE(matches_wildcards("*a*a*b", "aaaaaaaaab"));
}

TEST(Wildcards, HostileTextAndPattern)
{
    std::string pattern;
    for (int i = 0; i < 500; ++i) {
        pattern += "*a";
    }
    EXPECT_FALSE(matches_wildcards(pattern + "b", std::string(5'000, 'a')));
}

TEST(Glob, Names)
{
    EXPECT_TRUE(matches_name("*.conf", "50-cloud-init.conf"));
    EXPECT_FALSE(matches_name("*.conf", ".hidden.conf"));
    EXPECT_TRUE(matches_name(".*", ".hidden"));
    EXPECT_FALSE(matches_name("[.]x", ".x")); // the dot must stand there itself
    EXPECT_TRUE(matches_name("[a-c]?", "bz"));
    EXPECT_TRUE(matches_name("[!a-c]", "d"));
    EXPECT_TRUE(matches_name("[]x]", "]"));
    EXPECT_TRUE(matches_name("[a-]", "-"));
    EXPECT_TRUE(matches_name("[[:digit:]]*", "7x"));
    EXPECT_TRUE(matches_name("[a", "[a")); // no end: itself
    EXPECT_TRUE(matches_name("a\\*", "a*"));
    EXPECT_FALSE(matches_name("a\\*", "ab"));
    EXPECT_FALSE(matches_name("a\\", "a\\"));
    EXPECT_TRUE(matches_name("", ""));
    EXPECT_TRUE(matches_name("**", "x"));
}

TEST(Glob, Paths)
{
    EXPECT_TRUE(matches_path("/etc/*/x", "/etc/a/x"));
    EXPECT_FALSE(matches_path("/etc/*", "/etc/a/x"));
    EXPECT_FALSE(matches_path("/etc/*", "/etc/.x"));
    EXPECT_FALSE(matches_path("/e[t/]c", "/etc"));
}

/// fnmatch(3) is the truth, on patterns short enough for it.
TEST(Glob, AsFnmatch)
{
    constexpr std::string_view kAlphabet = "aab.-]*?[!^\\/";
    constexpr std::string_view kNames = "aab.-]*[!^\\/";
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same every time
    const auto draw = [&](std::string_view from, std::size_t length) {
        std::string text;
        while (text.size() < length) {
            text += from[random() % from.size()];
        }
        return text;
    };
    int matched = 0;
    constexpr int kRounds = 300'000;
    for (int i = 0; i < kRounds; ++i) {
        const std::string pattern = draw(kAlphabet, random() % 8);
        const std::string text = draw(kNames, random() % 6);
        ASSERT_EQ(matches_text(pattern, text), ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0)
            << pattern << ' ' << text;
        const auto open = pattern.find('[');
        if ((open != pattern.npos && pattern.find('/', open) != pattern.npos) || pattern.find("\\/") != pattern.npos) {
            continue; // a bracket or an escape across components: glob(7) has none, and fnmatch(3) takes some
        }
        const bool truth = ::fnmatch(pattern.c_str(), text.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
        ASSERT_EQ(matches_path(pattern, text), truth) << "pattern " << pattern << " text " << text;
        if (text.find('/') == text.npos && pattern.find('/') == pattern.npos) {
            ASSERT_EQ(matches_name(pattern, text), ::fnmatch(pattern.c_str(), text.c_str(), FNM_PERIOD) == 0)
                << pattern;
        }
        matched += truth ? 1 : 0;
    }
    EXPECT_GT(matched, 1000);
}

TEST(Glob, HostilePatternAndName)
{
    std::string pattern;
    for (int i = 0; i < 100; ++i) {
        pattern += "*a";
    }
    EXPECT_FALSE(matches_name(pattern + "*b", std::string(255, 'a')));
    EXPECT_FALSE(matches_path("/" + pattern + "*b", "/" + std::string(4000, 'a')));
}

} // namespace
} // namespace hostward::hardening
