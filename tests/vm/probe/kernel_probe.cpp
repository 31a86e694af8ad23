// SPDX-License-Identifier: Apache-2.0
// Asks the running kernel, one by one, for the features that the guard builds on: really loads, really attaches, really
// causes the event. Prints `[FACT] name=NAME result=yes|no why="..."` per feature; ends with 0 when all could be asked.
//
// Works in a network namespace and a child cgroup of its own. LSM programs see the whole machine, so they only observe.
#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "kernel_probe.skel.h"
#include "tests/vm/probe/facts.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace hostward::probe {
namespace {

constexpr int kFactDeadlineMs = 60'000; // an attach can hang in the kernel: then we go on without it
constexpr __u32 kTcxEgress = 47;        // BPF_TCX_EGRESS, newer than this libbpf's headers

std::string verifier_log; // the last thing the verifier said about the program under test

int keep_log(enum libbpf_print_level level, const char* format, va_list arguments)
{
    if (level != LIBBPF_WARN) {
        return 0;
    }
    char line[16384];
    (void)vsnprintf(line, sizeof(line), format, arguments);
    verifier_log += line;
    return 0;
}

// The line that names the reason: the last one of the program's log before the statistics.
std::string last_words(const std::string& log)
{
    std::string best;
    for (const std::string_view line : split(log, '\n')) {
        const bool framing = line.starts_with("libbpf:") || line.starts_with("processed ") || line.starts_with("--");
        if (!line.empty() && !framing) {
            best = line;
        }
    }
    return best;
}

struct SkeletonDeleter {
    void operator()(kernel_probe_bpf* skeleton) const { kernel_probe_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<kernel_probe_bpf, SkeletonDeleter>;

struct FileRow { // file_row in kernel_probe.bpf.c
    __u32 fd;
    __u32 device;
    __u64 inode;
    __u32 generation;
    __u32 pad;
};

Answer failed(const char* step)
{
    const int error = errno;
    const std::string words = last_words(verifier_log);
    return std::string(step) + ": " + std::strerror(error) + (words.empty() ? "" : " (" + words + ")");
}

Answer attach_tc(const bpf_program* program)
{
    bpf_tc_hook hook{};
    hook.sz = sizeof(hook);
    hook.ifindex = static_cast<int>(if_nametoindex("lo"));
    hook.attach_point = BPF_TC_EGRESS;
    bpf_tc_opts options{};
    options.sz = sizeof(options);
    options.prog_fd = bpf_program__fd(program);
    errno = -bpf_tc_hook_create(&hook);
    if (errno != 0 && errno != EEXIST) {
        return failed("clsact");
    }
    errno = -bpf_tc_attach(&hook, &options);
    return errno == 0 ? Answer{} : failed("attach");
}

Answer attach_tcx(const bpf_program* program)
{
    bpf_attr attributes{};
    attributes.link_create.prog_fd = static_cast<__u32>(bpf_program__fd(program));
    attributes.link_create.target_ifindex = if_nametoindex("lo");
    attributes.link_create.attach_type = kTcxEgress;
    // The link lives as long as this child: its descriptor is left open on purpose.
    return syscall(SYS_bpf, BPF_LINK_CREATE, &attributes, sizeof(attributes)) >= 0 ? Answer{} : failed("attach");
}

// What the iterator says about one of our files must be what stat and the file system say.
Answer compare_row(const FileRow& row, int fd)
{
    struct stat facts {};
    long generation = 0;
    if (fstat(fd, &facts) != 0) {
        return failed("fstat");
    }
    if (row.inode != facts.st_ino || (row.device >> 20) != major(facts.st_dev) ||
        (row.device & 0xfffff) != minor(facts.st_dev)) {
        return "the iterator tells another inode or device than fstat";
    }
    const bool known = ioctl(fd, FS_IOC_GETVERSION, &generation) == 0;
    if (known && static_cast<__u32>(generation) != row.generation) {
        return "the iterator tells another generation than FS_IOC_GETVERSION";
    }
    return {};
}

Answer read_iterator(const bpf_link* link, bool rows_are_files)
{
    const UniqueFd own(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
    const UniqueFd iterator(bpf_iter_create(bpf_link__fd(link)));
    if (!iterator) {
        return failed("open the iterator");
    }
    std::vector<FileRow> rows(4096);
    std::size_t filled = 0;
    auto* bytes = reinterpret_cast<char*>(rows.data());
    const std::size_t room = rows.size() * sizeof(FileRow);
    for (ssize_t got = 1; got > 0 && filled < room; filled += static_cast<std::size_t>(got)) {
        got = read(iterator.get(), bytes + filled, room - filled);
        if (got < 0) {
            return failed("read the iterator");
        }
    }
    for (std::size_t index = 0; rows_are_files && index < filled / sizeof(FileRow); ++index) {
        if (rows[index].fd == static_cast<__u32>(own.get())) {
            return compare_row(rows[index], own.get());
        }
    }
    return rows_are_files ? "our own file is not among the iterator's rows" : Answer{};
}

Answer attach(const bpf_program* program, int cgroup)
{
    const std::string_view name = bpf_program__name(program);
    verifier_log.clear();
    switch (bpf_program__type(program)) {
    case BPF_PROG_TYPE_SCHED_CLS: return name.starts_with("tcx_") ? attach_tcx(program) : attach_tc(program);
    case BPF_PROG_TYPE_SYSCALL: {
        bpf_test_run_opts options{};
        options.sz = sizeof(options);
        return bpf_prog_test_run_opts(bpf_program__fd(program), &options) == 0 ? Answer{} : failed("run");
    }
    case BPF_PROG_TYPE_TRACING:
    case BPF_PROG_TYPE_RAW_TRACEPOINT:
    case BPF_PROG_TYPE_LSM:
        if (!name.starts_with("lsm_cgroup_")) {
            const bpf_link* link = bpf_program__attach(program); // dies with this child
            if (link == nullptr) {
                return failed("attach");
            }
            return name.starts_with("iter_") ? read_iterator(link, name == "iter_task_file") : Answer{};
        }
        [[fallthrough]];
    default: return bpf_program__attach_cgroup(program, cgroup) != nullptr ? Answer{} : failed("attach");
    }
}

// Only what this fact needs is created and loaded: a kernel may lack the rest.
void choose_programs(const Skeleton& skeleton, const ProgramFact& fact)
{
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, skeleton->obj)
    {
        bool wanted = false;
        for (const char* name : fact.programs) {
            wanted = wanted || std::strcmp(bpf_program__name(program), name) == 0;
        }
        (void)bpf_program__set_autoload(program, wanted); // fails only after load
    }
    (void)bpf_map__set_autocreate(skeleton->maps.task_notes, std::string_view(fact.name) == "lsm_task_storage");
}

// Another size than the declared one, in the slot that the program uses.
Answer put_large_table(const Skeleton& skeleton)
{
    bpf_map_create_opts options{};
    options.sz = sizeof(options);
    options.map_flags = BPF_F_NO_PREALLOC;
    const UniqueFd table(bpf_map_create(BPF_MAP_TYPE_HASH, "large", 8, 8, 1000, &options));
    const __u32 slot = 1;
    const int fd = table.get();
    return bpf_map_update_elem(bpf_map__fd(skeleton->maps.tables), &slot, &fd, BPF_ANY) == 0 ? Answer{}
                                                                                             : failed("put a table");
}

Answer ask(const ProgramFact& fact, int cgroup)
{
    const Skeleton skeleton(kernel_probe_bpf__open());
    if (!skeleton) {
        return failed("open");
    }
    choose_programs(skeleton, fact);
    skeleton->rodata->self_tgid = static_cast<__u32>(getpid());
    verifier_log.clear();
    if (kernel_probe_bpf__load(skeleton.get()) != 0) {
        return failed("load");
    }
    if (Answer why = put_large_table(skeleton); !why.empty()) {
        return why;
    }
    for (const char* name : fact.programs) {
        const bpf_program* program = bpf_object__find_program_by_name(skeleton->obj, name);
        if (program == nullptr) {
            return std::string("no program ") + name;
        }
        if (Answer why = attach(program, cgroup); !why.empty()) {
            return why;
        }
    }
    if (fact.trigger == nullptr) {
        return {};
    }
    fact.trigger();
    return skeleton->bss->hits > 0 ? Answer{} : "attached, but does not see the event";
}

void say(const char* name, const Answer& why)
{
    (void)printf("[FACT] name=%s result=%s why=%s\n", name, why.empty() ? "yes" : "no", quote(why).c_str());
    (void)fflush(stdout);
}

// Each question in a child with a deadline; what the child attached goes with it.
template <typename Question> Answer in_child(Question question)
{
    int pipe_ends[2];
    if (pipe2(pipe_ends, O_CLOEXEC) != 0) {
        return failed("pipe");
    }
    const UniqueFd reader(pipe_ends[0]);
    UniqueFd writer(pipe_ends[1]);
    const pid_t child = fork();
    if (child == 0) {
        const Answer answer = question();
        (void)!write(writer.get(), answer.data(), answer.size()); // the parent reports a short answer as it is
        _exit(0);
    }
    writer.reset();
    pollfd ready{reader.get(), POLLIN, 0};
    char text[4096];
    Answer answer = "no answer in time: the kernel hangs";
    const bool answered = poll(&ready, 1, kFactDeadlineMs) == 1;
    if (answered) {
        const ssize_t size = read(reader.get(), text, sizeof(text));
        answer = size >= 0 ? std::string(text, static_cast<std::size_t>(size)) : "no answer";
    }
    (void)kill(child, SIGKILL);
    int status = 0;
    if (waitpid(child, &status, answered ? 0 : WNOHANG) == child && answer.empty() &&
        !(WIFEXITED(status) || WTERMSIG(status) == SIGKILL)) {
        answer = std::string("ended by ") + strsignal(WTERMSIG(status));
    }
    return answer;
}

std::optional<std::string> cgroup2_mount()
{
    std::ifstream mounts("/proc/self/mounts");
    std::string device;
    std::string place;
    std::string type;
    std::string rest;
    while (mounts >> device >> place >> type && std::getline(mounts, rest)) {
        if (type == "cgroup2") {
            return place;
        }
    }
    return std::nullopt;
}

bool put_self_into(const std::string& folder)
{
    std::ofstream procs(folder + "/cgroup.procs");
    procs << "0" << std::flush;
    return procs.good();
}

bool loopback_up()
{
    const UniqueFd fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
}

int ask_all(const std::string& folder)
{
    if (!put_self_into(folder) || unshare(CLONE_NEWNET) != 0 || !loopback_up()) {
        perror("kernel_probe: cgroup and network namespace");
        return 1;
    }
    const UniqueFd cgroup(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    (void)setenv("HOSTWARD_PROBE_CGROUP", folder.c_str(), 1);
    for (const DirectFact& fact : direct_facts()) {
        say(fact.name, in_child(fact.ask));
    }
    for (const ProgramFact& fact : program_facts()) {
        say(fact.name, in_child([&] { return ask(fact, cgroup.get()); }));
    }
    return 0;
}

int run()
{
    const std::optional<std::string> root = cgroup2_mount();
    if (!root) {
        (void)fprintf(stderr, "kernel_probe: no cgroup2 mount\n");
        return 1;
    }
    (void)libbpf_set_print(keep_log);
    const rlimit no_limit{RLIM_INFINITY, RLIM_INFINITY};
    (void)setrlimit(RLIMIT_MEMLOCK,
                    &no_limit); // kernels before 5.11 count BPF memory there; a failure shows in every fact
    utsname kernel{};
    (void)uname(&kernel);
    (void)printf("[KERNEL] release=%s\n", kernel.release);
    (void)fflush(stdout);
    const std::string folder = *root + "/hostward-probe." + std::to_string(getpid());
    if (mkdir(folder.c_str(), 0755) != 0) {
        perror("kernel_probe: make a cgroup");
        return 1;
    }
    const pid_t child = fork(); // it enters the cgroup, so we can remove it
    if (child == 0) {
        _exit(ask_all(folder));
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    (void)rmdir(folder.c_str()); // fails only when a child hangs in the kernel: said in its fact
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

} // namespace
} // namespace hostward::probe

int main(int argc, char** argv)
{
    if (argc > 1 && std::string_view(argv[1]) == "--nothing") {
        return 0; // the exec that one question needs
    }
    return hostward::probe::run();
}
