// SPDX-License-Identifier: Apache-2.0
// Main file, drop-ins and presets as one policy.
#include "agent/config/config_file.h"
#include "agent/config/guard_config.h"
#include "tests/unit/host/temp_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace hostward::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string rule_text(const std::string& name, const std::string& user = "0", const std::string& action = "allow")
{
    return "[[guard.rule]]\nname = \"" + name + "\"\naction = \"" + action + "\"\nuser = [\"" + user + "\"]\n";
}

std::string include_text(const std::string& names) { return "[guard]\ninclude = [" + names + "]\n"; }

class ConfigLoad : public testing::Test {
protected:
    [[nodiscard]] Result<GuardConfig> load_tree() const
    {
        return load(tree_.path("etc/hostward.toml"), tree_.path("share"));
    }
    [[nodiscard]] GuardConfig must_load() const
    {
        auto config = load_tree();
        EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().text);
        return config.ok() ? config.take() : GuardConfig{};
    }
    [[nodiscard]] std::string load_error() const
    {
        const auto config = load_tree();
        return config.ok() ? "" : without_root(config.error().text);
    }
    [[nodiscard]] std::string without_root(std::string text) const
    {
        for (auto at = text.find(tree_.root() + "/"); at != std::string::npos; at = text.find(tree_.root() + "/")) {
            text.erase(at, tree_.root().size() + 1);
        }
        return text;
    }
    [[nodiscard]] std::vector<std::string> overrides(const GuardConfig& config) const
    {
        std::vector<std::string> out;
        for (const auto& line : config.overrides) {
            out.push_back(without_root(line));
        }
        return out;
    }
    static std::vector<std::string> names(const GuardConfig& config)
    {
        std::vector<std::string> out;
        std::ranges::transform(config.rules, std::back_inserter(out), &Rule::name);
        return out;
    }

    host::TempTree tree_;
};

TEST_F(ConfigLoad, OneFileIsThePolicy)
{
    tree_.write("etc/hostward.toml", "[guard]\nmode = \"audit\"\n" + rule_text("a"));
    const auto config = must_load();
    EXPECT_EQ(config.mode, Mode::Audit);
    EXPECT_THAT(names(config), ElementsAre("a"));
    EXPECT_EQ(config.rules[0].place.file, tree_.path("etc/hostward.toml"));
    EXPECT_EQ(config.rules[0].place.line, 3U);
    EXPECT_THAT(config.overrides, IsEmpty());
}

TEST_F(ConfigLoad, DropInsAreReadInTheOrderOfTheirNames)
{
    tree_.write("etc/hostward.toml", rule_text("main"));
    tree_.write("etc/policy.d/90-z.toml", "[guard]\nmode = \"enforce\"\nforwarded = \"allow\"\n" + rule_text("z"));
    tree_.write("etc/policy.d/10-a.toml", "[guard]\nmode = \"audit\"\nseal = \"until-reboot\"\n"
                                          "metrics_file = \"/a/b.prom\"\n" +
                                              rule_text("a"));
    tree_.write("etc/policy.d/README", "not a policy");
    tree_.write("etc/policy.d/50-b.toml.rpmsave", "not a policy");
    tree_.write("etc/policy.d/.hidden.toml", "not a policy");
    const auto config = must_load();
    EXPECT_THAT(names(config), ElementsAre("main", "a", "z"));
    EXPECT_EQ(config.mode, Mode::Enforce);
    EXPECT_EQ(config.forwarded, Action::Allow);
    EXPECT_EQ(config.metrics_file, "/a/b.prom");
    EXPECT_TRUE(config.seal_until_reboot) << "a setting that no later file has stays";
    EXPECT_THAT(overrides(config),
                ElementsAre("etc/policy.d/90-z.toml:2: mode replaces that of etc/policy.d/10-a.toml:2"));
}

TEST_F(ConfigLoad, ARuleOfTheSameNameIsReplacedInItsPlace)
{
    tree_.write("etc/hostward.toml", rule_text("first") + rule_text("second") + rule_text("third"));
    tree_.write("etc/policy.d/a.toml", rule_text("second", "7", "deny") + rule_text("new"));
    const auto config = must_load();
    EXPECT_THAT(names(config), ElementsAre("first", "second", "third", "new"));
    EXPECT_EQ(config.rules[1].action, Action::Deny);
    EXPECT_EQ(config.rules[1].users[0].value, "7");
    EXPECT_EQ(config.rules[1].place.file, tree_.path("etc/policy.d/a.toml"));
    EXPECT_THAT(overrides(config),
                ElementsAre("etc/policy.d/a.toml:1: rule \"second\" replaces that of etc/hostward.toml:5"));
}

TEST_F(ConfigLoad, ANameThatOneFileUsesTwiceStaysAnError)
{
    tree_.write("etc/hostward.toml", rule_text("a"));
    tree_.write("etc/policy.d/a.toml", rule_text("a", "1") + rule_text("a", "2"));
    EXPECT_THAT(names(must_load()), ElementsAre("a", "a")) << "for compile() to refuse";
}

TEST_F(ConfigLoad, ADropInNeverTakesAnEndpointAway)
{
    const std::string ecs = "[[guard.endpoint]]\nname = \"ecs\"\naddresses = [\"169.254.170.2\"]\n";
    tree_.write("etc/hostward.toml", rule_text("a"));
    tree_.write("etc/policy.d/ecs.toml", ecs);
    auto config = must_load();
    ASSERT_EQ(config.endpoints.size(), 2U);
    EXPECT_EQ(config.endpoints[0].name, "imds");
    EXPECT_EQ(config.endpoints[0].addresses.size(), 2U);
    EXPECT_EQ(config.endpoints[1].name, "ecs");

    tree_.write("etc/policy.d/imds.toml", "[[guard.endpoint]]\nname = \"imds\"\naddresses = [\"10.0.0.1\"]\n");
    config = must_load();
    ASSERT_EQ(config.endpoints.size(), 2U);
    EXPECT_EQ(config.endpoints[0].addresses[0].value, "10.0.0.1");
    EXPECT_THAT(overrides(config),
                ElementsAre("etc/policy.d/imds.toml:1: endpoint \"imds\" replaces that of built-in default"));
}

TEST_F(ConfigLoad, RulesOfPresetsComeAfterAllOwnRules)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:one\"") + rule_text("own"));
    tree_.write("etc/policy.d/a.toml", include_text("\"preset:two\", \"preset:one\"") + rule_text("own-too"));
    tree_.write("share/one.toml", rule_text("one.a") + rule_text("one.b"));
    tree_.write("share/two.toml", rule_text("two.a"));
    const auto config = must_load();
    EXPECT_THAT(names(config), ElementsAre("own", "own-too", "one.a", "one.b", "two.a"));
    EXPECT_EQ(config.rules[1].preset, "");
    EXPECT_EQ(config.rules[2].preset, "one");
    EXPECT_EQ(config.rules[4].preset, "two");
    EXPECT_EQ(config.rules[4].place.file, tree_.path("share/two.toml"));
}

TEST_F(ConfigLoad, AnOwnRuleReplacesThatOfAPreset)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:one\"") + rule_text("one.a", "9", "deny"));
    tree_.write("share/one.toml", rule_text("one.a") + rule_text("one.b"));
    const auto config = must_load();
    EXPECT_THAT(names(config), ElementsAre("one.a", "one.b"));
    EXPECT_EQ(config.rules[0].action, Action::Deny);
    EXPECT_THAT(overrides(config), ElementsAre("etc/hostward.toml:3: rule \"one.a\" replaces that of preset \"one\""));
}

TEST_F(ConfigLoad, PresetsAreMadeOfPresets)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:system\", \"preset:left\""));
    tree_.write("share/system.toml", include_text("\"preset:left\", \"preset:right\"") + rule_text("system"));
    tree_.write("share/left.toml", include_text("\"preset:base\"") + rule_text("left"));
    tree_.write("share/right.toml", include_text("\"preset:base\"") + rule_text("right"));
    tree_.write("share/base.toml", rule_text("base"));
    EXPECT_THAT(names(must_load()), ElementsAre("system", "left", "base", "right")) << "each once";
}

TEST_F(ConfigLoad, PresetsInACircleAreAnError)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:a\""));
    tree_.write("share/a.toml", include_text("\"preset:b\""));
    tree_.write("share/b.toml", "\n\n" + include_text("\"preset:a\""));
    EXPECT_EQ(load_error(), "share/b.toml:4: preset \"a\" includes itself: a includes b includes a");
}

TEST_F(ConfigLoad, DepthHasABound)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:p1\""));
    for (std::size_t i = 1; i < kPresetDepthMax; ++i) {
        tree_.write("share/p" + std::to_string(i) + ".toml", include_text("\"preset:p" + std::to_string(i + 1) + "\""));
    }
    const std::string last = "share/p" + std::to_string(kPresetDepthMax) + ".toml";
    tree_.write(last, rule_text("deepest"));
    EXPECT_THAT(names(must_load()), ElementsAre("deepest"));
    tree_.write(last, include_text("\"preset:further\""));
    tree_.write("share/further.toml", rule_text("further"));
    EXPECT_EQ(load_error(), last + ":2: preset \"further\" is one too many: allowed are 64 presets, 8 deep");
}

TEST_F(ConfigLoad, TwoPresetsWithOneRuleNameAreAnError)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:a\", \"preset:b\""));
    tree_.write("share/a.toml", rule_text("same"));
    tree_.write("share/b.toml", rule_text("same"));
    EXPECT_EQ(load_error(), "share/b.toml:1: rule name \"same\" is used in preset \"a\" too");
}

TEST_F(ConfigLoad, APresetHoldsRulesAndIncludesOnly)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:a\""));
    for (const char* text : {"mode = \"audit\"", "forwarded = \"allow\"", "bypass_sockets = \"allow\"",
                             "seal = \"off\"", "endpoint = []"}) {
        tree_.write("share/a.toml", std::string("[guard]\n") + text + "\n");
        EXPECT_THAT(load_error(), StartsWith("share/a.toml:2: unknown key \"guard.")) << text;
        EXPECT_THAT(load_error(), HasSubstr("allowed are \"include\", \"rule\"")) << text;
    }
}

TEST_F(ConfigLoad, AMissingPresetIsAnErrorAtItsPlace)
{
    tree_.write("etc/hostward.toml", "[guard]\nmode = \"audit\"\ninclude = [\"preset:none\"]\n");
    EXPECT_EQ(load_error(), "etc/hostward.toml:3: preset \"none\": reading configuration \"share/none.toml\": "
                            "No such file or directory");
}

TEST_F(ConfigLoad, ErrorsOfAllFilesAreReportedWithTheirFile)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:a\", \"preset:none\""));
    tree_.write("etc/policy.d/a.toml", "[guard]\nmode = 1\n");
    tree_.write("etc/policy.d/b.toml", "[guard\n");
    tree_.write("share/a.toml", "[guard]\nrules = 1\n");
    const std::string text = load_error();
    EXPECT_THAT(text, StartsWith("etc/policy.d/a.toml:2: guard.mode is an integer"));
    EXPECT_THAT(text, HasSubstr("\netc/policy.d/b.toml:"));
    EXPECT_THAT(text, HasSubstr("\nshare/a.toml:2: unknown key \"guard.rules\""));
    EXPECT_THAT(text, HasSubstr("\netc/hostward.toml:2: preset \"none\""));
}

TEST_F(ConfigLoad, AnOwnPresetReplacesTheInstalledOne)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:a\", \"preset:mine\", \"preset:b\""));
    tree_.write("share/a.toml", rule_text("installed"));
    tree_.write("share/b.toml", rule_text("b"));
    tree_.write("etc/presets/a.toml", rule_text("own"));
    tree_.write("etc/presets/mine.toml", rule_text("mine"));
    const auto config = must_load();
    EXPECT_THAT(names(config), ElementsAre("own", "mine", "b"));
    EXPECT_THAT(overrides(config), ElementsAre("etc/presets/a.toml: stands for the installed preset \"a\""));
}

TEST_F(ConfigLoad, ALinkToDevNullMasks)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:all\""));
    tree_.write("share/all.toml", include_text("\"preset:part\"") + rule_text("all"));
    tree_.write("share/part.toml", rule_text("part"));
    tree_.link("/dev/null", "etc/presets/part.toml");
    tree_.link("/dev/null", "etc/policy.d/a.toml");
    const auto config = must_load();
    EXPECT_THAT(names(config), ElementsAre("all"));
    EXPECT_EQ(overrides(config)[0], "etc/policy.d/a.toml: masked, stands for an empty file");
    EXPECT_EQ(overrides(config)[1], "etc/presets/part.toml: masked, preset \"part\" has no rules");
}

TEST_F(ConfigLoad, NothingThatCannotBeReadIsLeftOut)
{
    tree_.write("etc/hostward.toml", include_text("\"preset:a\""));
    tree_.write("share/a.toml", rule_text("a"));
    tree_.link("/nowhere/at-all", "etc/policy.d/a.toml");
    EXPECT_THAT(load_error(), HasSubstr("\"etc/policy.d/a.toml\": No such file"));
    tree_.remove("etc/policy.d/a.toml");
    tree_.directory("etc/policy.d/a.toml");
    EXPECT_THAT(load_error(), HasSubstr("\"etc/policy.d/a.toml\": not a regular file"));
    tree_.remove("etc/policy.d");
    tree_.write("etc/policy.d", "");
    EXPECT_THAT(load_error(), HasSubstr("\"etc/policy.d\": not a folder"));
    tree_.remove("etc/policy.d");
    tree_.link("/nowhere/at-all", "etc/presets/a.toml");
    EXPECT_THAT(load_error(), HasSubstr("\"etc/presets/a.toml\": No such file")) << "not the installed one instead";
    tree_.remove("etc/presets");
    tree_.link("/dev/null", "etc/main.toml");
    EXPECT_FALSE(load(tree_.path("etc/main.toml"), tree_.path("share")).ok()) << "the main file cannot be masked";
    tree_.remove("share/a.toml");
    tree_.link("/dev/null", "share/a.toml");
    EXPECT_FALSE(load_tree().ok()) << "an installed preset is replaced or masked in the host's own folder";
}

class ConfigTrust : public ConfigLoad {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "only root's policy has to be root's";
        }
        tree_.write("etc/hostward.toml", include_text("\"preset:a\""));
        tree_.write("etc/policy.d/a.toml", rule_text("drop-in"));
        tree_.write("share/a.toml", rule_text("a"));
        ASSERT_THAT(names(must_load()), ElementsAre("drop-in", "a"));
    }
};

TEST_F(ConfigTrust, AFileThatOthersCanChangeIsRefused)
{
    for (const char* file : {"etc/hostward.toml", "etc/policy.d/a.toml", "share/a.toml"}) {
        tree_.change_mode(file, 0664);
        EXPECT_THAT(load_error(), HasSubstr(std::string("\"") + file + "\": another user than root")) << file;
        EXPECT_THAT(load_error(), HasSubstr("is writable by group")) << file;
        tree_.change_mode(file, 0644);
        ASSERT_EQ(::chown(tree_.path(file).c_str(), 1, 0), 0);
        EXPECT_THAT(load_error(), HasSubstr("belongs to uid 1")) << file;
        EXPECT_TRUE(load(tree_.path("etc/hostward.toml"), tree_.path("share"), Trust::AnyOwner).ok()) << file;
        ASSERT_EQ(::chown(tree_.path(file).c_str(), 0, 0), 0);
        ASSERT_TRUE(load_tree().ok());
    }
}

TEST_F(ConfigTrust, AFolderWhereOthersCanPutFilesIsRefusedEvenWhenEmpty)
{
    for (const char* folder : {"etc/policy.d", "etc/presets"}) {
        tree_.remove(folder);
        tree_.directory(folder, 0777);
        EXPECT_THAT(load_error(), HasSubstr(std::string("\"") + folder + "\": another user than root")) << folder;
        tree_.remove(folder);
        ASSERT_TRUE(load_tree().ok());
    }
}

} // namespace
} // namespace hostward::config
