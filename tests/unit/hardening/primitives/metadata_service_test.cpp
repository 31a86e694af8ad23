// SPDX-License-Identifier: Apache-2.0
// The metadata service, the guard and the machine, as the surroundings tell of them.
#include "tests/unit/hardening/primitives/ec2_ask.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;
using testing::HasSubstr;
using testing::Not;

Outcome ask(const Primitive& primitive, FakeSurroundings& around, Given given = {})
{
    const MemoryHost host;
    return outcome_of(primitive, host, around, std::move(given));
}

std::string token_verdict(int status)
{
    FakeSurroundings around;
    around.access = MetadataAccess{status, 1};
    return word_of(ask(kImdsTokenPrimitive, around));
}

TEST(ImdsToken, OnlyARefusalPasses)
{
    EXPECT_EQ(token_verdict(401), "pass");
    EXPECT_EQ(token_verdict(403), "pass"); // turned off
    EXPECT_EQ(token_verdict(200), "fail");
    EXPECT_EQ(token_verdict(206), "fail");
    EXPECT_EQ(token_verdict(404), "fail"); // it looked the item up
    for (const int status : {0, 100, 302, 400, 405, 429, 500, 503}) {
        EXPECT_THAT(token_verdict(status), HasSubstr("cannot-tell")) << status;
    }
}

TEST(ImdsToken, NobodyThereIsNotARefusal)
{
    FakeSurroundings around;
    EXPECT_EQ(word_of(ask(kImdsTokenPrimitive, around)), "cannot-tell: nobody there");
    EXPECT_EQ(word_of(ask(kImdsHopLimitPrimitive, around, {{"at_most", std::int64_t{2}}})),
              "cannot-tell: nobody there");
    const MemoryHost host;
    EXPECT_THAT(word_of(outcome_of(kImdsTokenPrimitive, host, no_surroundings())),
                HasSubstr("only a running instance"));
}

TEST(ImdsHopLimit, IsComparedWithTheParameter)
{
    for (const auto& [limit, most, wanted] : {std::tuple{1, 2, "pass"},
                                              {2, 2, "pass"},
                                              {3, 2, "fail"},
                                              {64, 2, "fail"},
                                              {2, 1, "fail"},
                                              {64, 64, "pass"}}) {
        FakeSurroundings around;
        around.access = MetadataAccess{401, limit};
        EXPECT_EQ(word_of(ask(kImdsHopLimitPrimitive, around, {{"at_most", std::int64_t{most}}})), wanted)
            << limit << " of " << most;
    }
}

TEST(ImdsHopLimit, AnAnswerThatDidNotComeIsNotALimit)
{
    FakeSurroundings around;
    around.access = MetadataAccess{401, Error{ErrorKind::System, 0, "no answer"}};
    EXPECT_EQ(word_of(ask(kImdsHopLimitPrimitive, around, {{"at_most", std::int64_t{2}}})), "cannot-tell: no answer");
}

TEST(ImdsTags, AnItemThatIsThereFailsWithoutItsNames)
{
    FakeSurroundings around;
    EXPECT_EQ(word_of(ask(kImdsTagsPrimitive, around)), "pass");
    around.items.emplace("meta-data/tags/instance", std::string("Name\nowner-secret\n"));
    const auto outcome = ask(kImdsTagsPrimitive, around);
    EXPECT_EQ(word_of(outcome), "fail");
    EXPECT_THAT(evidence_of(outcome), HasSubstr("2 tags"));
    EXPECT_THAT(evidence_of(outcome), Not(HasSubstr("owner-secret")));
    around.items.clear();
    around.items.emplace("meta-data/tags/instance", Error{ErrorKind::Denied, 0, "403"});
    EXPECT_EQ(word_of(ask(kImdsTagsPrimitive, around)), "cannot-tell: 403");
}

TEST(InstanceRole, ItsAbsenceIsWhatTheParameterSays)
{
    FakeSurroundings around;
    EXPECT_EQ(word_of(ask(kInstanceRolePrimitive, around, {{"absent", std::string("manual")}})), "manual");
    EXPECT_EQ(word_of(ask(kInstanceRolePrimitive, around, {{"absent", std::string("fail")}})), "fail");
    EXPECT_EQ(word_of(ask(kInstanceRolePrimitive, around, {{"absent", std::string("pass")}})), "pass");
    around.items.emplace(
        "meta-data/iam/info",
        std::string(R"({"Code":"Success","InstanceProfileArn" : "arn:aws:iam::1:instance-profile/p"})"));
    const auto outcome = ask(kInstanceRolePrimitive, around, {{"absent", std::string("fail")}});
    EXPECT_EQ(word_of(outcome), "pass");
    EXPECT_THAT(evidence_of(outcome), HasSubstr("arn:aws:iam::1:instance-profile/p"));
}

Outcome guard(FakeSurroundings& around, const std::string& question)
{
    return ask(kGuardPrimitive, around, {{"is", question}, {"optional", std::vector<std::string>{"seal"}}});
}

TEST(Guard, NotLoadedFailsEverything)
{
    FakeSurroundings around;
    EXPECT_THAT(word_of(guard(around, "loaded")), HasSubstr("only root"));
    around.guard_facts = GuardFacts{};
    for (const auto* question : {"loaded", "enforcing", "layers"}) {
        EXPECT_EQ(word_of(guard(around, question)), "fail") << question;
    }
}

TEST(Guard, AuditIsLoadedAndDoesNotEnforce)
{
    FakeSurroundings around;
    around.guard_facts = GuardFacts{true, true, {{"connect", true, true, ""}}};
    EXPECT_EQ(word_of(guard(around, "loaded")), "pass");
    EXPECT_EQ(word_of(guard(around, "enforcing")), "fail");
    EXPECT_EQ(word_of(guard(around, "layers")), "pass");
}

TEST(Guard, ALayerMayBeOffOnlyWhereTheKernelOrTheRuleSaysSo)
{
    FakeSurroundings around;
    const auto with = [&](GuardLayer layer) {
        around.guard_facts = GuardFacts{true, false, {{"connect", true, true, ""}, std::move(layer)}};
        return word_of(guard(around, "layers"));
    };
    EXPECT_EQ(with({"lsm", true, true, ""}), "pass");
    EXPECT_EQ(with({"lsm", false, false, "no BPF LSM"}), "pass");
    EXPECT_EQ(with({"lsm", false, true, "not attached"}), "fail");
    EXPECT_EQ(with({"seal", false, true, "off in the policy"}), "pass");
    around.guard_facts = GuardFacts{true, false, {}};
    EXPECT_EQ(word_of(guard(around, "layers")), "fail");
}

TEST(InstancePlatform, CollectsFactsOfARunningHost)
{
    MemoryHost host;
    FakeSurroundings around;
    host.file("/sys/devices/virtual/dmi/id/sys_vendor", "Amazon EC2\n");
    const auto outcome = outcome_of(kInstancePlatformPrimitive, host, around);
    EXPECT_EQ(word_of(outcome), "manual");
    EXPECT_THAT(evidence_of(outcome), HasSubstr("Amazon EC2"));
    EXPECT_THAT(evidence_of(outcome), HasSubstr("secure boot | none"));
    host.file("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
              std::string("\6\0\0\0\1", 5));
    EXPECT_THAT(evidence_of(outcome_of(kInstancePlatformPrimitive, host, around)), HasSubstr("secure boot | on"));
    host.image();
    EXPECT_THAT(word_of(outcome_of(kInstancePlatformPrimitive, host, around)), HasSubstr("cannot-tell"));
}

} // namespace
} // namespace hostward::hardening
