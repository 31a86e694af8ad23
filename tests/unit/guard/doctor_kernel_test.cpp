// SPDX-License-Identifier: Apache-2.0
// What the doctor says of a kernel and a guard, each fact broken alone: that finding changes and no other.
#include "tests/unit/guard/doctor_fixture.h"

#include <algorithm>
#include <set>

namespace hostward::guard {
namespace {

using enum Severity;

Trial fails() { return {Trial::Outcome::Fails, "the kernel says no"}; }
hostward::Error nobody_looked() { return hostward::Error{ErrorKind::Denied, EACCES, "Permission denied"}; }

TEST(Doctor, SaysNothingAboutAHealthyHost)
{
    EXPECT_EQ(complaints(healthy()), Complaints{});
    EXPECT_EQ(worst_of(diagnose(healthy())), Ok);
    EXPECT_EQ(worst_of({}), Ok);
}

TEST(Doctor, AsksEveryQuestionOnce)
{
    std::set<std::string> ids;
    for (const auto& finding : diagnose(healthy())) {
        EXPECT_TRUE(ids.insert(finding.id).second) << finding.id;
        EXPECT_FALSE(finding.title.empty()) << finding.id;
        EXPECT_FALSE(finding.group.empty()) << finding.id;
    }
    EXPECT_EQ(ids.size(), 42U);
}

// Facts that nobody looked at: not one question may be answered with "ok".
TEST(Doctor, WhatWasNotLookedAtIsNeverFine)
{
    const DoctorFacts nothing;
    for (const auto& finding : diagnose(nothing)) {
        EXPECT_EQ(finding.severity, CannotTell) << finding.id << ": " << finding.title;
        EXPECT_FALSE(finding.evidence.empty()) << finding.id << " does not say why";
    }
}

TEST(Doctor, ARemedyStandsBesideEveryProblem)
{
    DoctorFacts facts = healthy();
    facts.trials.clear();
    facts.kernel = {};
    facts.kernel.release = "4.14.0";
    facts.kernel.uid = 1000;
    for (const auto& finding : diagnose(facts)) {
        EXPECT_TRUE(finding.severity <= Info || !finding.remedy.empty()) << finding.id;
    }
}

TEST(DoctorKernel, Version)
{
    DoctorFacts facts = healthy();
    facts.kernel.release = "5.7.19";
    EXPECT_EQ(complaints(facts), (Complaints{{"kernel-version", Warning}}));
    facts.kernel.release = "5.8.0-1";
    EXPECT_EQ(complaints(facts), Complaints{});
    facts.kernel.release = "10.0";
    EXPECT_EQ(complaints(facts), Complaints{});
    facts.kernel.release = "strange";
    EXPECT_EQ(complaints(facts), (Complaints{{"kernel-version", CannotTell}, {"memlock", CannotTell}}));
}

TEST(DoctorKernel, Capabilities)
{
    constexpr std::uint64_t kNetAdmin = 1U << 12;
    constexpr std::uint64_t kSysAdmin = 1U << 21;
    constexpr std::uint64_t kBpf = std::uint64_t{1} << 39;
    DoctorFacts facts = healthy();
    facts.kernel.capabilities = ~kNetAdmin;
    EXPECT_EQ(complaints(facts), (Complaints{{"capabilities", Error}}));
    const auto finding = finding_of(facts, "capabilities");
    ASSERT_EQ(finding.evidence.size(), 1U);
    EXPECT_TRUE(finding.evidence[0].starts_with("CAP_NET_ADMIN:")) << finding.evidence[0];
    facts.kernel.capabilities = ~kBpf; // CAP_SYS_ADMIN stands for it
    EXPECT_EQ(complaints(facts), Complaints{});
    facts.kernel.capabilities = ~(kBpf | kSysAdmin);
    EXPECT_EQ(finding_of(facts, "capabilities").evidence.size(), 2U);
    facts.kernel.uid = 1000; // an ordinary user is no defect of the host
    EXPECT_EQ(finding_of(facts, "capabilities").severity, CannotTell);
}

TEST(DoctorKernel, Btf)
{
    DoctorFacts facts = healthy();
    facts.kernel.has_btf = false;
    EXPECT_EQ(complaints(facts), (Complaints{{"btf", Error}}));
}

TEST(DoctorKernel, LockdownIsAnErrorOnlyWhereItStopsTheGuard)
{
    DoctorFacts facts = healthy();
    facts.kernel.lockdown = std::string("integrity");
    EXPECT_EQ(complaints(facts), (Complaints{{"lockdown", Info}}));
    facts.kernel.lockdown = std::string("confidentiality");
    EXPECT_EQ(complaints(facts), (Complaints{{"lockdown", Info}}));
    facts.trials[trial::kConnect4] = fails();
    EXPECT_EQ(complaints(facts), (Complaints{{"lockdown", Error}, {"layer-connect", Error}}));
    facts.kernel.lockdown = std::string(); // the kernel has no such module
    EXPECT_EQ(complaints(facts), (Complaints{{"layer-connect", Error}}));
}

TEST(DoctorKernel, LockedMemoryCountsBefore511)
{
    constexpr std::uint64_t kSysResource = 1U << 24;
    DoctorFacts facts = healthy();
    facts.kernel.release = "5.10.0-30-cloud-amd64";
    facts.kernel.memlock = std::uint64_t{65536};
    EXPECT_EQ(complaints(facts), Complaints{}); // root can raise it
    facts.kernel.capabilities = ~kSysResource;
    EXPECT_EQ(complaints(facts), (Complaints{{"memlock", Error}}));
    facts.kernel.memlock = ~std::uint64_t{0};
    EXPECT_EQ(complaints(facts), Complaints{});
    facts.kernel.memlock = std::uint64_t{65536};
    facts.kernel.release = "5.11.0";
    EXPECT_EQ(complaints(facts), Complaints{});
}

TEST(DoctorKernel, Places)
{
    DoctorFacts facts = healthy();
    facts.place.pins_on_bpffs = false;
    EXPECT_EQ(complaints(facts), (Complaints{{"bpffs", Error}}));
    facts = healthy();
    facts.place.cgroup2_mounts = std::vector<std::string>{};
    EXPECT_EQ(complaints(facts), (Complaints{{"cgroup2", Error}}));
    facts = healthy();
    facts.place.cgroup1_mounts = std::vector<std::string>{"/sys/fs/cgroup/cpu"};
    EXPECT_EQ(complaints(facts), (Complaints{{"cgroup-hybrid", Info}}));
}

TEST(DoctorKernel, UnitsThatNobodyKeepsMatterWhereRulesNameThem)
{
    DoctorFacts facts = healthy();
    facts.place.init_cgroup = std::string("/");
    EXPECT_EQ(complaints(facts), (Complaints{{"cgroup-units", Warning}}));
    auto config = policy_of({rule("alice")});
    config.rules[0].users = list({"alice"});
    config.seal_until_reboot = true;
    set_policy(facts, config);
    EXPECT_EQ(complaints(facts), (Complaints{{"cgroup-units", Info}}));
}

TEST(DoctorLsm, TheRemedyKeepsTheListAndSpeaksTheDistributionsTool)
{
    DoctorFacts facts = healthy();
    facts.kernel.security_modules = std::vector<std::string>{"lockdown", "yama", "apparmor"};
    EXPECT_EQ(complaints(facts), (Complaints{{"lsm-list", Warning}, {"layer-lsm", Warning}, {"layer-seal", Warning}}));
    const auto first_step = [&](BootTool tool) {
        facts.kernel.boot_tool = tool;
        return finding_of(facts, "lsm-list").remedy.at(0);
    };
    EXPECT_EQ(first_step(BootTool::Grubby), "grubby --update-kernel=ALL --args=\"lsm=lockdown,yama,apparmor,bpf\"");
    EXPECT_EQ(first_step(BootTool::UpdateGrub), "write to /etc/default/grub.d/99-hostward.cfg: GRUB_CMDLINE_LINUX="
                                                "\"$GRUB_CMDLINE_LINUX lsm=lockdown,yama,apparmor,bpf\"");
    EXPECT_EQ(finding_of(facts, "lsm-list").remedy.at(1), "update-grub");
    EXPECT_NE(first_step(BootTool::Bottlerocket).find("[\"lockdown,yama,apparmor,bpf\"]"), std::string::npos);
    EXPECT_EQ(first_step(BootTool::Unknown), "add to the kernel's boot parameters: lsm=lockdown,yama,apparmor,bpf");
    EXPECT_EQ(finding_of(facts, "lsm-list").open,
              (std::vector<std::string>{"packet-qdisc-bypass", "af-xdp", "passed-descriptor", "ptrace"}));
}

TEST(DoctorLsm, ABootParameterDoesNotHelpAKernelBuiltWithout)
{
    DoctorFacts facts = healthy();
    facts.kernel.security_modules = std::vector<std::string>{"yama"};
    facts.kernel.has_bpf_lsm = false;
    EXPECT_EQ(finding_of(facts, "lsm-list").remedy, std::vector<std::string>{"boot a kernel with CONFIG_BPF_LSM=y"});
}

TEST(DoctorLsm, ProgramsThatAttachButMayNeverRunAreNotFine)
{
    DoctorFacts facts = healthy();
    facts.kernel.security_modules = nobody_looked();
    EXPECT_EQ(complaints(facts),
              (Complaints{{"lsm-list", CannotTell}, {"layer-lsm", CannotTell}, {"layer-seal", CannotTell}}));
}

TEST(DoctorLayers, EachTrialHasItsFinding)
{
    const std::map<std::string, std::pair<std::string, Severity>> expected{
        {trial::kConnect4, {"layer-connect", Error}}, {trial::kConnect6, {"layer-connect", Error}},
        {trial::kSendmsg4, {"layer-connect", Error}}, {trial::kSendmsg6, {"layer-connect", Error}},
        {trial::kEgress, {"layer-egress", Error}},    {trial::kTags, {"socket-tags", Error}},
        {trial::kEvents, {"event-ring", Error}},      {trial::kExeFacts, {"exe-facts", Error}},
        {trial::kTc, {"layer-tc", Warning}},          {"guard_ptrace", {"layer-lsm", Warning}},
        {"seal_bpf", {"layer-seal", Warning}},
    };
    for (const auto& [name, finding] : expected) {
        DoctorFacts facts = healthy();
        facts.trials[name] = fails();
        EXPECT_EQ(complaints(facts), (Complaints{{finding.first, finding.second}})) << name;
        facts.trials.erase(name);
        EXPECT_EQ(complaints(facts), (Complaints{{finding.first, CannotTell}})) << name;
    }
}

TEST(DoctorLayers, OnlyTheRowsOfTheMissingProgramStayOpen)
{
    DoctorFacts facts = healthy();
    facts.trials["guard_ptrace"] = fails();
    EXPECT_EQ(finding_of(facts, "layer-lsm").open, std::vector<std::string>{"ptrace"});
    facts.trials[trial::kSendmsg6] = fails();
    const auto open = finding_of(facts, "layer-connect").open;
    EXPECT_EQ(std::ranges::count(open, "udp"), 1);
    EXPECT_EQ(std::ranges::count(open, "tcp"), 0) << "connect works";
}

TEST(DoctorLayers, ASealThatNobodyAsksForIsNoProblem)
{
    DoctorFacts facts = healthy();
    facts.trials["seal_bpf"] = fails();
    auto config = *facts.policy.config;
    config.seal_until_reboot = false;
    set_policy(facts, config);
    EXPECT_EQ(complaints(facts), (Complaints{{"layer-seal", Info}, {"seal", Info}}));
}

TEST(DoctorGuard, NotLoadedLeavesEveryRowOpen)
{
    DoctorFacts facts = healthy();
    facts.run.status->loaded = false;
    EXPECT_EQ(complaints(facts), (Complaints{{"guard-loaded", Error},
                                             {"hooks-attached", Info},
                                             {"pins", Info},
                                             {"agent", Info},
                                             {"policy-in-force", Info},
                                             {"resolver", Info},
                                             {"events-lost", Info},
                                             {"boot-before-network", Info}}));
    EXPECT_EQ(finding_of(facts, "guard-loaded").open.size(), rows().size());
}

TEST(DoctorGuard, HooksThatAreMissing)
{
    DoctorFacts facts = healthy();
    facts.run.status->layers[2] = {"tc", LayerState::Partial, "not on interface eth1", {"eth0"}};
    EXPECT_EQ(complaints(facts), (Complaints{{"hooks-attached", Warning}}));
    EXPECT_EQ(finding_of(facts, "hooks-attached").open, (std::vector<std::string>{"af-packet", "forwarded"}));
    facts.run.status->layers[1] = {"egress", LayerState::Off, "not attached: guard_egress", {}};
    EXPECT_EQ(complaints(facts), (Complaints{{"hooks-attached", Error}}));
}

TEST(DoctorGuard, RunningState)
{
    DoctorFacts facts = healthy();
    facts.run.status->agent_running = false;
    EXPECT_EQ(complaints(facts), (Complaints{{"agent", Warning}}));
    facts = healthy();
    facts.run.missing_pins = std::vector<std::string>{"link_guard_egress"};
    EXPECT_EQ(complaints(facts), (Complaints{{"pins", Error}}));
    facts = healthy();
    facts.run.other_pins = std::vector<std::string>{"/sys/fs/bpf/hostward/v0"};
    EXPECT_EQ(complaints(facts), (Complaints{{"pins", Warning}}));
    facts = healthy();
    facts.run.status->policy_digest = std::string(64, '0');
    EXPECT_EQ(complaints(facts), (Complaints{{"policy-in-force", Warning}}));
    facts = healthy();
    facts.run.stale_facts = std::vector<std::string>{"rule \"x\": program with inode 5 is not in the kernel's tables"};
    EXPECT_EQ(complaints(facts), (Complaints{{"resolver", Warning}}));
    facts = healthy();
    facts.run.status->lost["flows_full"] = 3;
    EXPECT_EQ(complaints(facts), (Complaints{{"events-lost", Warning}}));
    facts = healthy();
    facts.run.status->audit = true;
    EXPECT_EQ(complaints(facts), (Complaints{{"audit-mode", Info}}));
}

TEST(DoctorGuard, ManyConnectionsAreCountedAndAFewAreNamed)
{
    DoctorFacts facts = healthy();
    facts.run.sockets = std::vector<OpenSocket>(20, {"169.254.169.254:80", "", 5});
    const auto finding = finding_of(facts, "connections");
    EXPECT_EQ(finding.severity, Info);
    EXPECT_TRUE(finding.title.ends_with(": 20")) << finding.title;
    EXPECT_EQ(finding.evidence.size(), 8U);
    EXPECT_EQ(finding.evidence[0], "169.254.169.254:80 uid 5 process unknown");
}

TEST(DoctorBoot, Unit)
{
    DoctorFacts facts = healthy();
    facts.boot.unit->is_enabled = false;
    EXPECT_EQ(complaints(facts), (Complaints{{"boot-unit", Warning}}));
    facts.boot.unit->is_masked = true;
    EXPECT_EQ(complaints(facts), (Complaints{{"boot-unit", Warning}, {"boot-order", Info}}));
    facts.boot.unit = host::UnitFile{};
    EXPECT_EQ(complaints(facts), (Complaints{{"boot-unit", Warning}, {"boot-order", Info}}));
    facts = healthy();
    facts.boot.is_systemd = false;
    EXPECT_EQ(complaints(facts), (Complaints{{"boot-unit", CannotTell}, {"boot-order", CannotTell}}));
}

TEST(DoctorBoot, Order)
{
    DoctorFacts facts = healthy();
    facts.boot.unit->before = {"network-pre.target"};
    EXPECT_EQ(complaints(facts), (Complaints{{"boot-order", Warning}}));
    EXPECT_NE(finding_of(facts, "boot-order").evidence.at(0).find("cloud-init-local.service"), std::string::npos);
    facts = healthy();
    facts.boot.unit->has_default_dependencies = true;
    EXPECT_EQ(complaints(facts), (Complaints{{"boot-order", Warning}}));
}

TEST(DoctorBoot, BeforeTheNetwork)
{
    DoctorFacts facts = healthy();
    facts.boot.loaded_us = std::uint64_t{3'000'000};
    EXPECT_EQ(complaints(facts), (Complaints{{"boot-before-network", Warning}}));
    facts.boot.network_pre_us = std::uint64_t{0};
    EXPECT_EQ(complaints(facts), (Complaints{{"boot-before-network", CannotTell}}));
    facts.boot.network_pre_us = nobody_looked();
    EXPECT_EQ(complaints(facts), (Complaints{{"boot-before-network", CannotTell}}));
}

} // namespace
} // namespace hostward::guard
