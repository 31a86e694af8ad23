// SPDX-License-Identifier: Apache-2.0
// What a person and a program read: help, usage errors, status. expected/NAME.txt holds each text.
// golden_cli --update-golden writes the expectations anew; look at the difference before you commit it.
#include "agent/base/text.h"
#include "agent/cli/doctor_view.h"
#include "agent/cli/explain_view.h"
#include "agent/cli/learn_view.h"
#include "agent/cli/options.h"
#include "agent/cli/simulate_view.h"
#include "agent/cli/status_view.h"
#include "agent/cli/summary.h"
#include "agent/guard/metrics_text.h"
#include "agent/guard/rows.h"
#include "tests/unit/guard/fake_resolver.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace hostward::cli {

bool update_golden = false; // set by main() from the arguments

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kColumns = 80;

std::string answer_to(std::vector<const char*> words)
{
    words.insert(words.begin(), "hostward");
    const auto parsed = parse_command_line(static_cast<int>(words.size()), words.data());
    const auto* answer = std::get_if<Answer>(&parsed);
    EXPECT_NE(answer, nullptr) << words.back() << " is a command, not an answer";
    return answer == nullptr ? "" : answer->text;
}

guard::GuardStatus sample_status()
{
    guard::GuardStatus status;
    status.loaded = true;
    status.generation = 7;
    status.policy_digest = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    status.loaded_at = 1795226500;
    status.cgroup = "/sys/fs/cgroup";
    status.agent_running = true;
    status.agent_pid = 321;
    status.layers = {{"connect",
                      guard::LayerState::On,
                      "",
                      {"guard_connect4", "guard_connect6", "guard_sendmsg4", "guard_sendmsg6"}},
                     {"egress", guard::LayerState::On, "", {"guard_egress"}},
                     {"tc", guard::LayerState::Partial, "eth1: no permission", {"eth0"}},
                     {"lsm", guard::LayerState::Unavailable, "the kernel's list of security modules lacks bpf", {}},
                     {"seal", guard::LayerState::Off, "seal is off in the policy", {}}};
    status.rules = {{"ssm-agent", true, 12, 0, 0, {0, 40, 0}},
                    {"old-script", true, 7, 0, 0, {7, 0, 2}},
                    {"not-this-one", false, 0, 3, 0, {}}};
    status.endpoints = {{"imds", false, 0, 18446744073709551615U, 0, {}}};
    status.requests = {11, 40, 2};
    status.reasons = {{"default", 5}, {"untagged", 0}, {"rule", 15}};
    status.lost = {{"flows_full", 0}};
    status.rows = guard::rows_status(status.layers, {});
    return status;
}

guard::GuardStatus audit_status()
{
    guard::GuardStatus status = sample_status();
    status.audit = true;
    status.agent_running = false;
    status.lost["flows_full"] = 9;
    guard::RowContext context;
    context.audit = true;
    status.rows = guard::rows_status(status.layers, context);
    return status;
}

guard::GuardStatus absent_status()
{
    guard::GuardStatus status;
    status.pin_dir = "/sys/fs/bpf/hostward";
    return status;
}

constexpr std::int64_t kNoon = 1'795'262'400'000'000'000; // 2026-11-21T12:00:00Z

guard::Learned sample_learned()
{
    guard::Learned out;
    guard::Sighting seen;
    seen.count = 1234;
    seen.first_ns = kNoon;
    seen.last_ns = kNoon + 1'500'000'000;
    seen.imdsv1 = 34;
    seen.users = {"backup (uid 1001)"};
    seen.exes = {"/usr/bin/aws\n[[guard.rule]]", "/usr/bin/python3.11"};
    seen.places = {"cron.service"};
    config::Rule rule;
    rule.name = "learned-cron-backup";
    rule.action = config::Action::Allow;
    rule.users = {{"backup", {}}};
    rule.units = {{"cron.service", {}}};
    rule.endpoints = {{"imds", {}}};
    out.rules = {{rule, seen, {"This unit runs what others ask it to."}}};
    seen.imdsv1 = 0;
    seen.last_ns = seen.first_ns;
    seen.count = 1;
    out.refused = {{"such a program is never proposed", seen, ""}, {"denied on purpose", seen, "learned-cron-backup"}};
    out.events = 9;
    out.decisions = 1236;
    out.allowed_already = 7;
    out.first_ns = kNoon;
    out.last_ns = kNoon + 1'500'000'000;
    return out;
}

PolicyFile sample_policy()
{
    guard::FakeResolver resolver;
    config::Rule unit = guard::rule("backup");
    unit.units = guard::list({"backup.service"});
    unit.why = "writes to \"the\" bucket\x1b[2J";
    unit.place = {"/etc/hostward/hostward.toml", 4, 1};
    config::Rule agent = guard::rule("ssm-agent");
    agent.users = guard::list({"root"});
    agent.preset = "ssm";
    agent.place = {"/usr/share/hostward/policies/ssm.toml", 9, 1};
    const auto config = guard::policy_of({unit, agent});
    return {config, guard::must_compile(config, resolver)};
}

Explanation sample_explanation(const PolicyFile& file, const std::string& cgroup)
{
    Subject subject;
    subject.caller.cgroup_path = cgroup;
    subject.caller.groups = {4, 24};
    subject.program = "/usr/bin/aws";
    subject.notes = {"the guard has another policy loaded"};
    auto out = explain(file.policy, subject, "fd00:ec2::254");
    EXPECT_TRUE(out.ok());
    return out.take();
}

std::map<std::string, std::string> explanations()
{
    const PolicyFile file = sample_policy();
    const Asked asked{"/etc/hostward/hostward.toml", false};
    const Explanation agent = sample_explanation(file, "/system.slice/ssm.service");
    const Explanation backup = sample_explanation(file, "/system.slice/backup.service");
    return {{"explain", explain_text(backup, asked, file) + explain_text(agent, {asked.file, true}, file)},
            {"explain_json", explain_json(backup, asked, file) + explain_json(agent, asked, file)}};
}

guard::Simulated simulated(bool was_allowed, const guard::Cause& was, const guard::Cause& now, std::uint64_t count)
{
    guard::Simulated out;
    out.user = "alice (uid 1000)";
    out.exe = "/usr/bin/aws\n\x1b[2J";
    out.place = "cron.service";
    out.endpoint = "imds";
    out.was_allowed = was_allowed;
    out.was = was;
    out.now = now;
    out.seen = {count, was_allowed ? 3U : 0U, kNoon, kNoon + 1'500'000'000};
    return out;
}

guard::Simulation sample_simulation()
{
    guard::Simulation out;
    out.would_be_refused = {simulated(true, {"rule", "old"}, {"default", ""}, 7)};
    out.would_be_allowed = {simulated(false, {"default", ""}, {"rule", "backup"}, 2),
                            simulated(false, {"forwarded", ""}, {"", ""}, 1)};
    out.would_be_allowed[1].user = out.would_be_allowed[1].exe = out.would_be_allowed[1].place = "";
    out.would_be_allowed[1].container = true;
    out.untold = {simulated(false, {"stale", ""}, {}, 1)};
    out.untold[0].why = "its program is not on this host any more";
    out.untold[0].endpoint.clear();
    const std::int64_t later = kNoon + 1'500'000'000;
    out.all = {1234, 43, kNoon, later};
    out.stays_allowed = {1221, 40, kNoon, later};
    out.stays_denied = {2, 0, kNoon, kNoon};
    out.passed_in_audit = out.unlisted = {1, 0, kNoon, kNoon};
    out.by_groups = {5, 1, kNoon, kNoon};
    out.refused = {7, 3, kNoon, later};
    out.allowed = {3, 0, kNoon, later};
    out.cannot_tell = {1, 0, kNoon, kNoon};
    out.damaged_lines = 2;
    out.unseen_endpoints = {"ecs"};
    return out;
}

std::map<std::string, std::string> simulations()
{
    const std::string path = "/srv/review/hostward.toml";
    PolicyFile file = sample_policy();
    file.policy.warnings = {"hostward.toml:7: user \"x\" does not exist"};
    PolicyFile audit = file;
    audit.config.mode = config::Mode::Audit;
    return {{"simulation", simulation_text(sample_simulation(), path, file)},
            {"simulation_json", simulation_json(sample_simulation(), path, file)},
            {"simulation_nothing", simulation_text({}, path, audit)},
            {"simulation_nothing_json", simulation_json({}, path, audit)}};
}

/// One of each severity, two that say the same, and text that tries to reach the terminal.
std::vector<guard::Finding> sample_findings()
{
    using enum guard::Severity;
    return {
        {"btf", "kernel", Ok, "the kernel describes its types (BTF)", {}, {}, {}},
        {"lsm-list",
         "kernel",
         Warning,
         "BPF is not among the active security modules",
         {"/sys/kernel/security/lsm: lockdown,yama"},
         {"packet-qdisc-bypass", "af-xdp", "passed-descriptor", "ptrace"},
         {"grubby --update-kernel=ALL --args=\"lsm=lockdown,yama,bpf\"", "reboot"}},
        {"layer-connect", "layers", Error, "the connect layer does not work: the guard does not load", {}, {}, {}},
        {"connections",
         "guard",
         Info,
         "sockets that are connected: 1",
         {"169.254.169.254:80 \x1b[2J\n /bin/x"},
         {},
         {}},
        {"rule-shadowed", "policy", CannotTell, "cannot tell what the policy says", {"no file"}, {}, {}},
        {"rule-interpreter", "policy", CannotTell, "cannot tell what the policy says", {"no file"}, {}, {}},
        {"boot-unit", "boot", Ok, "hostward-guard.service is enabled", {}, {}, {}},
    };
}

std::map<std::string, std::string> texts()
{
    std::map<std::string, std::string> out{
        {"help", answer_to({"--help"})},
        {"help_guard", answer_to({"guard", "--help"})},
        {"help_guard_run", answer_to({"guard", "run", "--help"})},
        {"help_guard_events", answer_to({"guard", "events", "--help"})},
        {"help_guard_explain", answer_to({"guard", "explain", "--help"})},
        {"help_guard_learn", answer_to({"guard", "learn", "--help"})},
        {"learn", learn_toml(sample_learned())},
        {"learn_json", learn_json(sample_learned())},
        {"learn_nothing", learn_toml({})},
        {"help_guard_doctor", answer_to({"guard", "doctor", "--help"})},
        {"help_config_check", answer_to({"config", "check", "--help"})},
        {"help_config_print", answer_to({"config", "print", "--help"})},
        {"usage_no_command", answer_to({})},
        {"help_check", answer_to({"check", "--help"})},
        {"help_report", answer_to({"report", "--help"})},
        {"help_guard_status", answer_to({"guard", "status", "--help"})},
        {"usage_summary_json", answer_to({"guard", "status", "--summary-line", "--json"})},
        {"usage_summary_format", answer_to({"check", "--summary-line", "--format", "html"})},
        {"usage_summary_rounds", answer_to({"report", "--summary-line"})},
        {"summary_status", guard_summary(sample_status()) + guard_summary(audit_status())},
        {"help_verify", answer_to({"verify", "--help"})},
        {"usage_verify_nothing", answer_to({"verify"})},
        {"usage_verify_both", answer_to({"verify", "-", "--sts", "--offline"})},
        {"usage_verify_document", answer_to({"verify", "--identity", "document"})},
        {"usage_verify_age", answer_to({"verify", "-", "--max-age", "soon"})},
        {"usage_unknown_option", answer_to({"guard", "load", "--bogus"})},
        {"usage_no_caller", answer_to({"guard", "explain"})},
        {"status", status_text(sample_status())},
        {"status_json", status_json(sample_status())},
        {"status_audit", status_text(audit_status())},
        {"metrics", guard::metrics_text(sample_status(), "1.2.3", guard::AgentFacts{1795226400, 4, 6, 5})},
        {"metrics_absent", guard::metrics_text(absent_status(), "1.2.3", std::nullopt)},
        {"status_absent", status_text(absent_status())},
        {"status_absent_json", status_json(absent_status())},
        {"doctor", doctor_text(sample_findings())},
        {"doctor_json", doctor_json(sample_findings())},
    };
    out.merge(explanations());
    out.merge(simulations());
    return out;
}

std::string read(const fs::path& path)
{
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(CliGolden, TextsAreAsExpected)
{
    const fs::path folder = HOSTWARD_GOLDEN_DIR;
    for (const auto& [name, text] : texts()) {
        const fs::path expected = folder / (name + ".txt");
        if (update_golden) {
            std::ofstream(expected) << text;
        }
        ASSERT_TRUE(fs::exists(expected)) << name << " has no expectation";
        EXPECT_EQ(text, read(expected)) << name;
    }
}

TEST(CliGolden, EveryExpectationIsCompared)
{
    const auto known = texts();
    for (const auto& entry : fs::directory_iterator(HOSTWARD_GOLDEN_DIR)) {
        EXPECT_TRUE(known.contains(entry.path().stem())) << entry.path() << " belongs to no text";
    }
}

TEST(CliGolden, HelpFitsATerminal)
{
    for (const auto& [name, text] : texts()) {
        if (!name.starts_with("help") && !name.starts_with("usage")) {
            continue;
        }
        for (const auto line : split(text, '\n')) {
            EXPECT_LE(line.size(), kColumns) << name << ": " << line;
            EXPECT_FALSE(line.ends_with(' ')) << name << ": " << line;
        }
    }
}

} // namespace
} // namespace hostward::cli

int main(int argc, char** argv)
{
    testing::InitGoogleTest(&argc, argv);
    hostward::cli::update_golden = argc == 2 && std::string_view(argv[1]) == "--update-golden";
    return RUN_ALL_TESTS();
}
