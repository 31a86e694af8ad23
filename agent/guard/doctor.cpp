// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/doctor.h"

#include "agent/base/text.h"
#include "agent/guard/connections.h"
#include "agent/guard/decide.h"
#include "agent/guard/doctor_kernel.h"
#include "agent/guard/doctor_running.h"
#include "agent/guard/doctor_trials.h"
#include "agent/guard/guard.h"
#include "agent/guard/policy_tables.h"
#include "agent/guard/resolver.h"
#include "agent/host/users.h"

#include <linux/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <filesystem>

namespace hostward::guard {

namespace {

constexpr std::array kTrialCapabilities{CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_ADMIN};

std::map<std::string, Trial> examine_layers(const Options& options, const DoctorFacts& facts)
{
    const auto& have = facts.kernel.capabilities;
    for (const auto capability : kTrialCapabilities) {
        if (!have || !has_capability(*have, static_cast<unsigned>(capability))) {
            return no_trials("this process lacks a capability that the trial needs");
        }
    }
    std::set<std::string> attached;
    for (const auto& layer : facts.run.status ? facts.run.status->layers : std::vector<LayerStatus>{}) {
        attached.insert(layer.detail.begin(), layer.detail.end());
    }
    return run_trials(options, attached);
}

Result<std::time_t> changed_at(const std::string& path)
{
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        return system_error(errno, "cannot look at " + quote(path));
    }
    return info.st_mtime;
}

/// Seconds since the main file or the folder of drop-ins or one of those changed.
Result<std::uint64_t> age_of(const std::string& path)
{
    namespace fs = std::filesystem;
    TRY_ASSIGN(std::time_t newest, changed_at(path));
    const fs::path folder = fs::path(path).parent_path() / config::kDropInFolder;
    std::error_code status;
    for (fs::directory_iterator at(folder, status), end; !status && at != end; at.increment(status)) {
        TRY_ASSIGN(const std::time_t changed, changed_at(at->path().string()));
        newest = std::max(newest, changed);
    }
    if (const auto changed = changed_at(folder.string()); changed) {
        newest = std::max(newest, *changed);
    }
    const std::time_t now = std::time(nullptr);
    return now < newest ? std::uint64_t{0} : static_cast<std::uint64_t>(now - newest);
}

std::set<std::string> names_in(const host::Accounts& accounts)
{
    std::set<std::string> names;
    for (const auto& [name, id] : accounts.id_of) {
        names.insert(name);
    }
    return names;
}

/// Programs that rules name. An error that is not the file's own fault: nobody could look.
Status examine_programs(Resolver& resolver, PolicyFacts& facts)
{
    Status looked = success();
    for (const auto& rule : facts.config->rules) {
        for (const auto& path : rule.exes) {
            if (facts.exes.contains(path.value) || !path.value.starts_with('/')) {
                continue;
            }
            const auto& info = facts.exes.emplace(path.value, resolver.exe(path.value)).first->second;
            if (!info && info.error().kind != ErrorKind::Invalid && looked) {
                looked = Error{ErrorKind::Unsupported, 0, info.error().text};
            }
        }
    }
    return looked;
}

PolicyFacts examine_policy(const PolicyPlace& place)
{
    PolicyFacts facts;
    facts.path = place.path;
    facts.config = config::load(place.path, place.preset_dir);
    facts.age_s = age_of(place.path);
    facts.units = host::unit_names("/");
    if (const auto users = host::Users::read(); users) {
        facts.users = names_in(users->users);
        facts.groups = names_in(users->groups);
    } else {
        facts.users = users.error();
        facts.groups = users.error();
    }
    if (!facts.config) {
        facts.compiled = facts.config.error();
        return facts;
    }
    const auto resolver = make_resolver();
    if (!resolver) {
        facts.compiled = resolver.error();
        return facts;
    }
    const Status looked = examine_programs(**resolver, facts);
    facts.compiled = looked ? compile(*facts.config, **resolver) : looked.error();
    return facts;
}

/// Addresses that the policy guards, or would by default.
Result<std::set<AddressBytes>> guarded_addresses(const PolicyFacts& facts)
{
    std::set<AddressBytes> found;
    for (const auto& endpoint : facts.config ? facts.config->endpoints : config::default_endpoints()) {
        for (const auto& address : endpoint.addresses) {
            if (const auto bytes = parse_address(address.value)) {
                found.insert(*bytes);
            }
        }
    }
    return found;
}

/// IPv4 as ::ffff:a.b.c.d, as parse_address() has it.
AddressBytes folded(const Connection& connection)
{
    if (connection.size != 4) {
        return connection.address;
    }
    AddressBytes bytes{};
    bytes[10] = bytes[11] = 0xff;
    std::copy_n(connection.address.begin(), 4, bytes.begin() + 12);
    return bytes;
}

Result<std::vector<OpenSocket>> examine_sockets(const PolicyFacts& policy)
{
    TRY_ASSIGN(const auto guarded, guarded_addresses(policy));
    TRY_ASSIGN(const auto connections, list_connections());
    std::vector<OpenSocket> found;
    std::map<std::uint32_t, std::string> owners;
    for (const auto& connection : connections) {
        if (!guarded.contains(folded(connection))) {
            continue;
        }
        if (owners.empty()) {
            owners = socket_owners();
        }
        const auto owner = owners.find(connection.inode);
        found.push_back({peer_text(connection), owner == owners.end() ? "" : owner->second, connection.uid});
    }
    return found;
}

} // namespace

DoctorFacts examine(const Options& options, const PolicyPlace& place)
{
    DoctorFacts facts;
    facts.kernel = read_kernel_facts();
    facts.place = read_place_facts(options.pin_dir);
    facts.policy = examine_policy(place);
    facts.run.status = examine_status(options);
    examine_pins(options, facts.policy, facts.run);
    facts.run.sockets = examine_sockets(facts.policy);
    facts.boot = examine_boot(options);
    facts.trials = examine_layers(options, facts);
    return facts;
}

} // namespace hostward::guard
