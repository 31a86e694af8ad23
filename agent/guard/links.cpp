// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/links.h"

#include "agent/base/text.h"
#include "agent/guard/child.h"

#include <bpf/bpf.h>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>

namespace hostward::guard {

namespace {

/// Longest wait for all attach trials of one object. Software-emulated kernels need seconds for each.
constexpr std::chrono::seconds kTrialDeadline{60};

const std::map<std::string, bpf_attach_type>& cgroup_hooks()
{
    static const std::map<std::string, bpf_attach_type> hooks{
        {"guard_connect4", BPF_CGROUP_INET4_CONNECT}, {"guard_connect6", BPF_CGROUP_INET6_CONNECT},
        {"guard_sendmsg4", BPF_CGROUP_UDP4_SENDMSG},  {"guard_sendmsg6", BPF_CGROUP_UDP6_SENDMSG},
        {"guard_egress", BPF_CGROUP_INET_EGRESS},
    };
    return hooks;
}

Result<UniqueFd> make_link(int program_fd, int target_fd, bpf_attach_type type)
{
    const int fd = ::bpf_link_create(program_fd, target_fd, type, nullptr);
    if (fd < 0) {
        return system_error(-fd, "cannot attach");
    }
    return UniqueFd(fd);
}

std::string link_path(const std::string& directory, const std::string& program)
{
    return directory + "/link_" + program;
}

/// Pins beside, then moves over: there is always one of the two.
Status pin_over(int fd, const std::string& path)
{
    const std::string beside = path + "_new"; // bpffs refuses names with a dot
    (void)::unlink(beside.c_str());           // of a run that was killed here
    TRY(pin(fd, beside));
    if (::rename(beside.c_str(), path.c_str()) < 0) {
        const int error = errno;
        return system_error(error, "cannot move pin to " + quote(path));
    }
    return success();
}

Result<BpfObject> load_programs(ObjectId id, const KernelMaps& maps, const std::vector<std::string>& programs)
{
    TRY_ASSIGN(BpfObject object, BpfObject::open(id, &maps));
    object.select(programs);
    TRY(object.load());
    return object;
}

Status attach_lsm_program(const BpfObject& object, const std::string& program, const std::string& path)
{
    TRY_ASSIGN(const UniqueFd link, make_link(object.program_fd(program), 0, BPF_LSM_MAC));
    return path.empty() ? success() : pin_over(link.get(), path);
}

/// The child's part of attach_lsm(): one line per program, "name" or "name problem". Loaded together, because libbpf
/// reads the kernel's types for each load; where the kernel refuses one of them, each alone.
void try_programs(ObjectId id, const std::vector<std::string>& programs, const KernelMaps& maps,
                  const std::string& directory, int out)
{
    const auto together = load_programs(id, maps, programs);
    for (const auto& program : programs) {
        const std::string path = directory.empty() ? "" : link_path(directory, program);
        const auto attach = [&](const BpfObject& object) { return attach_lsm_program(object, program, path); };
        const Status attached = together ? attach(*together) : [&]() -> Status {
            TRY_ASSIGN(const BpfObject alone, load_programs(id, maps, {program}));
            return attach(alone);
        }();
        std::string line = program;
        if (!attached) {
            line += " " + escape(attached.error().text);
        }
        line += "\n";
        (void)!::write(out, line.data(), line.size()); // a parent that is gone needs no answer
    }
}

std::vector<Attempt> parse_attempts(const std::vector<std::string>& programs, const std::string& text)
{
    std::map<std::string, std::string> answers;
    for (const auto line : split(text, '\n')) {
        const auto space = line.find(' ');
        answers[std::string(line.substr(0, space))] =
            space == std::string_view::npos ? "" : std::string(line.substr(space + 1));
    }
    std::vector<Attempt> attempts;
    for (const auto& program : programs) {
        const auto answer = answers.find(program);
        attempts.push_back({program, answer == answers.end() ? "the attach did not finish in time" : answer->second});
    }
    return attempts;
}

} // namespace

Result<UniqueFd> attach_for_now(const BpfObject& object, const std::string& program, int cgroup_fd)
{
    auto link = make_link(object.program_fd(program), cgroup_fd, cgroup_hooks().at(program));
    return link ? std::move(link) : link.error().in(program);
}

Status attach_to_cgroup(const BpfObject& object, int cgroup_fd, const std::string& directory)
{
    // The connect hooks first: a connection made before the egress hook is there is tagged already.
    for (const auto& program : program_names(ObjectId::Guard)) {
        TRY_ASSIGN(const UniqueFd link, attach_for_now(object, program, cgroup_fd));
        TRY(pin(link.get(), link_path(directory, program)));
    }
    return success();
}

Status replace_in_cgroup(const BpfObject& object, int cgroup_fd, const std::string& directory)
{
    for (const auto& program : program_names(ObjectId::Guard)) {
        const std::string path = link_path(directory, program);
        const auto link = open_pin(path);
        if (link && ::bpf_link_update(link->get(), object.program_fd(program), nullptr) == 0) {
            continue;
        }
        auto fresh = make_link(object.program_fd(program), cgroup_fd, cgroup_hooks().at(program));
        if (!fresh) {
            return fresh.error().in(program);
        }
        TRY(pin_over(fresh->get(), path));
    }
    return success();
}

void detach_links(const std::string& directory)
{
    for (const auto& program : program_names(ObjectId::Guard)) {
        if (const auto link = open_pin(link_path(directory, program)); link) {
            (void)::bpf_link_detach(link->get()); // detached already, or removing the pin does it later
        }
    }
}

bool link_is_attached(const std::string& path, std::uint64_t cgroup_id)
{
    const auto link = open_pin(path);
    if (!link) {
        return false;
    }
    bpf_link_info info{};
    std::uint32_t size = sizeof(info);
    if (::bpf_obj_get_info_by_fd(link->get(), &info, &size) < 0) {
        return false;
    }
    return info.type != BPF_LINK_TYPE_CGROUP || info.cgroup.cgroup_id == cgroup_id;
}

std::string lsm_inactive_reason()
{
    std::ifstream file("/sys/kernel/security/lsm");
    std::string list;
    if (!std::getline(file, list)) {
        return "cannot read /sys/kernel/security/lsm (is securityfs mounted?), so it is unknown whether the kernel "
               "runs BPF security programs";
    }
    for (const auto module : split(list, ',')) {
        if (module == "bpf") {
            return "";
        }
    }
    return "the kernel's list of security modules lacks bpf: boot with lsm=" + escape(list) + ",bpf";
}

std::vector<std::string> missing_links(ObjectId id, const std::string& directory)
{
    std::vector<std::string> missing;
    for (const auto& program : program_names(id)) {
        if (!open_pin(link_path(directory, program))) {
            missing.push_back(program);
        }
    }
    return missing;
}

std::vector<Attempt> attach_lsm(ObjectId id, const std::vector<std::string>& programs, const KernelMaps& maps,
                                const std::string& directory)
{
    const std::string text =
        run_child([&](int out) { try_programs(id, programs, maps, directory, out); }, kTrialDeadline);
    return parse_attempts(programs, text);
}

} // namespace hostward::guard
