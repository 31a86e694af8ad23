// SPDX-License-Identifier: Apache-2.0
// Every system call that a filter names, and why. What the C library calls depends on its version: where it has an
// older and a newer call for the same thing, both are here.
#include "agent/sandbox/groups.h"

#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <initializer_list>

namespace hostward::sandbox {

namespace {

using enum Action;

constexpr std::uint64_t kInt = 0xffffffff; ///< the half of an argument that the kernel takes for an int
constexpr std::uint64_t kNamespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr std::uint64_t kWriteAndExecute = PROT_WRITE | PROT_EXEC;
constexpr std::uint64_t kTcgets2 = 0x802c542a; ///< isatty(3) of newer C libraries
constexpr int kNameMemory = 0x53564d41;        ///< PR_SET_VMA, Linux 5.17

// Without arguments. One name per word.
struct Plain {
    std::string_view group;
    std::string_view reason;
    Action action;
    std::string_view calls;
};

constexpr std::array kPlain{
    Plain{"memory", "the allocator, and the loader for what getaddrinfo loads late; never writable and executable",
          Allow, "brk munmap mremap madvise mincore msync arch_prctl mseal"},
    Plain{"threads", "getaddrinfo in libcurl, walking the file system, the progress line; no process, no namespace",
          Allow,
          "futex futex_wait futex_wake futex_requeue futex_waitv set_robust_list get_robust_list rseq set_tid_address "
          "membarrier sched_yield sched_getaffinity getcpu exit exit_group"},
    Plain{"processes", "a child of our own code that may hang or gives up more; none of it executes anything", Allow,
          "fork vfork wait4 waitid kill"},
    Plain{"signals", "handlers, and dying of one", Allow,
          "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack tgkill "
          "restart_syscall"},
    Plain{"time", "clocks, pauses and time-outs; none of it sets a clock", Allow,
          "clock_gettime clock_getres clock_nanosleep nanosleep gettimeofday time timerfd_create timerfd_settime "
          "timerfd_gettime alarm setitimer"},
    Plain{"self", "who and where we are, random numbers, limits of our own", Allow,
          "getpid getppid gettid getuid geteuid getgid getegid getresuid getresgid getgroups getpgid getpgrp getsid "
          "uname sysinfo getrandom getrlimit getrusage times capget umask getcwd"},
    Plain{
        "files", "look at files and read them", Allow,
        "open openat openat2 close close_range dup dup2 dup3 fcntl flock read readv pread64 preadv preadv2 lseek stat "
        "fstat lstat newfstatat statx access faccessat faccessat2 readlink readlinkat getdents getdents64 statfs "
        "fstatfs fadvise64 readahead"},
    Plain{"output", "write what is open already: results and messages", Allow,
          "write writev pwrite64 pwritev pwritev2"},
    Plain{"changes", "write files of our own aside and move them into place; no owner, no device, no mount", Allow,
          "ftruncate fallocate fsync fdatasync sync_file_range rename renameat renameat2 link linkat unlink unlinkat "
          "mkdir "
          "mkdirat rmdir chmod fchmod fchmodat fchmodat2 utimensat sendfile copy_file_range"},
    Plain{
        "waiting", "several descriptors at once", Allow,
        "poll ppoll select pselect6 epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd2 "
        "pipe pipe2"},
    Plain{
        "connections", "of sockets whose family was judged when they were made; nothing listens", Allow,
        "connect bind getsockname getpeername sendto sendmsg sendmmsg recvfrom recvmsg recvmmsg setsockopt getsockopt "
        "shutdown"},
    Plain{"watching", "files that a policy names, signals as events, the id of a cgroup", Allow,
          "inotify_init1 inotify_add_watch inotify_rm_watch signalfd4 name_to_handle_at"},
    Plain{"bpf", "the guard is made of it", Allow, "bpf"},
    Plain{"optional", "libraries of a distribution may ask for it and manage without", Denied,
          "kcmp pidfd_open pidfd_send_signal memfd_create mlock mlock2 munlock getpriority setpriority ioprio_get "
          "ioprio_set sched_getscheduler sched_getparam sched_setaffinity sched_setscheduler sched_get_priority_min "
          "sched_get_priority_max get_mempolicy set_mempolicy mbind statmount listmount setsid setpgid"},
    // What follows is refused in a filter that allows the rest.
    Plain{"no modules", "code in the kernel", Trap, "init_module finit_module delete_module create_module"},
    Plain{"no new kernel", "replacing the kernel, ending it, its swap and its accounts", Trap,
          "kexec_load kexec_file_load reboot swapon swapoff acct quotactl quotactl_fd nfsservctl vhangup"},
    Plain{"no clocks", "the host's time and names", Trap,
          "settimeofday clock_settime adjtimex clock_adjtime stime sethostname setdomainname"},
    Plain{"no mounts", "another file system, for us or for the host", Trap,
          "mount umount umount2 pivot_root chroot fsopen fsconfig fsmount fspick move_mount open_tree open_tree_attr "
          "mount_setattr mknod mknodat"},
    Plain{"no namespaces", "a way out of what confines us, and to what only a namespace's root may", Trap,
          "unshare setns"},
    Plain{"no other process", "the memory and the descriptors of others", Trap,
          "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd perf_event_open lookup_dcookie"},
    Plain{"no keys", "the kernel's key rings", Trap, "keyctl add_key request_key"},
    Plain{"no ring", "system calls that no filter sees, and pauses in the kernel at our will", Trap,
          "io_uring_setup io_uring_enter io_uring_register userfaultfd"},
    Plain{"no hardware", "ports, another processor mode, obsolete doors", Trap,
          "ioperm iopl modify_ldt vm86 vm86old personality uselib _sysctl sysfs ustat remap_file_pages syslog"},
    Plain{"no handles", "files without their path", Trap, "open_by_handle_at fanotify_init"},
};

constexpr Condition equals(unsigned argument, std::uint64_t value) { return {argument, kInt, value & kInt}; }

std::vector<Rule> each(std::string_view call, unsigned argument, std::initializer_list<std::uint64_t> values,
                       Action action = Allow)
{
    std::vector<Rule> out;
    for (const auto value : values) {
        out.push_back({call, action, equals(argument, value)});
    }
    return out;
}

/// Memory that is writable or executable, never both at once (mmap) or one after the other (mprotect).
std::vector<Rule> memory_rules()
{
    return {{"mmap", Allow, Condition{2, kWriteAndExecute, 0}},
            {"mmap", Allow, Condition{2, kWriteAndExecute, PROT_WRITE}},
            {"mmap", Allow, Condition{2, kWriteAndExecute, PROT_EXEC}},
            {"mmap", Denied, Condition{2, kWriteAndExecute, kWriteAndExecute}},
            {"mprotect", Allow, Condition{2, PROT_EXEC, 0}},
            {"mprotect", Denied, Condition{2, PROT_EXEC, PROT_EXEC}}};
}

std::vector<Rule> thread_rules()
{
    return {{"clone", Allow, Condition{0, kNamespaces | CLONE_THREAD, CLONE_THREAD}}, {"clone3", NotThere, {}}};
}

std::vector<Rule> process_rules() { return {{"clone", Allow, Condition{0, kNamespaces | CLONE_THREAD, 0}}}; }

std::vector<Rule> self_rules()
{
    std::vector<Rule> out =
        each("prctl", 0,
             {PR_GET_NAME, PR_SET_NAME, PR_SET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS, PR_SET_NO_NEW_PRIVS,
              PR_CAPBSET_READ, PR_GET_SECUREBITS, PR_GET_KEEPCAPS, PR_GET_SECCOMP, kNameMemory});
    out.push_back({"prlimit64", Allow, equals(0, 0)});
    return out;
}

std::vector<Rule> descriptor_rules() { return each("ioctl", 1, {TCGETS, kTcgets2, TIOCGWINSZ, FIONREAD, FIONBIO}); }

/// Who sends a report watches its packets where it may: the answer is the kernel's to one who may not.
std::vector<Rule> internet_rules()
{
    auto out = each("socket", 0, {AF_INET, AF_INET6});
    const auto refused = each("socket", 0, {AF_PACKET, AF_ALG, AF_VSOCK}, Denied);
    out.insert(out.end(), refused.begin(), refused.end());
    return out;
}

std::vector<Rule> local_rules()
{
    auto out = each("socket", 0, {AF_UNIX, AF_NETLINK});
    const auto names = each("ioctl", 1, {SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFFLAGS, SIOCGIFHWADDR});
    out.insert(out.end(), names.begin(), names.end());
    out.push_back({"socketpair", Allow, equals(0, AF_UNIX)});
    return out;
}

std::vector<Rule> trial_rules()
{
    auto out = each("socket", 0, {AF_INET, AF_INET6, AF_PACKET});
    const auto set = each("ioctl", 1, {SIOCSIFADDR, SIOCSIFNETMASK, SIOCSIFFLAGS});
    out.insert(out.end(), set.begin(), set.end());
    return out;
}

std::vector<Rule> trial_namespace_rules() { return each("unshare", 0, {CLONE_NEWNET}); }

std::vector<Rule> bpf_reading_rules()
{
    return each("bpf", 0,
                {BPF_MAP_LOOKUP_ELEM, BPF_MAP_GET_NEXT_KEY, BPF_MAP_LOOKUP_BATCH, BPF_OBJ_GET, BPF_OBJ_GET_INFO_BY_FD,
                 BPF_PROG_GET_NEXT_ID, BPF_MAP_GET_NEXT_ID, BPF_LINK_GET_NEXT_ID, BPF_BTF_GET_NEXT_ID,
                 BPF_PROG_GET_FD_BY_ID, BPF_MAP_GET_FD_BY_ID, BPF_LINK_GET_FD_BY_ID, BPF_BTF_GET_FD_BY_ID,
                 BPF_PROG_QUERY, BPF_TASK_FD_QUERY});
}

std::vector<Rule> no_bpf_change_rules()
{
    return each("bpf", 0,
                {BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM, BPF_MAP_UPDATE_BATCH, BPF_MAP_DELETE_BATCH, BPF_MAP_FREEZE,
                 BPF_MAP_LOOKUP_AND_DELETE_ELEM, BPF_MAP_LOOKUP_AND_DELETE_BATCH, BPF_PROG_LOAD, BPF_PROG_ATTACH,
                 BPF_PROG_DETACH, BPF_PROG_TEST_RUN, BPF_RAW_TRACEPOINT_OPEN, BPF_LINK_CREATE, BPF_LINK_UPDATE,
                 BPF_LINK_DETACH, BPF_OBJ_PIN},
                Trap);
}

std::vector<Rule> no_namespace_rules()
{
    std::vector<Rule> out{{"clone3", NotThere, {}}};
    for (std::uint64_t bit = 1; bit <= kNamespaces; bit <<= 1U) {
        if ((kNamespaces & bit) != 0) {
            out.push_back({"clone", Trap, Condition{0, bit, bit}});
        }
    }
    return out;
}

/// What depends on arguments.
struct Arguments {
    std::string_view group;
    std::string_view reason;
    std::vector<Rule> (*rules)();
};

constexpr std::array kArguments{
    Arguments{"memory", "", memory_rules},
    Arguments{"threads", "", thread_rules},
    Arguments{"processes", "", process_rules},
    Arguments{"self", "", self_rules},
    Arguments{"files", "", descriptor_rules},
    Arguments{"local sockets", "service manager, journal, name services, the kernel's interfaces and sockets",
              local_rules},
    Arguments{"internet sockets", "the metadata service and what reports go to or are verified with", internet_rules},
    Arguments{"trial sockets", "the doctor tries each way to an address of nobody", trial_rules},
    Arguments{"trial namespace", "the doctor tries in a network namespace of its own", trial_namespace_rules},
    Arguments{"bpf reading", "what the guard counted; nothing that changes it", bpf_reading_rules},
    Arguments{"no bpf changes", "the guard is looked at and never changed", no_bpf_change_rules},
    Arguments{"no namespaces", "", no_namespace_rules},
};

void append_words(const Plain& plain, std::vector<Rule>& out)
{
    std::string_view rest = plain.calls;
    while (!rest.empty()) {
        const auto end = std::min(rest.find(' '), rest.size());
        out.push_back({rest.substr(0, end), plain.action, {}});
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
}

} // namespace

Group group_named(std::string_view name)
{
    Group out;
    for (const auto& plain : kPlain) {
        if (plain.group == name) {
            out.name = plain.group;
            out.reason = plain.reason;
            append_words(plain, out.rules);
        }
    }
    for (const auto& arguments : kArguments) {
        if (arguments.group == name) {
            const auto rules = arguments.rules();
            out.name = arguments.group;
            out.reason = arguments.reason.empty() ? out.reason : arguments.reason;
            out.rules.insert(out.rules.end(), rules.begin(), rules.end());
        }
    }
    return out;
}

} // namespace hostward::sandbox
