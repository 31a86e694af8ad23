// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace hostward::guard {
namespace {

std::vector<LayerStatus> everything()
{
    return {{"connect", LayerState::On, "", {"guard_connect4", "guard_connect6", "guard_sendmsg4", "guard_sendmsg6"}},
            {"egress", LayerState::On, "", {"guard_egress"}},
            {"tc", LayerState::On, "", {"eth0"}},
            {"lsm",
             LayerState::On,
             "",
             {"guard_socket_create", "guard_setsockopt", "guard_ptrace", "guard_exec", "guard_file_receive"}},
            {"seal",
             LayerState::On,
             "",
             {"seal_bpf", "seal_bpf_map", "seal_unlink", "seal_rmdir", "seal_rename", "seal_umount"}}};
}

RowContext sealed()
{
    RowContext context;
    context.sealed = true;
    return context;
}

std::set<std::string> open_rows(const std::vector<LayerStatus>& layers, const RowContext& context)
{
    std::set<std::string> open;
    for (const auto& row : rows_status(layers, context)) {
        EXPECT_EQ(row.closed, row.why.empty()) << row.id << ": an open row says why, a closed one needs no excuse";
        EXPECT_FALSE(row.by.empty());
        if (!row.closed) {
            open.insert(row.id);
        }
    }
    return open;
}

const std::set<std::string> kSeal{"link-detach", "pin-delete", "map-write"};
const std::set<std::string> kLsm{"packet-qdisc-bypass", "af-xdp", "passed-descriptor", "ptrace"};

TEST(Rows, HaveUniqueIds)
{
    std::set<std::string_view> ids;
    for (const auto& row : rows()) {
        EXPECT_TRUE(ids.insert(row.id).second) << row.id;
        EXPECT_FALSE(row.title.empty()) << row.id;
    }
    EXPECT_EQ(ids.size(), 35U);
}

TEST(Rows, AllClosedWithEveryLayerAndSeal) { EXPECT_EQ(open_rows(everything(), sealed()), std::set<std::string>{}); }

TEST(Rows, RootIsNotStoppedWithoutSeal)
{
    EXPECT_EQ(open_rows(everything(), {}), kSeal);
    for (const auto& row : rows_status(everything(), {})) {
        if (kSeal.contains(row.id)) {
            EXPECT_TRUE(row.why.starts_with("root can")) << row.why;
        }
    }
}

TEST(Rows, ASealFlagWithoutItsHooksClosesNothing)
{
    auto layers = everything();
    layers[4] = {"seal", LayerState::Unavailable, "no BPF LSM", {}};
    EXPECT_EQ(open_rows(layers, sealed()), kSeal);
}

TEST(Rows, EachLayerThatIsMissingOpensItsOwn)
{
    auto layers = everything();
    layers[3] = {"lsm", LayerState::Unavailable, "no BPF LSM", {}};
    EXPECT_EQ(open_rows(layers, sealed()), kLsm);
    layers = everything();
    layers[2].state = LayerState::Partial;
    layers[2].why = "eth1 is not covered";
    EXPECT_EQ(open_rows(layers, sealed()), (std::set<std::string>{"af-packet", "forwarded"}));
    layers = everything();
    layers[1] = {"egress", LayerState::Off, "", {}};
    EXPECT_EQ(open_rows(layers, sealed()), (std::set<std::string>{"ip-options", "raw-ip", "dnat", "old-connection"}));
    layers = everything();
    layers.erase(layers.begin());
    const auto open = open_rows(layers, sealed());
    EXPECT_TRUE(open.contains("tcp") && open.contains("exec-race") && open.contains("container-root"));
    EXPECT_FALSE(open.contains("raw-ip"));
}

TEST(Rows, APartialLayerClosesWhatItsProgramsClose)
{
    auto layers = everything();
    layers[3].state = LayerState::Partial;
    layers[3].why = "guard_ptrace: attach refused";
    std::erase(layers[3].detail, "guard_ptrace");
    EXPECT_EQ(open_rows(layers, sealed()), std::set<std::string>{"ptrace"});
}

TEST(Rows, OneProgramMissingOpensItsRowEvenIfTheLayerClaimsToBeOn)
{
    auto layers = everything();
    std::erase(layers[0].detail, "guard_connect6");
    const auto open = open_rows(layers, sealed());
    EXPECT_TRUE(open.contains("v4-mapped") && open.contains("ipv6") && open.contains("tcp"));
    EXPECT_FALSE(open.contains("dnat"));
}

TEST(Rows, NothingIsClosedInAuditModeOrUnloaded)
{
    RowContext audit = sealed();
    audit.audit = true;
    EXPECT_EQ(open_rows(everything(), audit).size(), rows().size());
    RowContext absent;
    absent.loaded = false;
    EXPECT_EQ(open_rows({}, absent).size(), rows().size());
}

TEST(Rows, ThePolicyCanChooseToLeaveRowsOpen)
{
    RowContext context = sealed();
    context.forwarded_allowed = true;
    EXPECT_EQ(open_rows(everything(), context), std::set<std::string>{"forwarded"});
    context.forwarded_allowed = false;
    context.bypass_sockets_allowed = true;
    EXPECT_EQ(open_rows(everything(), context), (std::set<std::string>{"packet-qdisc-bypass", "af-xdp"}));
}

} // namespace
} // namespace hostward::guard
