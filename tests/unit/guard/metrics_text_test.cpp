// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/metrics_text.h"

#include <gtest/gtest.h>

#include <set>

namespace hostward::guard {
namespace {

GuardStatus loaded_status()
{
    GuardStatus status;
    status.loaded = true;
    status.rules = {{"a", true, 1, 2, 3, {}}};
    status.endpoints = {{"imds", false, 4, 5, 6, {}}};
    status.reasons = {{"default", 7}};
    status.rules[0].requests.v1 = 11;
    status.rules[0].requests.v2 = 12;
    status.endpoints[0].requests.v1 = 14;
    status.requests.v1 = 25;
    status.requests.unknown = 13;
    status.lost = {{"flows_full", 8}};
    status.layers = {{"connect", LayerState::On, "", {}}, {"tc", LayerState::Partial, "", {}}};
    return status;
}

bool has(const std::string& text, const std::string& line)
{
    return text.find("\n" + line + "\n") != std::string::npos;
}

TEST(MetricsText, CountsRulesAndDefaultsApart)
{
    const std::string text = metrics_text(loaded_status(), "1", std::nullopt);
    EXPECT_TRUE(has(text, R"(hostward_guard_decisions_total{rule="a",endpoint="",decision="allow"} 1)")) << text;
    EXPECT_TRUE(has(text, R"(hostward_guard_decisions_total{rule="a",endpoint="",decision="deny"} 2)"));
    EXPECT_TRUE(has(text, R"(hostward_guard_decisions_total{rule="a",endpoint="",decision="would-deny"} 3)"));
    EXPECT_TRUE(has(text, R"(hostward_guard_decisions_total{rule="",endpoint="imds",decision="deny"} 5)"));
    EXPECT_TRUE(has(text, R"(hostward_guard_denials_total{reason="default"} 7)"));
    EXPECT_TRUE(has(text, R"(hostward_guard_imds_requests_total{version="1"} 25)")) << text;
    EXPECT_TRUE(has(text, R"(hostward_guard_imds_requests_total{version="unknown"} 13)"));
    EXPECT_TRUE(has(text, R"(hostward_guard_rule_imds_requests_total{rule="a",endpoint="",version="2"} 12)"));
    EXPECT_TRUE(has(text, R"(hostward_guard_rule_imds_requests_total{rule="",endpoint="imds",version="1"} 14)"));
    EXPECT_TRUE(has(text, R"(hostward_guard_lost_total{reason="flows_full"} 8)"));
}

TEST(MetricsText, ALayerThatIsOnInPartIsNotActive)
{
    const std::string text = metrics_text(loaded_status(), "1", std::nullopt);
    EXPECT_TRUE(has(text, R"(hostward_guard_layer_active{layer="connect"} 1)")) << text;
    EXPECT_TRUE(has(text, R"(hostward_guard_layer_active{layer="tc"} 0)"));
}

TEST(MetricsText, WhatCouldNotBeReadIsNotFine)
{
    const std::string text = metrics_text(std::nullopt, "1", std::nullopt);
    EXPECT_TRUE(has(text, "hostward_guard_readable 0")) << text;
    EXPECT_EQ(text.find("hostward_guard_loaded"), std::string::npos) << "unknown, not 0";
    EXPECT_TRUE(has(metrics_text(GuardStatus{}, "1", std::nullopt), "hostward_guard_loaded 0"));
}

TEST(MetricsText, EscapesLabels)
{
    GuardStatus status = loaded_status();
    status.rules[0].name = "a\"b\\c\nd\xff";
    const std::string text = metrics_text(status, "1", std::nullopt);
    // Made printable first, then escaped as the format wants it.
    EXPECT_NE(text.find(R"({rule="a\\\"b\\\\c\\x0ad\\xff",)"), std::string::npos) << text;
}

TEST(MetricsText, SaysOfEveryMetricWhatItIs)
{
    std::set<std::string_view> names;
    const std::string text = metrics_text(loaded_status(), "1", AgentFacts{1, 2, 3, 4});
    for (const auto& metric : metrics()) {
        EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
        EXPECT_EQ(metric.type == "counter", metric.name.ends_with("_total")) << metric.name;
        EXPECT_NE(text.find("# TYPE " + std::string(metric.name) + " " + std::string(metric.type) + "\n"), text.npos)
            << metric.name;
        EXPECT_NE(text.find("\n" + std::string(metric.name)), text.npos) << metric.name << " has no sample";
    }
}

} // namespace
} // namespace hostward::guard
