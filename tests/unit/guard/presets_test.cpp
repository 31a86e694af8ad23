// SPDX-License-Identifier: Apache-2.0
// The installed presets, read and compiled as on a host.
#include "tests/unit/guard/fake_resolver.h"
#include "tests/unit/host/temp_tree.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <set>

namespace hostward::guard {
namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;
using testing::SizeIs;

/// Every account that a rule names exists.
class FullHost : public FakeResolver {
public:
    std::optional<std::uint32_t> user(const std::string& name) override
    {
        return known_.emplace(name, known_.size()).first->second;
    }

private:
    std::map<std::string, std::uint32_t> known_{{"root", 0}};
};

/// Copies, because root reads no policy from a folder that another user owns, as a checkout may be.
class Presets : public testing::Test {
protected:
    Presets()
    {
        for (const auto& entry : fs::directory_iterator(HOSTWARD_PRESETS)) {
            std::ifstream file(entry.path());
            tree_.write("share/" + entry.path().filename().string(),
                        std::string(std::istreambuf_iterator<char>(file), {}));
            names_.insert(entry.path().stem());
        }
    }
    [[nodiscard]] config::GuardConfig include(const std::set<std::string>& names)
    {
        std::string list;
        for (const auto& name : names) {
            list += "\"preset:" + name + "\", ";
        }
        tree_.write("etc/hostward.toml", "[guard]\ninclude = [" + list + "]\n");
        auto config = config::load(tree_.path("etc/hostward.toml"), tree_.path("share"));
        EXPECT_TRUE(config.ok()) << (config.ok() ? "" : config.error().text);
        return config.ok() ? config.take() : config::GuardConfig{};
    }

    host::TempTree tree_;
    std::set<std::string> names_;
};

TEST_F(Presets, EachCompilesWithoutAWarningOnAHostThatHasAllOfIt)
{
    ASSERT_GE(names_.size(), 20U);
    for (const auto& name : names_) {
        const auto config = include({name});
        EXPECT_THAT(config.rules, testing::Not(IsEmpty())) << name;
        FullHost resolver;
        const auto policy = must_compile(config, resolver);
        EXPECT_THAT(policy.warnings, IsEmpty()) << name;
        EXPECT_THAT(policy.notes, IsEmpty()) << name;
        for (const auto& rule : config.rules) {
            EXPECT_NE(rule.why, "") << rule.name;
            EXPECT_NE(rule.preset, "") << rule.name;
        }
    }
}

TEST_F(Presets, AllTogetherFitAndLeaveRoomForOwnPatterns)
{
    FullHost resolver;
    const auto policy = must_compile(include(names_), resolver);
    EXPECT_LE(policy.head.shape_count, HW_SHAPES_MAX - 4U);
}

TEST_F(Presets, AHostWithoutTheAccountsIsToldSoAndNotRefused)
{
    FakeResolver resolver;
    const auto policy = must_compile(include({"cloudwatch-agent", "xray-daemon", "ec2-instance-connect"}), resolver);
    EXPECT_THAT(policy.warnings, IsEmpty());
    EXPECT_THAT(policy.notes, SizeIs(2)) << "the CloudWatch agent may still be root";
}

TEST_F(Presets, DistributionsLeaveTheWideOnesOutUnlessTheySaySo)
{
    for (const char* name : {"amazon-linux-2023", "ubuntu", "debian", "rhel"}) {
        for (const auto& rule : include({name}).rules) {
            EXPECT_NE(rule.preset, "amazon-ec2-utils") << name;
            EXPECT_NE(rule.preset, "eks-vpc-cni") << name;
            EXPECT_TRUE(rule.preset != "rhui-sessions" || std::string(name) == "rhel") << name;
        }
    }
}

} // namespace
} // namespace hostward::guard
