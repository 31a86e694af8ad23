// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/tc.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "agent/guard/bpf_objects.h"

#include <bpf/libbpf.h>

#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <memory>

namespace hostward::guard {

namespace {

// Ours among all filters of an interface: the first priority, so that no other filter lets a packet go before
// we have seen it, and a handle that nobody gives out by default.
constexpr std::uint32_t kPriority = 1;
constexpr std::uint32_t kHandle = 0x6877;

struct FreeNames {
    void operator()(struct if_nameindex* names) const { ::if_freenameindex(names); }
};

bpf_tc_hook egress_of(const Interface& interface)
{
    bpf_tc_hook hook{};
    hook.sz = sizeof(hook);
    hook.ifindex = interface.index;
    hook.attach_point = BPF_TC_EGRESS;
    return hook;
}

bpf_tc_opts our_place()
{
    bpf_tc_opts options{};
    options.sz = sizeof(options);
    options.handle = kHandle;
    options.priority = kPriority;
    return options;
}

} // namespace

Result<std::vector<Interface>> list_interfaces()
{
    const std::unique_ptr<struct if_nameindex, FreeNames> names(::if_nameindex());
    // Any socket takes interface ioctls; of this family the unit's sandbox allows one.
    const UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!names || !socket) {
        return system_error(errno, "cannot list the network interfaces");
    }
    std::vector<Interface> found;
    for (const auto* entry = names.get(); entry->if_index != 0; ++entry) {
        ifreq request{};
        std::strncpy(static_cast<char*>(request.ifr_name), entry->if_name, IFNAMSIZ - 1);
        if (::ioctl(socket.get(), SIOCGIFHWADDR, &request) < 0) {
            continue; // gone meanwhile
        }
        const auto type = request.ifr_hwaddr.sa_family;
        if (type != ARPHRD_LOOPBACK) {
            found.push_back(
                {static_cast<int>(entry->if_index), static_cast<const char*>(entry->if_name), type == ARPHRD_ETHER});
        }
    }
    return found;
}

Status attach_tc(const Interface& interface, int program_fd)
{
    capture_libbpf_log();
    bpf_tc_hook hook = egress_of(interface);
    if (const int error = ::bpf_tc_hook_create(&hook); error < 0 && error != -EEXIST) {
        return system_error(-error, "cannot create clsact on interface " + quote(interface.name));
    }
    bpf_tc_opts options = our_place();
    options.prog_fd = program_fd;
    options.flags = BPF_TC_F_REPLACE;
    if (const int error = ::bpf_tc_attach(&hook, &options); error < 0) {
        return system_error(-error, "cannot attach to egress of interface " + quote(interface.name));
    }
    return success();
}

Status detach_tc(const Interface& interface)
{
    capture_libbpf_log();
    const bpf_tc_hook hook = egress_of(interface);
    const bpf_tc_opts options = our_place();
    const int error = ::bpf_tc_detach(&hook, &options);
    if (error < 0 && error != -ENOENT && error != -EINVAL) { // EINVAL: no clsact
        return system_error(-error, "cannot detach from interface " + quote(interface.name));
    }
    return success();
}

std::uint32_t tc_program(const Interface& interface)
{
    capture_libbpf_log();
    const bpf_tc_hook hook = egress_of(interface);
    bpf_tc_opts options = our_place();
    return ::bpf_tc_query(&hook, &options) < 0 ? 0 : options.prog_id;
}

} // namespace hostward::guard
