// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/exe_facts.h"

#include "exe_facts.skel.h"
#include "agent/base/unique_fd.h"
#include "agent/guard/bpf_objects.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

namespace hostward::guard {

namespace {

struct DestroySkeleton {
    void operator()(exe_facts_bpf* skeleton) const { ::exe_facts_bpf__destroy(skeleton); }
};

/// The iterator over the files of this process; over those of all processes where the kernel cannot restrict it
/// (before 6.0), the program picks ours then.
Result<UniqueFd> make_iterator(int program_fd)
{
    bpf_iter_link_info only_us{};
    only_us.task.pid = static_cast<std::uint32_t>(::getpid());
    bpf_link_create_opts options{};
    options.sz = sizeof(options);
    options.iter_info = &only_us;
    options.iter_info_len = sizeof(only_us);
    int link = ::bpf_link_create(program_fd, 0, BPF_TRACE_ITER, &options);
    if (link < 0) {
        link = ::bpf_link_create(program_fd, 0, BPF_TRACE_ITER, nullptr);
    }
    if (link < 0) {
        return system_error(-link, "cannot attach the file iterator");
    }
    const UniqueFd owner(link);
    const int iterator = ::bpf_iter_create(link);
    if (iterator < 0) {
        return system_error(-iterator, "cannot start the file iterator");
    }
    return UniqueFd(iterator);
}

Result<hw_file_fact> find_record(int iterator, int fd)
{
    std::vector<char> bytes;
    std::array<char, 8192> buffer{};
    while (true) {
        const ssize_t size = ::read(iterator, buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size < 0) {
            return system_error(errno, "cannot read the file iterator");
        }
        if (size == 0) {
            break;
        }
        bytes.insert(bytes.end(), buffer.begin(), buffer.begin() + size);
    }
    for (std::size_t at = 0; at + sizeof(hw_file_fact) <= bytes.size(); at += sizeof(hw_file_fact)) {
        hw_file_fact fact{};
        std::memcpy(&fact, bytes.data() + at, sizeof(fact));
        if (fact.fd == static_cast<std::uint32_t>(fd)) {
            return fact;
        }
    }
    return Error{ErrorKind::System, 0, "the file iterator did not report the descriptor"};
}

} // namespace

Result<hw_file_fact> file_fact(int fd)
{
    capture_libbpf_log();
    const std::unique_ptr<exe_facts_bpf, DestroySkeleton> skeleton(::exe_facts_bpf__open_and_load());
    if (!skeleton) {
        return system_error(errno, "cannot load the file iterator");
    }
    TRY_ASSIGN(const UniqueFd iterator, make_iterator(::bpf_program__fd(skeleton->progs.exe_facts)));
    return find_record(iterator.get(), fd);
}

} // namespace hostward::guard
