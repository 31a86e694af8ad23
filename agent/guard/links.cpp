// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/links.h"

#include "agent/base/text.h"

#include <bpf/bpf.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <array>
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

Status attach_one(const BpfObject& object, const std::string& program, int cgroup_fd, const std::string& path)
{
    auto link = make_link(object.program_fd(program), cgroup_fd, cgroup_hooks().at(program));
    if (!link) {
        return link.error().in(program);
    }
    return pin(link->get(), path);
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

Status attach_lsm_program(ObjectId id, const KernelMaps& maps, const std::string& program, const std::string& path)
{
    TRY_ASSIGN(BpfObject object, BpfObject::open(id, &maps));
    object.select(program);
    TRY(object.load());
    TRY_ASSIGN(const UniqueFd link, make_link(object.program_fd(program), 0, BPF_LSM_MAC));
    return pin_over(link.get(), path);
}

/// The child's part of attach_lsm(): one line per program, "name" or "name problem".
void try_programs(ObjectId id, const std::vector<std::string>& programs, const KernelMaps& maps,
                  const std::string& directory, int out)
{
    for (const auto& program : programs) {
        const auto attached = attach_lsm_program(id, maps, program, link_path(directory, program));
        std::string line = program;
        if (!attached) {
            line += " " + escape(attached.error().text);
        }
        line += "\n";
        (void)!::write(out, line.data(), line.size()); // a parent that is gone needs no answer
    }
}

/// Everything the child wrote until it ended or the deadline passed.
std::string read_until_deadline(int in)
{
    const auto deadline = std::chrono::steady_clock::now() + kTrialDeadline;
    std::string text;
    std::array<char, 4096> buffer{};
    while (true) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        pollfd wait{in, POLLIN, 0};
        if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
            return text;
        }
        const auto size = ::read(in, buffer.data(), buffer.size());
        if (size <= 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(size));
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

Status attach_to_cgroup(const BpfObject& object, int cgroup_fd, const std::string& directory)
{
    // The connect hooks first: a connection made before the egress hook is there is tagged already.
    for (const auto& program : program_names(ObjectId::Guard)) {
        TRY(attach_one(object, program, cgroup_fd, link_path(directory, program)));
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
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) < 0) {
        return parse_attempts(programs, "");
    }
    UniqueFd reader(ends[0]);
    UniqueFd writer(ends[1]);
    const pid_t child = ::fork();
    if (child == 0) {
        reader.reset();
        try_programs(id, programs, maps, directory, writer.get());
        ::_exit(0);
    }
    writer.reset();
    const std::string text = child < 0 ? "" : read_until_deadline(reader.get());
    if (child > 0) {
        (void)::kill(child, SIGKILL); // finished already, or hanging in the kernel
        // A child in an uninterruptible wait cannot be reaped now; init does it when it comes back.
        for (int i = 0; i < 100 && ::waitpid(child, nullptr, WNOHANG) == 0; ++i) {
            (void)::poll(nullptr, 0, 10); // only passes the time
        }
    }
    return parse_attempts(programs, text);
}

} // namespace hostward::guard
