// SPDX-License-Identifier: Apache-2.0
// exe_spoof WAY ALLOWED OWN SCRATCH ADDRESS: runs OWN so that its path reads as ALLOWED's.
//   bind-mount        (root first) OWN bound over ALLOWED in a private mount namespace, then run by nobody
//   mount-namespace   (root first) another file system over ALLOWED's folder with OWN in it, then run by nobody
//   user-namespace    OWN bound over ALLOWED by an unprivileged user in namespaces of its own
//   symlink           OWN behind a link with ALLOWED's name, with ALLOWED's argv[0]
//   chroot            (root first) OWN at ALLOWED's path below SCRATCH, then run by nobody
#include "attack.h"
#include "identity.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

namespace {

constexpr auto kUsageText = "exe_spoof bind-mount|mount-namespace|user-namespace|symlink|chroot "
                            "ALLOWED OWN SCRATCH ADDRESS";

struct Spoof {
    const char* allowed;
    const char* own;
    const char* scratch;
    const char* address;
};

void require(bool is_done, const char* what)
{
    if (!is_done) {
        attack::cannot_try(what, errno);
    }
}

void bind_over(const Spoof& spoof)
{
    require(mount(spoof.own, spoof.allowed, nullptr, MS_BIND, nullptr) == 0, "mount(MS_BIND)");
}

[[noreturn]] void run_as_allowed(const Spoof& spoof)
{
    attack::run_program(spoof.allowed, spoof.allowed, spoof.address);
}

[[noreturn]] void by_bind_mount(const Spoof& spoof)
{
    require(unshare(CLONE_NEWNS) == 0, "unshare(CLONE_NEWNS)");
    attack::make_mounts_private();
    bind_over(spoof);
    attack::drop_to_nobody();
    run_as_allowed(spoof);
}

[[noreturn]] void by_mount_namespace(const Spoof& spoof)
{
    require(unshare(CLONE_NEWNS) == 0, "unshare(CLONE_NEWNS)");
    attack::make_mounts_private();
    // OWN may lie in the folder that is about to be covered.
    const std::string aside = std::string(spoof.scratch) + "/aside";
    attack::copy_program(spoof.own, aside.c_str());
    const std::string folder = std::filesystem::path(spoof.allowed).parent_path().string();
    require(mount("tmpfs", folder.c_str(), "tmpfs", 0, "mode=0755") == 0, "mount(tmpfs)");
    attack::copy_program(aside.c_str(), spoof.allowed);
    attack::drop_to_nobody();
    run_as_allowed(spoof);
}

[[noreturn]] void by_user_namespace(const Spoof& spoof)
{
    attack::enter_user_namespace(CLONE_NEWNS);
    attack::make_mounts_private();
    bind_over(spoof);
    run_as_allowed(spoof);
}

[[noreturn]] void by_symlink(const Spoof& spoof)
{
    const std::string link =
        std::string(spoof.scratch) + "/" + std::filesystem::path(spoof.allowed).filename().string();
    (void)unlink(link.c_str()); // of an earlier run
    require(symlink(spoof.own, link.c_str()) == 0, "symlink");
    attack::run_program(link.c_str(), spoof.allowed, spoof.address);
}

[[noreturn]] void by_chroot(const Spoof& spoof)
{
    const std::string copy = std::string(spoof.scratch) + "/root" + spoof.allowed;
    std::error_code status;
    std::filesystem::create_directories(std::filesystem::path(copy).parent_path(), status);
    require(!status, "create the new root");
    attack::copy_program(spoof.own, copy.c_str());
    const std::string root = std::string(spoof.scratch) + "/root";
    require(chroot(root.c_str()) == 0 && chdir("/") == 0, "chroot");
    attack::drop_to_nobody();
    run_as_allowed(spoof);
}

struct Way {
    const char* name;
    void (*run)(const Spoof& spoof);
};
constexpr std::array kWays{
    Way{"bind-mount", by_bind_mount},
    Way{"mount-namespace", by_mount_namespace},
    Way{"user-namespace", by_user_namespace},
    Way{"symlink", by_symlink},
    Way{"chroot", by_chroot},
};

} // namespace

int main(int argc, char** argv)
{
    if (argc != 6) {
        attack::usage(kUsageText);
    }
    for (const Way& way : kWays) {
        if (std::strcmp(argv[1], way.name) == 0) {
            way.run(Spoof{argv[2], argv[3], argv[4], argv[5]});
        }
    }
    attack::usage(kUsageText);
}
