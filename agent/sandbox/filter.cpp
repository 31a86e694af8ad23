// SPDX-License-Identifier: Apache-2.0
#include "agent/sandbox/filter.h"

#include "agent/sandbox/groups.h"

#include <array>
#include <set>
#include <span>

namespace hostward::sandbox {

namespace {

/// What every process of ours needs.
constexpr std::array<std::string_view, 8> kEverybody{"memory", "threads", "signals", "time",
                                                     "self",   "files",   "output",  "optional"};

struct Recipe {
    Program program;
    std::string_view name;
    std::string_view groups[9]; ///< besides kEverybody; empty ones are none
};

/// `check` and what it starts (nft, iptables-save, systemctl: the distribution's, of any version) share one filter:
/// all but what none of them has a reason for. docs/decisions/0016-sandbox.md.
constexpr std::array<std::string_view, 11> kRefused{"no modules",    "no new kernel",    "no clocks",     "no mounts",
                                                    "no namespaces", "no other process", "no keys",       "no ring",
                                                    "no handles",    "no hardware",      "no bpf changes"};

constexpr std::array kRecipes{
    Recipe{Program::Config, "config", {}},
    Recipe{Program::GuardRead, "guard-read", {"waiting", "watching", "bpf reading", "local sockets", "connections"}},
    Recipe{Program::GuardExplain,
           "guard-explain",
           {"changes", "waiting", "watching", "processes", "bpf", "local sockets", "connections"}},
    Recipe{Program::Guard,
           "guard-run",
           {"changes", "waiting", "watching", "processes", "bpf", "local sockets", "connections"}},
    Recipe{Program::GuardChange,
           "guard-load",
           {"changes", "waiting", "watching", "processes", "bpf", "local sockets", "connections"}},
    Recipe{Program::GuardDoctor,
           "guard-doctor",
           {"changes", "waiting", "watching", "processes", "bpf", "local sockets", "connections", "trial sockets",
            "trial namespace"}},
    Recipe{Program::Check, "check", {}},
    Recipe{Program::ReportCollect, "report-collect", {}},
    Recipe{Program::Report,
           "report",
           {"changes", "waiting", "processes", "local sockets", "internet sockets", "connections"}},
    Recipe{Program::Verify, "verify", {"changes", "waiting", "local sockets", "internet sockets", "connections"}},
};

const Recipe& recipe_of(Program program)
{
    for (const auto& recipe : kRecipes) {
        if (recipe.program == program) {
            return recipe;
        }
    }
    return kRecipes[0]; // the strictest; a test sees to it that each program has its own
}

void append(std::span<const std::string_view> names, std::vector<Group>& out)
{
    for (const auto name : names) {
        if (!name.empty()) {
            out.push_back(group_named(name));
        }
    }
}

std::string_view word_of(Action action)
{
    switch (action) {
    case Action::Allow: return "allow";
    case Action::Trap: return "kill";
    case Action::Denied: return "EPERM";
    case Action::NotThere: return "ENOSYS";
    }
    return "";
}

std::string hex(std::uint64_t value)
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    do {
        out.insert(out.begin(), kDigits[value & 0xfU]);
        value >>= 4U;
    } while (value != 0);
    return "0x" + out;
}

std::string rule_text(const Rule& rule)
{
    std::string out = "  " + std::string(word_of(rule.action)) + " " + std::string(rule.syscall);
    if (rule.when) {
        out += " if (argument " + std::to_string(rule.when->argument) + " & " + hex(rule.when->mask) +
               ") == " + hex(rule.when->value);
    }
    return out + "\n";
}

std::string group_text(const Group& group)
{
    std::string out = std::string(group.name) + ": " + std::string(group.reason) + "\n";
    for (const auto& rule : group.rules) {
        out += rule_text(rule);
    }
    return out + "\n";
}

} // namespace

std::string_view name_of(Program program) { return recipe_of(program).name; }

Filter filter_of(Program program)
{
    Filter out;
    out.program = program;
    if (program == Program::Check || program == Program::ReportCollect) {
        out.otherwise = Action::Allow;
        append(kRefused, out.groups);
        return out;
    }
    append(kEverybody, out.groups);
    append(recipe_of(program).groups, out.groups);
    return out;
}

std::string filters_text()
{
    std::string out;
    std::string programs;
    std::set<std::string_view> seen;
    for (const auto program : kPrograms) {
        const Filter filter = filter_of(program);
        programs +=
            "\n" + std::string(name_of(program)) + ": otherwise " + std::string(word_of(filter.otherwise)) + "\n";
        for (const auto& group : filter.groups) {
            programs += "  " + std::string(group.name) + "\n";
            out += seen.insert(group.name).second ? group_text(group) : "";
        }
    }
    return out + "Programs\n" + programs;
}

} // namespace hostward::sandbox
