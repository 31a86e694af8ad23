// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/guard.h"

#include "tests/e2e/support/sandbox.h"

#include <nlohmann/json.hpp>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace hostward::e2e {

namespace {

using nlohmann::json;

/// Loading verifies every program; an emulated machine takes its time.
Milliseconds command_timeout() { return Milliseconds(surroundings().scaled(60'000, 300'000)); }

RequestSums requests_of(const json& entry)
{
    const json requests = entry.value("requests", json::object());
    return {requests.value("v1", std::uint64_t{0}), requests.value("v2", std::uint64_t{0}),
            requests.value("unknown", std::uint64_t{0})};
}

GuardStatus::Counts counts_of(const json& entry)
{
    return {entry.value("allowed", std::uint64_t{0}), entry.value("denied", std::uint64_t{0}),
            entry.value("would_deny", std::uint64_t{0}), requests_of(entry)};
}

void read_numbers(const json& from, std::map<std::string, std::uint64_t>& to)
{
    for (const auto& [name, value] : from.items()) {
        to[name] = value.get<std::uint64_t>();
    }
}

GuardStatus interpret(const json& root)
{
    GuardStatus status;
    status.state = root.value("state", "");
    status.generation = root.value("generation", std::uint64_t{0});
    status.digest = root.value("policy_digest", "");
    status.is_sealed = root.value("sealed", false);
    status.is_agent_running = root.value("agent", json::object()).value("running", false);
    for (const auto& layer : root.value("layers", json::array())) {
        status.layers[layer.value("name", "")] = layer.value("state", "");
    }
    for (const auto& row : root.value("rows", json::array())) {
        status.rows[row.value("id", "")] = {row.value("closed", false), row.value("by", ""), row.value("why", "")};
    }
    for (const auto& rule : root.value("rules", json::array())) {
        status.rules[rule.value("name", "")] = counts_of(rule);
    }
    for (const auto& endpoint : root.value("endpoints", json::array())) {
        status.endpoints[endpoint.value("name", "")] = counts_of(endpoint);
    }
    status.requests = requests_of(root);
    read_numbers(root.value("reasons", json::object()), status.reasons);
    read_numbers(root.value("lost", json::object()), status.lost);
    return status;
}

} // namespace

Result<Guard> Guard::create(int network, const std::string& cgroup)
{
    static std::atomic<int> sequence = 0;
    const std::string name = "/guard" + std::to_string(++sequence);
    Guard guard;
    guard.network_ = network;
    guard.cgroup_ = cgroup;
    guard.pins_ = kBpf + name;
    guard.run_dir_ = kRunDir + name;
    guard.config_ = kRunDir + name + ".toml";
    std::error_code status;
    std::filesystem::create_directories(guard.run_dir_, status);
    if (status) {
        return system_error(status.value(), guard.run_dir_);
    }
    return guard;
}

Guard::~Guard()
{
    (void)unload(); // the pins' file system and the cgroup end with the process anyway
}

Launch Guard::launch(const std::vector<std::string>& words) const
{
    Launch launch;
    launch.argv = {surroundings().hostward, "guard"};
    launch.argv.insert(launch.argv.end(), words.begin(), words.end());
    for (const std::string& word : {std::string("--config"), config_, std::string("--cgroup"), cgroup_,
                                    std::string("--pin-dir"), pins_, std::string("--run-dir"), run_dir_}) {
        launch.argv.push_back(word);
    }
    launch.network = network_;
    launch.timeout = command_timeout();
    return launch;
}

Result<Outcome> Guard::command(const std::vector<std::string>& words) const { return run(launch(words)); }

Status Guard::write_policy(const std::string& policy) const
{
    std::ofstream file(config_);
    file << policy << std::flush;
    return file ? success() : Status(system_error(EIO, config_));
}

Status Guard::load(const std::string& policy)
{
    TRY(write_policy(policy));
    TRY_ASSIGN(const Outcome outcome, command({"load"}));
    if (outcome.exit_code != 0) {
        return Error{ErrorKind::System, 0, "guard load: " + outcome.text()};
    }
    is_loaded_ = true;
    return success();
}

Result<Child> Guard::start_agent(const std::string& policy)
{
    TRY(write_policy(policy));
    TRY_ASSIGN(Child agent, Child::start(launch({"run"})));
    is_loaded_ = true;
    TRY(agent.await_line("guard ready", command_timeout(), true));
    return agent;
}

Status Guard::unload()
{
    if (!is_loaded_) {
        return success();
    }
    is_loaded_ = false;
    TRY_ASSIGN(const Outcome outcome, command({"unload"}));
    if (outcome.exit_code != 0) {
        return Error{ErrorKind::System, 0, "guard unload: " + outcome.text()};
    }
    return success();
}

Result<GuardStatus> Guard::status() const
{
    TRY_ASSIGN(const Outcome outcome, command({"status", "--json"}));
    const json root = json::parse(outcome.out, nullptr, false);
    if (outcome.exit_code != 0 || !root.is_object()) {
        return Error{ErrorKind::System, 0, "guard status --json: " + outcome.text()};
    }
    try {
        GuardStatus status = interpret(root);
        status.text = outcome.out;
        return status;
    } catch (const json::exception& problem) {
        return Error{ErrorKind::Invalid, 0, std::string("guard status --json: ") + problem.what()};
    }
}

} // namespace hostward::e2e
