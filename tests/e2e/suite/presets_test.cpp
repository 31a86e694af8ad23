// SPDX-License-Identifier: Apache-2.0
// Every rule of every installed preset, for every user and unit it names: a stand-in there gets through, the same
// program of the same user elsewhere does not. The rules are read from the files, so a new one is tested as it is; that
// no file and no rule is left out is compared with what their text says.
#include "agent/config/guard_config.h"
#include "tests/e2e/support/rows.h"

#include <sys/mount.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace hostward::e2e {
namespace {

namespace fs = std::filesystem;

constexpr uid_t kFirstUid = 64001; ///< of accounts that only the test has
const std::string kMain = std::string(kRunDir) + "/presets-test.toml";
const std::string kCopies = std::string(kRunDir) + "/presets"; ///< beside the policy of every guard of this process

std::vector<std::string> preset_names()
{
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(HOSTWARD_PRESETS)) {
        names.push_back(entry.path().stem());
    }
    std::sort(names.begin(), names.end());
    return names;
}

/// Names of the rules in a preset's file, from its text alone.
std::set<std::string> rule_names_in(const std::string& preset)
{
    constexpr std::string_view kKey = "name = \"";
    std::set<std::string> names;
    std::ifstream file(std::string(HOSTWARD_PRESETS) + "/" + preset + ".toml");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(kKey)) {
            names.insert(line.substr(kKey.size(), line.rfind('"') - kKey.size()));
        }
    }
    return names;
}

std::string include_policy(const std::string& names)
{
    return "[guard]\nmode = \"enforce\"\nforwarded = \"allow\"\ninclude = [" + names + "]\n";
}

class Presets : public AttackTest {
protected:
    void SetUp() override
    {
        ASSERT_NO_FATAL_FAILURE(AttackTest::SetUp());
        std::error_code status;
        fs::create_directories(kCopies, status);
        for (const auto& name : preset_names()) {
            fs::copy_file(fs::path(HOSTWARD_PRESETS) / (name + ".toml"), kCopies + "/" + name + ".toml",
                          fs::copy_options::overwrite_existing, status);
            ASSERT_FALSE(status) << status.message();
        }
    }
    void TearDown() override
    {
        fs::remove_all(std::string(kRunDir) + "/policy.d");
        AttackTest::TearDown();
    }

    /// The rules that a policy with this preset alone has.
    static std::vector<config::Rule> rules_of(const std::string& preset)
    {
        std::ofstream(kMain) << include_policy("\"preset:" + preset + "\"");
        auto config = config::load(kMain);
        EXPECT_TRUE(config) << (config ? "" : config.error().text);
        return config ? config->rules : std::vector<config::Rule>{};
    }

    /// Gives every user of the rules an account, where this process and its children look for it.
    static void make_accounts(const std::vector<config::Rule>& rules)
    {
        for (const auto& rule : rules) {
            for (const auto& user : rule.users) {
                uids_.emplace(user.value, user.value == "root" ? kRoot : kFirstUid + static_cast<uid_t>(uids_.size()));
            }
        }
        const std::string passwd = std::string(kSandbox) + "/passwd";
        std::ofstream file(passwd);
        for (const auto& [name, uid] : uids_) {
            file << name << ":x:" << uid << ":" << uid << "::/:/bin/false\n";
        }
        file.close();
        if (!is_mounted_) {
            ASSERT_EQ(mount(passwd.c_str(), "/etc/passwd", nullptr, MS_BIND, nullptr), 0) << strerror(errno);
            is_mounted_ = true;
        }
    }

    /// A place that the unit or cgroup pattern means, as systemd would make it.
    static std::string place_of(const std::string& pattern)
    {
        std::string path = pattern;
        if (const auto star = path.find('*'); star != std::string::npos) {
            path.replace(star, 1, "eth0");
        }
        if (path.starts_with('/')) {
            return path.substr(1);
        }
        return path.starts_with("session-") ? "user.slice/user-1000.slice/" + path : "system.slice/" + path;
    }
    static std::vector<std::string> places_of(const config::Rule& rule)
    {
        std::vector<std::string> places;
        for (const auto* list : {&rule.units, &rule.cgroups}) {
            for (const auto& pattern : *list) {
                places.push_back(place_of(pattern.value));
            }
        }
        return places;
    }

    static int home_of(const config::Rule& rule)
    {
        return rule.scope == config::Scope::Container ? site().network.container() : site().network.client();
    }
    static int elsewhere_of(const config::Rule& rule)
    {
        return rule.scope == config::Scope::Container ? site().network.client() : site().network.container();
    }

    /// Whether the stand-in gets through.
    static bool reaches(uid_t uid, const std::string& cgroup, int network)
    {
        Launch launch = site().attack({"tcp", kImds4});
        launch.who = user(uid);
        launch.cgroup = cgroup;
        launch.network = network;
        const auto outcome = run(launch);
        EXPECT_TRUE(outcome) << outcome.error().text;
        EXPECT_TRUE(outcome && (outcome->exit_code == 0 || outcome->exit_code == 1)) << outcome->text();
        return outcome && outcome->exit_code == 0;
    }

    static void check_rule(const config::Rule& rule)
    {
        ASSERT_TRUE(rule.exes.empty() && rule.groups.empty()) << "this test has no stand-in for such a rule";
        ASSERT_FALSE(rule.users.empty()) << "who is it for?";
        ASSERT_EQ(rule.action, config::Action::Allow);
        for (const auto& place : places_of(rule)) {
            SCOPED_TRACE(rule.name + " in " + place);
            const auto cgroup = site().cgroups.make(place);
            ASSERT_TRUE(cgroup) << cgroup.error().text;
            for (const auto& name : rule.users) {
                EXPECT_TRUE(reaches(uids_.at(name.value), *cgroup, home_of(rule))) << name.value;
                ++stand_ins_;
            }
            EXPECT_FALSE(reaches(kNobody, *cgroup, home_of(rule))) << "another user in the place";
        }
        check_elsewhere(rule);
    }

    /// The same program of the same user, where the rule does not allow it.
    static void check_elsewhere(const config::Rule& rule)
    {
        SCOPED_TRACE(rule.name);
        const auto cgroup = site().cgroups.make(places_of(rule).front());
        ASSERT_TRUE(cgroup) << cgroup.error().text;
        const uid_t uid = uids_.at(rule.users.front().value);
        // Whatever is in the cgroup of pods is in a container, also in the network of the host.
        const bool does_not_matter =
            rule.scope == config::Scope::Any || places_of(rule).front().starts_with("kubepods");
        EXPECT_EQ(reaches(uid, *cgroup, elsewhere_of(rule)), does_not_matter) << "a container for a host's rule, or so";
        for (const auto& name : rule.users) {
            EXPECT_FALSE(reaches(uids_.at(name.value), site().outside, home_of(rule))) << name.value << " elsewhere";
        }
    }

    /// A policy of this preset alone: its own rules as above, and of those that it includes that they are there.
    static void check_preset(const std::string& preset, std::set<std::string>& tried)
    {
        const auto rules = rules_of(preset);
        ASSERT_FALSE(rules.empty());
        ASSERT_NO_FATAL_FAILURE(make_accounts(rules));
        const Status loaded = site().guard.load(include_policy("\"preset:" + preset + "\""));
        ASSERT_TRUE(loaded) << loaded.error().text;
        for (const auto& rule : rules) {
            if (rule.preset == preset) {
                ASSERT_NO_FATAL_FAILURE(check_rule(rule));
                tried.insert(rule.name);
                continue;
            }
            const auto cgroup = site().cgroups.make(places_of(rule).front());
            ASSERT_TRUE(cgroup) << cgroup.error().text;
            EXPECT_TRUE(reaches(uids_.at(rule.users.front().value), *cgroup, home_of(rule))) << rule.name;
        }
        EXPECT_FALSE(reaches(kRoot, site().outside, site().network.client())) << "root outside of all units";
    }

    inline static std::map<std::string, uid_t> uids_;
    inline static bool is_mounted_ = false;
    inline static int stand_ins_ = 0;
};

TEST_F(Presets, EveryRuleOfEveryPreset)
{
    std::set<std::string> tried;
    std::set<std::string> written;
    for (const auto& preset : preset_names()) {
        SCOPED_TRACE(preset);
        ASSERT_NO_FATAL_FAILURE(check_preset(preset, tried));
        written.merge(rule_names_in(preset));
    }
    EXPECT_GE(preset_names().size(), 20U);
    EXPECT_EQ(tried, written) << "rules tried here, and rules in the files";
    std::printf("%zu presets, %zu rules, %d stand-ins\n", preset_names().size(), tried.size(), stand_ins_);
}

TEST_F(Presets, AnAccountThatIsNotHereIsSaidAndRefusesNothing)
{
    uids_.erase("xray");
    ASSERT_NO_FATAL_FAILURE(make_accounts({}));
    const std::string policy = include_policy("\"preset:xray-daemon\", \"preset:ssm-agent\"");
    ASSERT_TRUE(site().guard.write_policy(policy));
    const auto outcome = site().guard.command({"load", "--json"});
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->exit_code, 0) << outcome->text();
    EXPECT_NE(outcome->out.find(R"(matches nothing here: no user \"xray\")"), std::string::npos) << outcome->out;
    EXPECT_NE(outcome->err.find("match nothing on this host now: 1"), std::string::npos) << outcome->err;
    ASSERT_TRUE(site().guard.load(policy)) << "and is unloaded at the end";
    const auto ssm = site().cgroups.make("system.slice/amazon-ssm-agent.service");
    const auto xray = site().cgroups.make("system.slice/xray.service");
    ASSERT_TRUE(ssm && xray);
    EXPECT_TRUE(reaches(kRoot, *ssm, site().network.client()));
    EXPECT_FALSE(reaches(kFirstUid, *xray, site().network.client()));
}

TEST_F(Presets, AReloadReadsDropInsToo)
{
    const std::string folder = std::string(kRunDir) + "/policy.d";
    fs::create_directories(folder);
    auto agent = site().guard.start_agent(include_policy("\"preset:ssm-agent\""));
    ASSERT_TRUE(agent) << agent.error().text;
    const auto unit = site().cgroups.make("system.slice/own.service");
    const auto ssm = site().cgroups.make("system.slice/amazon-ssm-agent.service");
    ASSERT_TRUE(unit && ssm);
    EXPECT_FALSE(reaches(kRoot, *unit, site().network.client()));

    const auto reload = [&](const std::string& name, const std::string& text, const char* expected) {
        std::ofstream(folder + "/" + name) << text;
        agent->signal(SIGHUP);
        const auto line = agent->await_line(expected, Milliseconds(20'000), true);
        EXPECT_TRUE(line) << line.error().text;
    };
    reload("50-own.toml",
           "[[guard.rule]]\nname = \"own\"\naction = \"allow\"\nuser = [\"root\"]\nunit = [\"own.service\"]\n",
           "with 2 rules is in force");
    EXPECT_TRUE(reaches(kRoot, *unit, site().network.client()));
    reload("60-broken.toml", "[[guard.rule]]\nname = \"x\"\n", "the policy in force stays");
    EXPECT_TRUE(reaches(kRoot, *unit, site().network.client())) << "a broken drop-in changes nothing";
    fs::remove(folder + "/60-broken.toml");
    EXPECT_TRUE(reaches(kRoot, *ssm, site().network.client()));
    reload("70-ssm.toml",
           "[[guard.rule]]\nname = \"ssm-agent.agent\"\naction = \"deny\"\nuser = [\"root\"]\n"
           "unit = [\"amazon-ssm-agent.service\"]\n"
           "[[guard.rule]]\nname = \"third\"\naction = \"allow\"\nuser = [1]\n",
           "with 3 rules is in force");
    EXPECT_FALSE(reaches(kRoot, *ssm, site().network.client())) << "an own rule replaces that of the preset";
    agent->signal(SIGTERM);
    EXPECT_EQ(agent->finish(Milliseconds(10'000)).exit_code, 0);
}

} // namespace
} // namespace hostward::e2e
