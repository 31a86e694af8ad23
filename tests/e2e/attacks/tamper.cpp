// SPDX-License-Identifier: Apache-2.0
// Takes the guard apart, then connects. Only what belongs to the named cgroup or folder is touched.
//   tamper detach CGROUP ADDRESS    detaches every link and program of the cgroup (its folder), and
//                                   the traffic filters of this network namespace
//   tamper unpin PIN_DIR ADDRESS    removes every pin below the folder, and the traffic filters, which
//                                   no pin holds
//   tamper map CGROUP ADDRESS       empties the address filter of the guard's control map, found by id
//   tamper kill PID ADDRESS         kills the agent
#include "attack.h"
#include "ebpf/abi/guard.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace {

constexpr auto kUsageText =
    "tamper detach CGROUP ADDRESS | unpin PIN_DIR ADDRESS | map CGROUP ADDRESS | kill PID ADDRESS";
constexpr int kIdsMax = 65536;
constexpr std::size_t kProgramsMax = 64;
constexpr std::size_t kMapsMax = 64;

int bpf(bpf_cmd command, bpf_attr& attributes)
{
    return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof(attributes)));
}

void print_step(const char* what, int error)
{
    std::printf("%s: %s\n", what, error == 0 ? "done" : strerrorname_np(error));
}

template <typename T> bool get_info(int fd, T& info)
{
    bpf_attr attributes{};
    attributes.info.bpf_fd = static_cast<__u32>(fd);
    attributes.info.info_len = sizeof(info);
    attributes.info.info = std::bit_cast<std::uintptr_t>(&info);
    return bpf(BPF_OBJ_GET_INFO_BY_FD, attributes) == 0;
}

std::uint64_t cgroup_id(const char* folder)
{
    struct stat facts {};
    return stat(folder, &facts) == 0 ? facts.st_ino : 0;
}

/// Calls `use` with a descriptor of each link on the cgroup.
void each_link(std::uint64_t cgroup, const std::function<void(int fd, const bpf_link_info& info)>& use)
{
    bpf_attr next{};
    for (int i = 0; i < kIdsMax; ++i) {
        if (bpf(BPF_LINK_GET_NEXT_ID, next) != 0) {
            print_step("end of links", errno);
            return;
        }
        bpf_attr open_it{};
        open_it.link_id = next.next_id;
        const int fd = bpf(BPF_LINK_GET_FD_BY_ID, open_it);
        if (fd < 0) {
            print_step("open a link", errno);
        }
        bpf_link_info info{};
        if (fd >= 0 && get_info(fd, info) && info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.cgroup_id == cgroup) {
            use(fd, info);
        }
        (void)close(fd);
        next.start_id = next.next_id;
    }
}

void detach_links(std::uint64_t cgroup)
{
    each_link(cgroup, [](int fd, const bpf_link_info&) {
        bpf_attr attributes{};
        attributes.link_detach.link_fd = static_cast<__u32>(fd);
        print_step("detach a link", bpf(BPF_LINK_DETACH, attributes) == 0 ? 0 : errno);
    });
}

/// Programs attached without a link.
void detach_programs(const char* folder)
{
    const int cgroup = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (const auto type : {BPF_CGROUP_INET4_CONNECT, BPF_CGROUP_INET6_CONNECT, BPF_CGROUP_UDP4_SENDMSG,
                            BPF_CGROUP_UDP6_SENDMSG, BPF_CGROUP_INET_EGRESS}) {
        std::array<__u32, kProgramsMax> ids{};
        bpf_attr query{};
        query.query.target_fd = static_cast<__u32>(cgroup);
        query.query.attach_type = type;
        query.query.prog_cnt = ids.size();
        query.query.prog_ids = std::bit_cast<std::uintptr_t>(ids.data());
        if (bpf(BPF_PROG_QUERY, query) != 0) {
            print_step("query programs", errno);
            continue;
        }
        for (std::size_t i = 0; i < query.query.prog_cnt && i < ids.size(); ++i) {
            bpf_attr by_id{};
            by_id.prog_id = ids.at(i);
            const int program = bpf(BPF_PROG_GET_FD_BY_ID, by_id);
            bpf_attr detach{};
            detach.target_fd = static_cast<__u32>(cgroup);
            detach.attach_bpf_fd = static_cast<__u32>(program);
            detach.attach_type = type;
            print_step("detach a program", bpf(BPF_PROG_DETACH, detach) == 0 ? 0 : errno);
            (void)close(program);
        }
    }
    (void)close(cgroup);
}

/// Removes every clsact queueing discipline of this network namespace, with the filters on it.
void drop_traffic_filters()
{
    struct Request {
        nlmsghdr header{};
        tcmsg body{};
        rtattr kind{};
        std::array<char, 8> name{"clsact"};
    };
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct if_nameindex* interfaces = if_nameindex();
    for (const auto* at = interfaces; at != nullptr && at->if_index != 0; ++at) {
        Request request;
        request.header.nlmsg_len = sizeof(request);
        request.header.nlmsg_type = RTM_DELQDISC;
        request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
        request.body.tcm_ifindex = static_cast<int>(at->if_index);
        request.body.tcm_parent = TC_H_CLSACT;
        request.body.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0);
        request.kind.rta_type = TCA_KIND;
        request.kind.rta_len = sizeof(request.kind) + sizeof("clsact");
        struct {
            nlmsghdr header{};
            nlmsgerr error{};
        } answer;
        const bool is_answered = send(fd, &request, sizeof(request), 0) > 0 && recv(fd, &answer, sizeof(answer), 0) > 0;
        print_step("remove traffic filters", is_answered ? -answer.error.error : errno);
    }
    if_freenameindex(interfaces);
    (void)close(fd);
}

void unpin(const char* folder)
{
    std::error_code status;
    std::vector<std::filesystem::path> found;
    for (auto at = std::filesystem::recursive_directory_iterator(folder, status);
         !status && at != std::filesystem::recursive_directory_iterator(); at.increment(status)) {
        found.push_back(at->path());
    }
    print_step("list the pins", status.value());
    for (auto path = found.rbegin(); path != found.rend(); ++path) {
        std::error_code removal;
        std::filesystem::remove(*path, removal);
        print_step("remove a pin", removal.value());
    }
}

/// A control map is an array of one hw_control with our ABI version: all addresses become unguarded.
void empty_filter(__u32 map_id)
{
    bpf_attr by_id{};
    by_id.map_id = map_id;
    const int fd = bpf(BPF_MAP_GET_FD_BY_ID, by_id);
    bpf_map_info info{};
    if (fd < 0 || !get_info(fd, info) || info.value_size < sizeof(hw_control) || info.max_entries != 1) {
        (void)close(fd);
        return;
    }
    std::vector<unsigned char> value(info.value_size);
    __u32 key = 0;
    bpf_attr entry{};
    entry.map_fd = static_cast<__u32>(fd);
    entry.key = std::bit_cast<std::uintptr_t>(&key);
    entry.value = std::bit_cast<std::uintptr_t>(value.data());
    hw_control control{};
    if (bpf(BPF_MAP_LOOKUP_ELEM, entry) == 0) {
        std::memcpy(&control, value.data(), sizeof(control));
    }
    if (control.abi_version == HW_ABI_VERSION && info.value_size == sizeof(control)) {
        std::memset(control.filter, 0, sizeof(control.filter));
        std::memcpy(value.data(), &control, sizeof(control));
        print_step("empty the filter", bpf(BPF_MAP_UPDATE_ELEM, entry) == 0 ? 0 : errno);
    }
    (void)close(fd);
}

void write_maps(std::uint64_t cgroup)
{
    each_link(cgroup, [](int, const bpf_link_info& link) {
        bpf_attr by_id{};
        by_id.prog_id = link.prog_id;
        const int program = bpf(BPF_PROG_GET_FD_BY_ID, by_id);
        std::array<__u32, kMapsMax> ids{};
        bpf_prog_info info{};
        info.nr_map_ids = ids.size();
        info.map_ids = std::bit_cast<std::uintptr_t>(ids.data());
        if (program < 0 || !get_info(program, info)) {
            print_step("open a program", errno);
        }
        for (std::size_t i = 0; program >= 0 && i < info.nr_map_ids && i < ids.size(); ++i) {
            empty_filter(ids.at(i));
        }
        (void)close(program);
    });
}

[[noreturn]] void connect_to(const char* address)
{
    const attack::Target target = attack::require_target(address);
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(target.family(), SOCK_STREAM, 0, watch);
    attack::set_deadline(fd);
    if (connect(fd, target.raw(), target.size) != 0) {
        attack::refused("connect", errno, watch);
    }
    attack::exchange(fd, "after tampering", watch);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        attack::usage(kUsageText);
    }
    const std::string_view way = argv[1];
    if (way == "detach") {
        detach_links(cgroup_id(argv[2]));
        detach_programs(argv[2]);
        drop_traffic_filters();
    } else if (way == "unpin") {
        unpin(argv[2]);
        drop_traffic_filters();
    } else if (way == "map") {
        write_maps(cgroup_id(argv[2]));
    } else if (way == "kill") {
        print_step("kill", kill(static_cast<pid_t>(attack::require_number(argv[2])), SIGKILL) == 0 ? 0 : errno);
    } else {
        attack::usage(kUsageText);
    }
    connect_to(argv[3]);
}
