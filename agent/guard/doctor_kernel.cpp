// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/doctor_kernel.h"

#include "agent/base/text.h"

#include <linux/capability.h>
#include <linux/magic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <fstream>

namespace hostward::guard {

namespace {

constexpr auto kSecurityFs = "/sys/kernel/security";
constexpr auto kBtf = "/sys/kernel/btf/vmlinux";

bool exists(const std::string& path)
{
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
}

/// The first line that starts with `prefix`, without it.
Result<std::string> line_of(const std::string& path, std::string_view prefix)
{
    std::ifstream file(path);
    if (!file) {
        return system_error(errno, "cannot read " + quote(path));
    }
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(prefix)) {
            return line.substr(prefix.size());
        }
    }
    return Error{ErrorKind::NotFound, 0, quote(path) + " does not say " + std::string(prefix)};
}

Result<std::uint64_t> effective_capabilities()
{
    TRY_ASSIGN(const std::string text, line_of("/proc/self/status", "CapEff:\t"));
    const auto set = parse_number<std::uint64_t>(text, 16);
    if (!set) {
        return invalid_error("/proc/self/status: CapEff is " + quote(text));
    }
    return *set;
}

Result<std::uint64_t> locked_memory()
{
    rlimit limit{};
    if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) {
        return system_error(errno, "cannot read the limit of locked memory");
    }
    return std::uint64_t{limit.rlim_max};
}

Result<bool> has_btf()
{
    struct stat info {};
    if (::stat(kBtf, &info) == 0) {
        return info.st_size > 0;
    }
    const int error = errno;
    return error == ENOENT ? Result<bool>(false) : system_error(error, std::string("cannot look at ") + kBtf);
}

bool is_mounted(const char* path, unsigned long magic)
{
    struct statfs info {};
    return ::statfs(path, &info) == 0 && static_cast<unsigned long>(info.f_type) == magic;
}

/// A file of securityfs: an error unless that file system is there to say that it has none.
Result<std::string> security_file(const std::string& name)
{
    std::ifstream file(std::string(kSecurityFs) + "/" + name);
    std::string line;
    if (file && std::getline(file, line)) {
        return line;
    }
    if (is_mounted(kSecurityFs, SECURITYFS_MAGIC) && !exists(std::string(kSecurityFs) + "/" + name)) {
        return std::string();
    }
    return Error{ErrorKind::NotFound, 0,
                 std::string("cannot read ") + kSecurityFs + "/" + name + ": is securityfs mounted?"};
}

Result<std::string> lockdown()
{
    TRY_ASSIGN(const std::string text, security_file("lockdown"));
    return lockdown_level(text);
}

Result<std::vector<std::string>> security_modules()
{
    TRY_ASSIGN(const std::string text, security_file("lsm"));
    std::vector<std::string> modules;
    for (const auto name : split(text, ',')) {
        if (!name.empty()) {
            modules.emplace_back(name);
        }
    }
    return modules;
}

Result<bool> has_bpf_lsm(const std::string& release)
{
    const auto setting = line_of("/boot/config-" + release, "CONFIG_BPF_LSM=");
    if (setting) {
        return *setting == "y";
    }
    // "# CONFIG_BPF_LSM is not set" is no assignment: the file is there and has none.
    return exists("/boot/config-" + release) && setting.error().kind == ErrorKind::NotFound
               ? Result<bool>(false)
               : Result<bool>(setting.error());
}

BootTool boot_tool()
{
    const auto id = line_of("/etc/os-release", "ID=");
    if (id && id->find("bottlerocket") != std::string::npos) {
        return BootTool::Bottlerocket;
    }
    if (exists("/usr/sbin/grubby") || exists("/sbin/grubby")) {
        return BootTool::Grubby;
    }
    return exists("/usr/sbin/update-grub") || exists("/sbin/update-grub") ? BootTool::UpdateGrub : BootTool::Unknown;
}

/// Mount points of a file system type (proc_pid_mountinfo(5): field 5, type after the dash).
Result<std::vector<std::string>> mounts_of(const std::string& type)
{
    std::ifstream file("/proc/self/mountinfo");
    if (!file) {
        return system_error(errno, "cannot read /proc/self/mountinfo");
    }
    std::vector<std::string> found;
    for (std::string line; std::getline(file, line);) {
        const auto fields = split(line, ' ');
        if (fields.size() > 5 && line.find(" - " + type + " ") != std::string::npos) {
            found.emplace_back(fields[4]);
        }
    }
    return found;
}

/// Of the directory or, where it does not exist or cannot be looked at, of what it would be made in.
Result<bool> is_on_bpffs(std::string path)
{
    while (true) {
        struct statfs info {};
        if (::statfs(path.c_str(), &info) == 0) {
            return static_cast<unsigned long>(info.f_type) == BPF_FS_MAGIC;
        }
        const int error = errno;
        const auto slash = path.rfind('/');
        if ((error != ENOENT && error != EACCES) || slash == std::string::npos || path == "/") {
            return system_error(error, "cannot look at " + quote(path));
        }
        path.erase(slash == 0 ? 1 : slash);
    }
}

} // namespace

std::string lockdown_level(std::string_view text)
{
    const auto open = text.find('[');
    const auto close = text.find(']');
    return open == text.npos || close == text.npos || close < open
               ? ""
               : std::string(text.substr(open + 1, close - open - 1));
}

bool has_capability(std::uint64_t set, unsigned capability)
{
    const bool implied = capability == CAP_BPF || capability == CAP_PERFMON;
    return ((set >> capability) & 1U) != 0 || (implied && ((set >> CAP_SYS_ADMIN) & 1U) != 0);
}

KernelFacts read_kernel_facts()
{
    KernelFacts facts;
    utsname names{};
    if (::uname(&names) == 0) {
        facts.release = static_cast<const char*>(names.release);
        facts.machine = static_cast<const char*>(names.machine);
    }
    facts.uid = ::geteuid();
    facts.capabilities = effective_capabilities();
    facts.memlock = locked_memory();
    facts.has_btf = has_btf();
    facts.lockdown = lockdown();
    facts.security_modules = security_modules();
    facts.has_bpf_lsm = has_bpf_lsm(facts.release);
    facts.boot_tool = boot_tool();
    return facts;
}

PlaceFacts read_place_facts(const std::string& pin_dir)
{
    PlaceFacts facts;
    facts.pin_dir = pin_dir;
    facts.cgroup2_mounts = mounts_of("cgroup2");
    facts.cgroup1_mounts = mounts_of("cgroup");
    facts.init_cgroup = line_of("/proc/1/cgroup", "0::");
    facts.pins_on_bpffs = is_on_bpffs(pin_dir);
    return facts;
}

} // namespace hostward::guard
