// SPDX-License-Identifier: Apache-2.0
#include "agent/config/guard_config.h"

#include "agent/config/complaints.h"
#include "agent/config/nesting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdio>
#include <fstream>

namespace hostward::config {
namespace {

using testing::HasSubstr;

constexpr const char* kFull = R"([guard]
mode = "audit"
forwarded = "allow"
bypass_sockets = "allow"
seal = "until-reboot"
metrics_file = "/srv/textfile/hostward.prom"

[[guard.endpoint]]
name = "imds"
addresses = ["169.254.169.254", "fd00:ec2::254"]
default = "allow"

[[guard.rule]]
name = "ssm-agent"
action = "allow"
user = ["root", 33]
group = [0, "adm"]
exe = ["/usr/bin/amazon-ssm-agent"]
unit = ["amazon-ssm-agent.service"]
scope = "container"
endpoint = "imds"

[[guard.rule]]
name = "containers"
action = "deny"
cgroup = [
  "/system.slice/docker-*.scope",
  "/other",
]
endpoint = ["imds"]
)";

std::vector<std::string> texts(const std::vector<At<std::string>>& list)
{
    std::vector<std::string> out;
    for (const auto& item : list) {
        out.push_back(item.value);
    }
    return out;
}

using Texts = std::vector<std::string>;

TEST(GuardConfig, EveryKeyIsRead)
{
    const auto config = parse(kFull, "full.toml");
    ASSERT_TRUE(config.ok()) << config.error().text;
    EXPECT_EQ(config->mode, Mode::Audit);
    EXPECT_EQ(config->forwarded, Action::Allow);
    EXPECT_EQ(config->bypass_sockets, Action::Allow);
    EXPECT_TRUE(config->seal_until_reboot);
    EXPECT_EQ(config->metrics_file, "/srv/textfile/hostward.prom");
    ASSERT_EQ(config->endpoints.size(), 1U);
    EXPECT_EQ(config->endpoints[0].name, "imds");
    EXPECT_EQ(config->endpoints[0].default_action, Action::Allow);
    EXPECT_EQ(texts(config->endpoints[0].addresses), (Texts{"169.254.169.254", "fd00:ec2::254"}));
    ASSERT_EQ(config->rules.size(), 2U);
    const Rule& first = config->rules[0];
    EXPECT_EQ(first.name, "ssm-agent");
    EXPECT_EQ(first.action, Action::Allow);
    EXPECT_EQ(texts(first.users), (Texts{"root", "33"}));
    EXPECT_EQ(texts(first.groups), (Texts{"0", "adm"}));
    EXPECT_EQ(texts(first.exes), Texts{"/usr/bin/amazon-ssm-agent"});
    EXPECT_EQ(texts(first.units), Texts{"amazon-ssm-agent.service"});
    EXPECT_EQ(first.scope, Scope::Container);
    EXPECT_EQ(texts(first.endpoints), Texts{"imds"});
    const Rule& second = config->rules[1];
    EXPECT_EQ(second.action, Action::Deny);
    EXPECT_EQ(second.scope, Scope::Host);
    EXPECT_EQ(texts(second.cgroups), (Texts{"/system.slice/docker-*.scope", "/other"}));
    EXPECT_EQ(texts(second.endpoints), Texts{"imds"});
}

TEST(GuardConfig, PlacesAreWhereTheValuesStand)
{
    const auto config = parse(kFull, "full.toml");
    ASSERT_TRUE(config.ok());
    EXPECT_EQ(config->endpoints[0].place.text(), "full.toml:8");
    EXPECT_EQ(config->rules[0].place.text(), "full.toml:13");
    EXPECT_EQ(config->rules[0].users[1].place.text(), "full.toml:16");
    EXPECT_EQ(config->rules[1].cgroups[1].place.text(), "full.toml:28");
    EXPECT_EQ(config->rules[1].cgroups[1].place.column, 3U);
    EXPECT_EQ(Place{}.text(), "built-in default");
}

TEST(GuardConfig, NothingWrittenGuardsTheMetadataServiceAndDenies)
{
    for (const char* text : {"", "# nothing\n", "[guard]\n"}) {
        const auto config = parse(text, "empty.toml");
        ASSERT_TRUE(config.ok()) << config.error().text;
        EXPECT_EQ(config->mode, Mode::Enforce);
        EXPECT_EQ(config->forwarded, Action::Deny);
        EXPECT_EQ(config->bypass_sockets, Action::Deny);
        EXPECT_FALSE(config->seal_until_reboot);
        EXPECT_EQ(config->metrics_file, "");
        ASSERT_EQ(config->endpoints.size(), 1U);
        EXPECT_EQ(config->endpoints[0].name, "imds");
        EXPECT_EQ(config->endpoints[0].default_action, Action::Deny);
        EXPECT_EQ(texts(config->endpoints[0].addresses), (Texts{"169.254.169.254", "fd00:ec2::254"}));
        EXPECT_TRUE(config->rules.empty());
    }
}

std::string with_user(const std::string& value)
{
    const auto config = parse("[[guard.rule]]\nname = \"a\"\naction = \"deny\"\nuser = [" + value + "]\n", "u.toml");
    return config.ok() ? config->rules[0].users[0].value : config.error().text;
}

TEST(GuardConfig, MetricsFileIsOneThatTheCollectorReads)
{
    const auto with = [](const std::string& path) { return parse("[guard]\nmetrics_file = \"" + path + "\"\n", "p"); };
    EXPECT_TRUE(with("/a/b.prom").ok());
    EXPECT_TRUE(with("").ok()) << "a drop-in takes it away";
    for (const char* path :
         {"a.prom", "./a.prom", "/a", "/a.prom/", "/a/.prom", "/a/.b.prom", "/a.prom.txt", "/a\\n/b.prom"}) {
        const auto config = with(path);
        ASSERT_FALSE(config.ok()) << path;
        EXPECT_THAT(config.error().text, HasSubstr("p:2: guard.metrics_file is ")) << path;
    }
    EXPECT_FALSE(parse("[guard]\nmetrics_file = true\n", "p").ok());
}

TEST(GuardConfig, NumbersOfUsersHaveBounds)
{
    EXPECT_EQ(with_user("0"), "0");
    EXPECT_EQ(with_user("4294967293"), "4294967293");
    EXPECT_EQ(with_user("4294967294"), "4294967294");
    EXPECT_EQ(with_user("0x10"), "16");
    const std::string allowed = ": allowed are 0 to 4294967294";
    EXPECT_EQ(with_user("4294967295"), "u.toml:4: a value of guard.rule.user is 4294967295" + allowed);
    EXPECT_EQ(with_user("-1"), "u.toml:4: a value of guard.rule.user is -1" + allowed);
}

// Found by the fuzzer: the library's own classes of characters were undefined for these.
TEST(GuardConfig, LettersOutsideAsciiAreRefusedWhereNoneMayStand)
{
    EXPECT_THAT(parse("1\xcc\x94"
                      "1",
                      "x.toml")
                    .error()
                    .text,
                HasSubstr("x.toml:1: not TOML"));
    EXPECT_THAT(parse("\xc3\xa4 = 1", "x.toml").error().text, HasSubstr("x.toml:1: not TOML"));
    EXPECT_THAT(parse("[[\x7f", "x.toml").error().text,
                HasSubstr("x.toml:1: not TOML")); // an assertion, in a debug build
    EXPECT_THAT(parse("[guard]\nmode = \"audit\" \xc2\xa7", "x.toml").error().text, HasSubstr("x.toml:2: not TOML"));
    EXPECT_EQ(with_user("\"\"\"\\\n\xc2\xa7\"\"\""), "\xc2\xa7");
}

TEST(GuardConfig, DeepNestingIsRefusedNotRecursedInto)
{
    std::string dotted;
    for (int i = 0; i < 200'000; ++i) {
        dotted += "a . ";
    }
    const std::string refused = "x.toml:2: more dots outside strings than the 16 allowed in a line";
    EXPECT_EQ(parse("\n" + dotted + "a = 1", "x.toml").error().text, refused);
    EXPECT_EQ(parse("\n[" + dotted + "a]", "x.toml").error().text, refused);
    EXPECT_EQ(parse("\na = { " + dotted + "a = 1 }", "x.toml").error().text, refused);
    EXPECT_FALSE(parse("a = " + std::string(500'000, '['), "x.toml").ok());
    // The deepest that both bounds let through.
    std::string nested = "a = 1";
    for (int i = 0; i < 127; ++i) {
        nested = "b.b.b.b.b.b.b.b.b.b.b.b.b.b.b.b = [\n{ " + nested + " }]";
    }
    EXPECT_THAT(parse(nested, "x.toml").error().text, HasSubstr("unknown key \"b\""));
}

TEST(Nesting, CountsOnlyDotsOfKeys)
{
    const auto line = [](std::string_view text) { return line_with_deep_key(text, 2); };
    EXPECT_EQ(line(""), 0U);
    EXPECT_EQ(line("a.b.c = 1\nd.e.f = 1\n"), 0U);
    EXPECT_EQ(line("\na.b.c.d = 1"), 2U);
    EXPECT_EQ(line("# ......\na = 1 # ......\n"), 0U);
    EXPECT_EQ(line("a = [\"......\", '......']"), 0U);
    EXPECT_EQ(line("a = \"\\\"......\""), 0U) << "an escaped quote ends no string";
    EXPECT_EQ(line("a = '\\'......"), 1U) << "a literal string has no escapes";
    EXPECT_EQ(line("a = \"\"\"\n.\"\".\\\"\"\".\n....\"\"\"\"\"\nb.c.d.e = 1"), 4U);
    EXPECT_EQ(line("a = '''\n....'....\\'''\n....."), 3U);
    EXPECT_EQ(line("a = \"\"\nb = ....."), 2U) << "an empty string is not the start of a long one";
    EXPECT_EQ(line("a = \"\"\"\"\"\" ....."), 1U) << "an empty long string";
    EXPECT_EQ(line("a = \"unfinished ....\n....."), 2U);
    EXPECT_EQ(line("a = \"unfinished"), 0U);
    EXPECT_EQ(line("a = \"\"\"unfinished ......"), 0U);
    EXPECT_EQ(line("a = \"\\"), 0U);
}

TEST(GuardConfig, ErrorsAreOfKindInvalid)
{
    EXPECT_EQ(parse("a", "x.toml").error().kind, ErrorKind::Invalid);
    EXPECT_EQ(parse("a = 1", "x.toml").error().kind, ErrorKind::Invalid);
}

TEST(GuardConfig, NamesOfFilesAreEscaped)
{
    EXPECT_THAT(parse("a", "x\n.toml").error().text, HasSubstr("x\\x0a.toml:1: "));
}

class GuardConfigFile : public testing::Test {
protected:
    ~GuardConfigFile() override { (void)std::remove(path_.c_str()); } // may never have been written
    void write(const std::string& text) const { std::ofstream(path_) << text; }
    std::string path_ = testing::TempDir() + "hostward-config-" + std::to_string(::getpid()) + ".toml";
};

TEST_F(GuardConfigFile, IsReadAndNamedInErrors)
{
    write("[guard]\nmode = \"audit\"\n");
    const auto config = load(path_);
    ASSERT_TRUE(config.ok()) << config.error().text;
    EXPECT_EQ(config->mode, Mode::Audit);
    write("[guard]\nmode = \"on\"\n");
    EXPECT_EQ(load(path_).error().text, path_ + ":2: guard.mode is \"on\": allowed are \"enforce\", \"audit\"");
}

TEST_F(GuardConfigFile, SizeHasABound)
{
    const std::string comment = "# a line of comment that only takes room: 64 bytes with its end.\n";
    std::string text;
    while (text.size() + comment.size() <= kConfigBytesMax) {
        text += comment;
    }
    text.resize(kConfigBytesMax, '\n');
    write(text);
    EXPECT_TRUE(load(path_).ok());
    write(text + "\n");
    EXPECT_THAT(load(path_).error().text, HasSubstr("larger than the 1048576 bytes allowed"));
}

TEST_F(GuardConfigFile, MissingFolderAndFifo)
{
    EXPECT_EQ(load(path_).error().kind, ErrorKind::NotFound);
    EXPECT_THAT(load("/").error().text, HasSubstr("not a regular file"));
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    EXPECT_THAT(load(path_).error().text, HasSubstr("not a regular file")) << "and does not wait for a writer";
}

TEST(Complaints, AreSortedAndBounded)
{
    Complaints complaints;
    EXPECT_TRUE(complaints.empty());
    for (std::uint32_t line = kComplaintsShownMax + 5; line > 0; --line) {
        complaints.add({"f", line, 1}, "x");
    }
    const auto lines = complaints.lines();
    ASSERT_EQ(lines.size(), kComplaintsShownMax + 1);
    EXPECT_EQ(lines.front(), "f:1: x");
    EXPECT_EQ(lines.back(), "and 5 more");
    EXPECT_EQ(complaints.error().text.substr(0, 13), "f:1: x\nf:2: x");
}

} // namespace
} // namespace hostward::config
