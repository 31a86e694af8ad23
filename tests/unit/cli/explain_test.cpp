// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/caller.h"
#include "agent/cli/explain_view.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace hostward::cli {
namespace {

using guard::FakeResolver;
namespace fs = std::filesystem;

TEST(ProcStatus, HasIdsAndGroups)
{
    const auto status = parse_proc_status("Name:\tx\nUid:\t1000\t0\t0\t0\nGid:\t100\t101\t101\t101\nGroups:\t4 24 \n");
    ASSERT_TRUE(status);
    EXPECT_EQ(status->uid, 1000U);
    EXPECT_EQ(status->euid, 0U);
    EXPECT_EQ(status->gid, 100U);
    EXPECT_EQ(status->groups, (std::vector<std::uint32_t>{4, 24}));
    const auto alone = parse_proc_status("Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t \n");
    ASSERT_TRUE(alone);
    EXPECT_TRUE(alone->groups.empty());
}

TEST(ProcStatus, IsNotGuessed)
{
    EXPECT_FALSE(parse_proc_status(""));
    EXPECT_FALSE(parse_proc_status("Uid:\t1\t1\t1\nGid:\t1\t1\t1\t1\nGroups:\t\n"));
    EXPECT_FALSE(parse_proc_status("Uid:\t1\t1\t1\tx\nGid:\t1\t1\t1\t1\nGroups:\t\n"));
    EXPECT_FALSE(parse_proc_status("Uid:\t1\t1\t1\t1\nGid:\t1\t1\t1\t1\n"));
}

TEST(ProcCgroup, IsTheUnifiedOne)
{
    EXPECT_EQ(parse_proc_cgroup("12:cpu:/x\n0::/system.slice/a.service\n"), "/system.slice/a.service");
    EXPECT_EQ(parse_proc_cgroup("0::/\n"), "/");
    EXPECT_EQ(parse_proc_cgroup("12:cpu:/x\n"), std::nullopt);
    EXPECT_EQ(parse_proc_cgroup(""), std::nullopt);
}

constexpr const char* kMounts = "25 1 0:21 / / rw - ext4 /dev/a rw\n"
                                "30 25 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n"
                                "31 25 0:26 /part /mnt/a\\040b rw - cgroup2 cgroup2 rw\n"
                                "short\n";

TEST(CgroupOfFolder, FollowsTheMounts)
{
    EXPECT_EQ(cgroup_of_folder(kMounts, "/sys/fs/cgroup"), "/");
    EXPECT_EQ(cgroup_of_folder(kMounts, "/sys/fs/cgroup/a/b"), "/a/b");
    EXPECT_EQ(cgroup_of_folder(kMounts, "/mnt/a b"), "/part");
    EXPECT_EQ(cgroup_of_folder(kMounts, "/mnt/a b/c"), "/part/c");
    EXPECT_EQ(cgroup_of_folder(kMounts, "/sys/fs/cgroups"), std::nullopt);
    EXPECT_EQ(cgroup_of_folder("", "/sys/fs/cgroup"), std::nullopt);
}

TEST(Below, ComparesWholeComponents)
{
    EXPECT_EQ(below("/a/b", "/a"), "/b");
    EXPECT_EQ(below("/a", "/a"), "");
    EXPECT_EQ(below("/a", "/"), "/a");
    EXPECT_EQ(below("/", "/"), "");
    EXPECT_EQ(below("/ab", "/a"), std::nullopt);
    EXPECT_EQ(below("/", "/a"), std::nullopt);
}

/// Account files of the test's own.
class Described : public testing::Test {
protected:
    Described()
    {
        std::string name = (fs::temp_directory_path() / "hostward-explain-XXXXXX").string();
        root_ = ::mkdtemp(name.data()) == nullptr ? "" : name;
        fs::create_directories(root_ + "/etc");
        std::ofstream(root_ + "/etc/passwd") << "root:x:0:0::/:/bin/sh\nalice:x:1000:100::/:/bin/sh\n";
        std::ofstream(root_ + "/etc/group") << "adm:x:4:bob,alice\nusers:x:100:\nwheel:x:10:bob\n";
        resolver_.exes["/usr/bin/tool"] = guard::file(7);
    }
    ~Described() override { fs::remove_all(root_); }

    Subject must_describe(const ExplainOptions& options)
    {
        auto subject = describe_caller(options, resolver_, root_);
        EXPECT_TRUE(subject.ok()) << (subject.ok() ? "" : subject.error().text);
        return subject.ok() ? subject.take() : Subject{};
    }
    ExplainOptions alice()
    {
        ExplainOptions options;
        options.user = "alice";
        return options;
    }

    std::string root_;
    FakeResolver resolver_;
};

TEST_F(Described, HasTheGroupsOfItsAccount)
{
    const Subject subject = must_describe(alice());
    EXPECT_EQ(subject.caller.uid, 1000U);
    EXPECT_EQ(subject.caller.euid, 1000U);
    EXPECT_EQ(subject.caller.gid, 100U);
    EXPECT_EQ(subject.caller.groups, std::vector<std::uint32_t>{4});
    EXPECT_FALSE(subject.caller.container);
}

TEST_F(Described, TakesTheGroupsThatAreGiven)
{
    ExplainOptions options = alice();
    options.groups = {"adm", "77"};
    const Subject subject = must_describe(options);
    EXPECT_EQ(subject.caller.gid, 4U);
    EXPECT_EQ(subject.caller.groups, (std::vector<std::uint32_t>{4, 77}));
}

TEST_F(Described, SaysWhatItDoesNotKnow)
{
    ExplainOptions options;
    options.user = "4242";
    const Subject subject = must_describe(options);
    EXPECT_EQ(subject.caller.uid, 4242U);
    EXPECT_EQ(subject.caller.gid, 0xffffffffU) << "matches no rule";
    EXPECT_EQ(subject.notes.size(), 2U);
    options.user = "nosuch";
    const auto missing = describe_caller(options, resolver_, root_);
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().kind, ErrorKind::NotFound);
}

TEST_F(Described, PutsAUnitWhereSystemdDoes)
{
    ExplainOptions options = alice();
    options.unit = "a.service";
    EXPECT_EQ(must_describe(options).caller.cgroup_path, "/system.slice/a.service");
    options.unit = "cpu.service";
    EXPECT_EQ(must_describe(options).caller.cgroup_path, "/system.slice/_cpu.service");
    options.unit = "user.slice";
    EXPECT_EQ(must_describe(options).caller.cgroup_path, "/user.slice");
    options.unit.clear();
    options.cgroup_path = "/";
    EXPECT_EQ(must_describe(options).caller.cgroup_path, "");
}

constexpr const char* kFile = "/etc/hostward/hostward.toml";

PolicyFile policy(guard::Resolver& resolver)
{
    config::Rule unit = guard::rule("unit");
    unit.units = guard::list({"a.service"});
    config::Rule tool = guard::rule("tool");
    tool.users = guard::list({"alice"});
    tool.exes = guard::list({"/usr/bin/tool"});
    tool.why = "asks for \"it\"";
    tool.preset = "tools";
    tool.place = {"presets/tools.toml", 7, 1};
    const auto config = guard::policy_of({unit, tool});
    return {config, guard::must_compile(config, resolver)};
}

TEST_F(Described, IsExplainedRuleByRule)
{
    const PolicyFile file = policy(resolver_);
    ExplainOptions options = alice();
    options.exe = "/usr/bin/tool";
    const auto allowed = explain(file.policy, must_describe(options), "169.254.169.254");
    ASSERT_TRUE(allowed.ok());
    EXPECT_EQ(explain_text(*allowed, {kFile, true}, file),
              "policy: \"/etc/hostward/hostward.toml\", which is loaded\n"
              "caller: uid 1000, gid 100, groups 4\n"
              "        program \"/usr/bin/tool\"\n"
              "        cgroup \"/\", on the host\n"
              "address: 169.254.169.254, endpoint \"imds\"\n"
              "rule \"unit\" (p.toml:1): user does not match\n"
              "rule \"tool\" (presets/tools.toml:7, preset \"tools\"): matches\n"
              "allow: rule \"tool\" (presets/tools.toml:7, preset \"tools\")\n"
              "why: asks for \"it\"\n");
    const std::string allowed_json = explain_json(*allowed, {kFile, false}, file);
    EXPECT_NE(allowed_json.find(R"("why":"asks for \"it\"","place":"presets/tools.toml:7","mode":"enforce",)"
                                R"("policy":{"file":"/etc/hostward/hostward.toml","loaded":false})"),
              std::string::npos)
        << allowed_json;
    options.exe.clear();
    const auto denied = explain(file.policy, must_describe(options), "fd00:ec2::254");
    ASSERT_TRUE(denied.ok());
    const std::string text = explain_text(*denied, {kFile, std::nullopt}, file);
    EXPECT_TRUE(text.starts_with("policy: \"/etc/hostward/hostward.toml\", perhaps not the one that is loaded\n"));
    EXPECT_NE(text.find(", preset \"tools\"): exe does not match\ndeny: no rule matched"), std::string::npos) << text;
    const std::string json = explain_json(*denied, {kFile, std::nullopt}, file);
    EXPECT_NE(json.find(R"("decision":"deny","reason":"default","rule":null,"why":null,"place":null)"),
              std::string::npos)
        << json;
    EXPECT_NE(json.find(R"({"rule":"tool","matched":false,"failed":"exe","place":"presets/tools.toml:7",)"
                        R"("preset":"tools","why":"asks for)"),
              std::string::npos)
        << json;
    EXPECT_NE(json.find(R"("loaded":null)"), std::string::npos) << json;
}

TEST_F(Described, KnowsAnAddressThatIsNotGuarded)
{
    const PolicyFile file = policy(resolver_);
    const auto free = explain(file.policy, must_describe(alice()), "192.0.2.1");
    ASSERT_TRUE(free.ok());
    EXPECT_NE(explain_text(*free, {kFile, true}, file).find("allow: 192.0.2.1 is not guarded"), std::string::npos);
    EXPECT_NE(explain_json(*free, {kFile, true}, file).find(R"("endpoint":null,"decision":"allow")"),
              std::string::npos);
    EXPECT_FALSE(explain(file.policy, must_describe(alice()), "imds").ok());
}

} // namespace
} // namespace hostward::cli
