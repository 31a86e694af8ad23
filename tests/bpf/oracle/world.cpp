// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/oracle/world.h"

namespace hostward::test {

namespace {

template <typename Map> auto find(const Map& map, const std::string& name)
{
    const auto found = map.find(name);
    return found == map.end() ? std::nullopt : std::optional(found->second);
}

void add_accounts(World& world)
{
    world.uids = {0, 1, 33, 998, 1000, 1001, 65534, 65536, 2147483648U, 4294967294U};
    world.gids = {0, 4, 27, 100, 1000, 1001, 65534, 3000000000U, 4294967294U};
    world.users = {{"root", 0}, {"daemon", 1}, {"www-data", 33}, {"alice", 1000}, {"bob", 1001}, {"toor", 0}};
    world.groups = {{"root", 0}, {"adm", 4}, {"sudo", 27}, {"users", 100}, {"alice", 1000}};
}

void add_programs(World& world, Rng& rng)
{
    for (std::uint32_t i = 0; i < 12; ++i) {
        guard::ExeInfo info;
        // Numbers that collide in all parts but one: a key that drops a part is found out.
        info.fact = guard::ExeFact{100 + rng.below(3), 0x800001 + static_cast<std::uint32_t>(rng.below(2)),
                                   static_cast<std::uint32_t>(rng.below(3))};
        info.interpreter = rng.one_in(4);
        world.exes["/usr/bin/program" + std::to_string(i)] = info;
    }
    world.exes["/opt/missing"] = guard::ExeInfo{};
}

void add_cgroup_names(World& world)
{
    world.cgroup_names = {
        "system.slice",
        "user.slice",
        "machine.slice",
        "a.slice",
        ".slice",
        "slice",
        "a.service",
        "b.service",
        "ab.service",
        "aab.service",
        "a.service.d",
        "x@1.service",
        "x@22.service",
        "init.scope",
        "session-1.scope",
        "docker-0123456789ab.scope",
        "docker-.scope",
        "docker-a",
        "a",
        "b",
        "aa",
        "aba",
        "abab",
        "A",
        "*",
        "a*b",
        "[a-z]",
        "a?",
        "with space",
        "dbus\\x2d1.service",
        "-",
        "...",
        "\xc3\xa4.service",
        "\xff\xfe",
        "a.slice.service",
        "x.slicE",
        "tab\there",
    };
    world.cgroup_names.push_back(std::string(HW_NAME_MAX, 'n'));
    world.cgroup_names.push_back(std::string(HW_NAME_MAX - 1, 'n'));
    world.cgroup_names.push_back(std::string(HW_NAME_MAX + 1, 'n'));
    world.cgroup_names.push_back(std::string(249, 'n') + ".slice");
    world.cgroup_names.push_back(std::string(247, 'n') + ".service");
}

void add_addresses(World& world)
{
    world.addresses = {"169.254.169.254", "fd00:ec2::254", "169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
    for (int i = 1; i <= 20; ++i) {
        world.addresses.push_back("10.0.0." + std::to_string(i));
        world.addresses.push_back("2001:db8::" + std::to_string(i));
    }
    world.addresses.push_back("::ffff:192.0.2.1"); // another spelling of 192.0.2.1
}

} // namespace

std::optional<std::uint32_t> World::user(const std::string& name) { return find(users, name); }
std::optional<std::uint32_t> World::group(const std::string& name) { return find(groups, name); }
Result<guard::ExeInfo> World::exe(const std::string& path) { return find(exes, path).value_or(guard::ExeInfo{}); }

World random_world(Rng& rng)
{
    World world;
    add_accounts(world);
    add_programs(world, rng);
    add_cgroup_names(world);
    add_addresses(world);
    return world;
}

} // namespace hostward::test
