// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/site.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace hostward::e2e {

Result<std::unique_ptr<Site>> Site::create()
{
    if (geteuid() != 0) {
        return Error{ErrorKind::Denied, EPERM, "namespaces and cgroups of our own need root"};
    }
    TRY(enter_sandbox());
    TRY_ASSIGN(Network network, Network::create());
    TRY_ASSIGN(CgroupTree cgroups, CgroupTree::create());
    TRY_ASSIGN(std::string allowed, cgroups.make("system.slice/allowed.service"));
    TRY_ASSIGN(std::string outside, cgroups.make("user.slice/session.scope"));
    TRY_ASSIGN(Guard guard, Guard::create(network.client(), cgroups.path()));
    return std::make_unique<Site>(
        Site{std::move(network), std::move(cgroups), std::move(allowed), std::move(outside), std::move(guard)});
}

Launch Site::attack(std::vector<std::string> argv) const
{
    Launch launch;
    argv.at(0) = attack_path(argv.at(0));
    launch.argv = std::move(argv);
    launch.who = nobody();
    launch.network = network.client();
    launch.cgroup = outside;
    return launch;
}

Launch Site::as_allowed(std::vector<std::string> argv) const
{
    Launch launch = attack(std::move(argv));
    launch.who = root();
    launch.cgroup = allowed;
    return launch;
}

} // namespace hostward::e2e
