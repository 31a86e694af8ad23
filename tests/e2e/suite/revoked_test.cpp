// SPDX-License-Identifier: Apache-2.0
// What an earlier policy let through ends with it, and what is allowed for one endpoint opens no other.
#include "tests/e2e/suite/identity_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace hostward::e2e {
namespace {

constexpr uid_t kTemporary = 1001;

class Revoked : public IdentityTest {
protected:
    static std::string policy_with(const std::string& more, const char* mode = "enforce")
    {
        return std::string("[guard]\nmode = \"") + mode + "\"\n" + more +
               "[[guard.rule]]\nname = \"allowed-unit\"\naction = \"allow\"\nuser = [\"0\"]\nunit = "
               "[\"allowed.service\"]\n";
    }

    /// Opens under `before`, asks under `after`.
    static Outcome held_over(const Launch& launch, const std::string& before, const std::string& after)
    {
        const Status loaded = site().guard.load(before);
        EXPECT_TRUE(loaded) << loaded.error().text;
        const auto outcome = after_start(launch, [&](Child&) {
            site().network.imds().reset();
            return site().guard.load(after);
        });
        EXPECT_TRUE(outcome) << outcome.error().text;
        return outcome ? *outcome : Outcome{};
    }

    static Launch holder(const char* protocol, const char* address, const Launch& as)
    {
        Launch launch = as;
        launch.argv = {attack_path("held"), protocol, address};
        return launch;
    }
};

std::string allow_user(uid_t uid)
{
    return "[[guard.rule]]\nname = \"temporary\"\naction = \"allow\"\nuser = [\"" + std::to_string(uid) + "\"]\n";
}

TEST_F(Revoked, AConnectionEndsWithTheRuleThatAllowedIt)
{
    Launch temporary = site().attack({"tcp"});
    temporary.who = user(kTemporary);
    for (const char* protocol : {"tcp", "udp"}) {
        for (const char* address : {kImds4, kImds6}) {
            const Launch launch = holder(protocol, address, temporary);
            const Outcome kept =
                held_over(launch, policy_with(allow_user(kTemporary)), policy_with(allow_user(kTemporary)));
            EXPECT_EQ(kept.exit_code, 0) << protocol << " " << address << " under the same policy: " << kept.text();
            const Outcome ended = held_over(launch, policy_with(allow_user(kTemporary)), policy_with(""));
            EXPECT_EQ(ended.exit_code, 1) << protocol << " " << address << ": " << ended.text();
            EXPECT_EQ(site().network.imds().arrivals(), 0U) << site().network.imds().text();
        }
    }
}

TEST_F(Revoked, AConnectionOutlivesAChangeThatStillAllowsIt)
{
    const Launch launch = holder("tcp", kImds4, site().as_allowed({"tcp"}));
    const Outcome outcome = held_over(launch, policy_with(""), policy_with(allow_user(kTemporary)));
    // Either it goes on, or it is reset at once and the client connects again. What it must not do is hang.
    EXPECT_TRUE(outcome.exit_code == 0 || outcome.out.find("ECONN") != std::string::npos) << outcome.text();
}

TEST_F(Revoked, WhatAuditLetPassEndsWithEnforce)
{
    const Launch launch = holder("tcp", kImds4, site().attack({"tcp"}));
    const Outcome audited = held_over(launch, policy_with("", "audit"), policy_with("", "audit"));
    EXPECT_EQ(audited.exit_code, 0) << "audit mode must let pass: " << audited.text();
    const Outcome enforced = held_over(launch, policy_with("", "audit"), policy_with(""));
    EXPECT_EQ(enforced.exit_code, 1) << enforced.text();
    EXPECT_EQ(site().network.imds().arrivals(), 0U) << site().network.imds().text();
}

TEST_F(Revoked, OneEndpointIsNotTheOther)
{
    // nobody may reach the endpoint `ecs`, whose address the network translates to that of `imds`.
    const Status set = nft(site().network.client(), "table inet hw_confuse {\n chain output {\n"
                                                    "  type nat hook output priority -100;\n"
                                                    "  ip daddr 169.254.170.2 dnat ip to 169.254.169.254\n }\n}\n");
    ASSERT_TRUE(set) << set.error().text;
    const std::string policy =
        "[guard]\nmode = \"enforce\"\n"
        "[[guard.endpoint]]\nname = \"imds\"\naddresses = [\"169.254.169.254\", \"fd00:ec2::254\"]\n"
        "[[guard.endpoint]]\nname = \"ecs\"\naddresses = [\"169.254.170.2\"]\n"
        "[[guard.rule]]\nname = \"ecs\"\naction = \"allow\"\nuser = [\"65534\"]\nendpoint = \"ecs\"\n";
    for (const auto& argv : {std::vector<std::string>{"tcp", "169.254.170.2"}, {"udp", "sendto", "169.254.170.2"}}) {
        const auto off = run(site().attack(argv));
        ASSERT_TRUE(off) << off.error().text;
        ASSERT_EQ(off->exit_code, 0) << "vacuous: " << off->text();
        ASSERT_TRUE(site().guard.load(policy));
        site().network.imds().reset();
        const auto on = run(site().attack(argv));
        ASSERT_TRUE(on) << on.error().text;
        EXPECT_EQ(on->exit_code, 1) << on->text();
        EXPECT_EQ(site().network.imds().arrivals(), 0U) << site().network.imds().text();
        take_down();
    }
    ASSERT_TRUE(nft(site().network.client(), "delete table inet hw_confuse\n"));
}

TEST_F(Revoked, ASetgidHelperIsNotTheGroup)
{
    constexpr gid_t group = 4242;
    const std::string helper = std::string(kScratch) + "/setgid-helper";
    ASSERT_NO_FATAL_FAILURE(install_program(helper, "tcp", kRoot, 0755));
    ASSERT_EQ(chown(helper.c_str(), 0, group), 0);
    ASSERT_EQ(chmod(helper.c_str(), 02755), 0);
    const Status loaded = site().guard.load(rule("group = [\"4242\"]"));
    ASSERT_TRUE(loaded) << loaded.error().text;
    Launch launch = site().attack({"tcp", kImds4});
    Launch member = launch;
    member.who.groups = {group};
    launch.argv[0] = helper;
    const auto by_helper = run(launch);
    const auto by_member = run(member);
    ASSERT_TRUE(by_helper && by_member);
    EXPECT_EQ(by_helper->exit_code, 1) << by_helper->text();
    EXPECT_EQ(by_member->exit_code, 0) << by_member->text();
}

} // namespace
} // namespace hostward::e2e
