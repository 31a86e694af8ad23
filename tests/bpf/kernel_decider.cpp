// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/kernel_decider.h"

#include "agent/base/text.h"
#include "agent/guard/bpf_objects.h"
#include "agent/guard/swap.h"
#include "tests/bpf/decide_abi.h"
#include "tests/bpf/oracle/oracle.h"

#include "decide.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <algorithm>
#include <cstring>

namespace hostward::test {

namespace {

/// Numbers of the pretended host's namespaces: the test's identities say "container" by flag.
constexpr guard::HostFacts kHost{1, 2, 3, 4};

Result<guard::KernelMaps> product_maps()
{
    TRY_ASSIGN(guard::BpfObject object, guard::BpfObject::open(guard::ObjectId::Guard, nullptr));
    TRY(object.load());
    guard::KernelMaps maps;
    for (std::size_t i = 0; i < static_cast<std::size_t>(guard::MapId::Count); ++i) {
        const auto id = static_cast<guard::MapId>(i);
        TRY_ASSIGN(UniqueFd fd, object.map_fd(guard::map_name(id)));
        maps.set(id, std::move(fd));
    }
    return maps;
}

void put_identity(const guard::Caller& caller, decide_question& question)
{
    hw_identity& who = question.who;
    who.uid = caller.uid;
    who.euid = caller.euid;
    who.gid = caller.gid;
    who.egid = caller.gid;
    if (caller.exe) {
        who.exe_inode = caller.exe->inode;
        who.exe_device = caller.exe->device;
        who.exe_generation = caller.exe->generation;
    } else {
        who.flags |= HW_ID_EXE_UNTRUSTED;
    }
    who.flags |= caller.container ? std::uint32_t{HW_ID_CONTAINER} : 0;
    who.flags |= caller.kernel_thread ? std::uint32_t{HW_ID_KERNEL_THREAD} : 0;
}

/// read_credentials and read_cgroup of ebpf/identity.bpf.h do the same with what they find.
void put_lists(const guard::Caller& caller, decide_question& question)
{
    if (caller.groups.size() > HW_GROUPS_MAX) {
        question.who.flags |= HW_ID_GROUPS_OVERFLOW;
    } else {
        question.group_count = static_cast<std::uint32_t>(caller.groups.size());
        std::copy(caller.groups.begin(), caller.groups.end(), std::begin(question.groups));
    }
    if (caller.cgroup_path.empty()) {
        return;
    }
    const auto parts = split(std::string_view(caller.cgroup_path).substr(1), '/');
    if (parts.size() > HW_CGROUP_DEPTH_MAX) {
        question.who.flags |= HW_ID_CGROUP_DEPTH;
        return;
    }
    question.depth = static_cast<std::uint32_t>(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const auto& name = parts[parts.size() - 1 - i];
        std::memcpy(static_cast<char*>(question.level_name[i]), name.data(),
                    std::min<std::size_t>(name.size(), HW_TEXT_MAX - 1));
    }
}

} // namespace

void KernelDecider::Destroy::operator()(decide_bpf* skeleton) const { ::decide_bpf__destroy(skeleton); }

Result<KernelDecider> KernelDecider::create()
{
    KernelDecider decider;
    TRY_ASSIGN(decider.maps_, product_maps());
    decider.skeleton_.reset(::decide_bpf__open());
    if (!decider.skeleton_) {
        return system_error(errno, "cannot open the test's programs");
    }
    for (std::size_t i = 0; i < static_cast<std::size_t>(guard::MapId::Count); ++i) {
        const auto id = static_cast<guard::MapId>(i);
        bpf_map* map = ::bpf_object__find_map_by_name(decider.skeleton_->obj, guard::map_name(id));
        if (map != nullptr && ::bpf_map__reuse_fd(map, decider.maps_.fd(id)) < 0) {
            return system_error(errno, "cannot share a map");
        }
    }
    if (const int error = ::decide_bpf__load(decider.skeleton_.get()); error < 0) {
        return system_error(-error, "cannot load the test's programs: " + guard::take_libbpf_log());
    }
    return decider;
}

Status KernelDecider::install(const guard::CompiledPolicy& policy)
{
    cgroup_ids_.clear();
    auto generation = guard::install_policy(maps_, policy, kHost);
    return generation ? success() : Status(generation.error());
}

Result<std::optional<guard::Decision>> KernelDecider::decide(const guard::Caller& caller, const std::string& address)
{
    const std::uint32_t zero = 0;
    decide_question question{};
    put_identity(caller, question);
    put_lists(caller, question);
    question.who.cgroup_id = cgroup_ids_.try_emplace(caller.cgroup_path, cgroup_ids_.size() + 100).first->second;
    const auto bytes = address_of(address);
    std::memcpy(static_cast<void*>(question.words), bytes.data(), bytes.size());
    decide_answer answer{};
    const int question_fd = ::bpf_map__fd(skeleton_->maps.question);
    const int answer_fd = ::bpf_map__fd(skeleton_->maps.answer);
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    if (::bpf_map_update_elem(question_fd, &zero, &question, BPF_ANY) < 0 ||
        ::bpf_map_update_elem(answer_fd, &zero, &answer, BPF_ANY) < 0 ||
        ::bpf_prog_test_run_opts(::bpf_program__fd(skeleton_->progs.decide_for), &options) < 0 ||
        ::bpf_map_lookup_elem(answer_fd, &zero, &answer) < 0) {
        return system_error(errno, "cannot run the decision in the kernel");
    }
    if (answer.answered == 0) {
        return Error{ErrorKind::System, 0, "the kernel did not answer"};
    }
    if (answer.guarded == 0) {
        return std::optional<guard::Decision>();
    }
    return std::optional(
        guard::Decision{static_cast<hw_verdict>(answer.verdict), static_cast<hw_reason>(answer.reason), answer.rule});
}

} // namespace hostward::test
