// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/learn_place.h"

#include "agent/base/terminal.h"
#include "agent/base/text.h"
#include "agent/guard/events_text.h"
#include "agent/guard/policy_tables.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hostward::guard {

namespace {

using namespace std::string_view_literals;

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kHexDigits = "0123456789abcdef";

/// Scopes and services that a container runtime names after the container's id. https://github.com/opencontainers/runc
/// (docs/systemd.md), podman's libpod, cri-o.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kRuntimes{{
    {"docker-", "docker"},
    {"libpod-", "podman"},
    {"cri-containerd-", "containerd"},
    {"nerdctl-", "containerd"},
    {"crio-", "cri-o"},
    {"ecs-", "ecs"},
    {"buildkit-", "buildkit"},
}};

/// Topmost folders of runtimes that do not use systemd for them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kRuntimeFolders{{
    {"docker", "docker"},
    {"kubepods", "kubernetes"},
    {"ecs", "ecs"},
    {"libpod_parent", "podman"},
    {"machine", "podman"},
}};

/// Units whose processes are whatever somebody else asked for.
constexpr std::array kRunners{"cron.service"sv,
                              "crond.service"sv,
                              "cronie.service"sv,
                              "anacron.service"sv,
                              "fcron.service"sv,
                              "atd.service"sv,
                              "ssh.service"sv,
                              "sshd.service"sv,
                              "sshd@*.service"sv,
                              "ssh@*.service"sv,
                              "dropbear.service"sv,
                              "dropbear@*.service"sv,
                              "getty@"sv,
                              "serial-getty@"sv,
                              "console-getty.service"sv,
                              "container-getty@"sv,
                              "debug-shell.service"sv,
                              "emergency.service"sv,
                              "rescue.service"sv,
                              "amazon-ssm-agent.service"sv,
                              "snap.amazon-ssm-agent."sv,
                              "jenkins.service"sv,
                              "jenkins-agent.service"sv,
                              "gitlab-runner.service"sv,
                              "actions.runner."sv,
                              "buildkite-agent.service"sv,
                              "slurmd.service"sv,
                              "docker.service"sv,
                              "containerd.service"sv,
                              "crio.service"sv,
                              "lxc.service"sv};

/// Exact names, and starts of names that end in `@` or `.`.
bool is_runner(std::string_view unit)
{
    return std::ranges::any_of(kRunners, [&](std::string_view known) {
        return unit == known || ((known.ends_with('@') || known.ends_with('.')) && unit.starts_with(known));
    });
}

bool is_all(std::string_view text, std::string_view of)
{
    return !text.empty() && text.find_first_not_of(of) == std::string_view::npos;
}

/// A number of a process, a job or a day, or an id: another one next time.
bool is_volatile_word(std::string_view word)
{
    constexpr std::size_t kNumberMin = 3; // foo-2 is a name, foo-4711 is a process
    constexpr std::size_t kIdMin = 8;
    return (word.size() >= kNumberMin && is_all(word, kDigits)) ||
           (word.size() >= kIdMin && is_all(word, kHexDigits) && word.find_first_of(kDigits) != std::string_view::npos);
}

bool has_volatile_word(std::string_view stem)
{
    return std::ranges::any_of(split(stem, '-'), [](std::string_view part) {
        return std::ranges::any_of(split(part, '.'), is_volatile_word);
    });
}

/// What systemd calls the instances of a socket unit with Accept=yes: NUMBER-PID-UID or NUMBER-ADDRESS:PORT-...
bool is_connection(std::string_view instance)
{
    const auto words = split(instance, '-');
    return words.size() >= 3 && is_all(words[0], kDigits) &&
           (is_all(words[1], kDigits) || instance.find(':') != std::string_view::npos);
}

/// `name` can be spelled by a rule and then means itself only.
bool is_spellable(std::string_view name)
{
    return name_pattern(name).ok() && name.find('*') == std::string_view::npos && printable(name) == name;
}

Place none(std::string why)
{
    Place out;
    out.why_not = std::move(why);
    return out;
}

Place named(std::string_view unit)
{
    Place out;
    out.unit = unit;
    out.is_runner = is_runner(unit);
    return out;
}

Place pattern(std::string_view start, std::string_view end)
{
    Place out;
    out.unit.append(start).append("*").append(end);
    out.is_pattern = true;
    out.is_runner = is_runner(out.unit);
    return out;
}

std::optional<Place> container_scope(std::string_view unit, std::string_view stem, std::string_view suffix)
{
    for (const auto& [start, runtime] : kRuntimes) {
        if (stem.starts_with(start) && has_volatile_word(stem.substr(start.size()))) {
            Place out = pattern(unit.substr(0, start.size()), suffix);
            out.runtime = runtime;
            return out;
        }
    }
    return std::nullopt;
}

Place place_of_instance(std::string_view unit, std::size_t at, std::string_view suffix)
{
    const std::string_view instance = unit.substr(at + 1, unit.size() - suffix.size() - at - 1);
    if (at == 0 || instance.empty()) {
        return none("its unit's name is not one that systemd gives");
    }
    return is_connection(instance) || has_volatile_word(instance) ? pattern(unit.substr(0, at + 1), suffix)
                                                                  : named(unit);
}

Place place_of_unit(std::string_view unit)
{
    const std::string_view suffix = unit.substr(unit.rfind('.'));
    const std::string_view stem = unit.substr(0, unit.size() - suffix.size());
    if (!is_spellable(unit)) {
        return none("its unit's name cannot be written in a rule");
    }
    if (stem.starts_with("user@") && suffix == ".service") {
        return none("what runs below user@N.service is its user's choice");
    }
    if (auto place = container_scope(unit, stem, suffix)) {
        return *place;
    }
    if (stem.starts_with("run-") || stem.starts_with("dbus-:") || stem.starts_with("session-") ||
        (suffix == ".scope" && unit != "init.scope")) {
        return none("its unit " + std::string(unit) + " exists for this run only");
    }
    if (const auto at = stem.find('@'); at != std::string_view::npos) {
        return place_of_instance(unit, at, suffix);
    }
    return has_volatile_word(stem) ? none("the name of its unit has a number or an id in it that will be another one")
                                   : named(unit);
}

/// kubepods.slice at the top; kind and others nest it in a slice of the kubelet.
std::optional<Place> kubernetes_slice(const std::vector<std::string_view>& names)
{
    for (const auto name : names) {
        if (!name.ends_with(".slice")) {
            break;
        }
        if (name == "kubepods.slice" || name.ends_with("-kubepods.slice")) {
            Place out = named(name);
            out.runtime = "kubernetes";
            return out;
        }
    }
    return std::nullopt;
}

/// A folder that no systemd made, at the top, where only root makes one.
Place place_of_folder(std::string_view name)
{
    if (!is_spellable(name) || has_volatile_word(name)) {
        return none("its cgroup has no name that a rule can rely on");
    }
    Place out;
    out.cgroup.append("/").append(name);
    const auto known = std::ranges::find(kRuntimeFolders, name, [](const auto& entry) { return entry.first; });
    out.runtime = known == kRuntimeFolders.end() ? "" : known->second;
    return out;
}

std::string login_slice(const std::vector<std::string_view>& names)
{
    if (names.size() < 2 || names[0] != "user.slice" || !names[1].starts_with("user-") ||
        !names[1].ends_with(".slice")) {
        return "";
    }
    const std::string_view uid = names[1].substr(5, names[1].size() - 11);
    return is_all(uid, kDigits) ? std::string(names[1]) : "";
}

Place place_of(std::string_view path, const std::vector<std::string_view>& names)
{
    if (auto place = kubernetes_slice(names)) {
        return *place;
    }
    if (const std::string unit = unit_of(path); !unit.empty()) {
        return place_of_unit(unit);
    }
    const bool in_slice = names.front().ends_with(".slice");
    return in_slice ? none("it runs in a slice, in no unit") : place_of_folder(names.front());
}

} // namespace

Place stable_place(std::string_view path)
{
    if (path.empty() || path == "/") {
        return none("it runs in no unit");
    }
    if (!path.starts_with('/')) {
        return none("its cgroup is nested too deep to be known");
    }
    const auto names = split(path.substr(1), '/');
    Place out = place_of(path, names);
    out.login_slice = login_slice(names);
    return out;
}

} // namespace hostward::guard
