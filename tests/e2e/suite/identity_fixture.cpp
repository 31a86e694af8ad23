// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/suite/identity_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

namespace hostward::e2e {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kImageBytes = 4U << 20;

std::string next_socket_path()
{
    static std::atomic<int> sequence = 0;
    return std::string(kScratch) + "/passing" + std::to_string(++sequence);
}

Result<Child> start_ready(const Launch& launch, std::string& line)
{
    TRY_ASSIGN(Child child, Child::start(launch));
    TRY_ASSIGN(line, child.await_line("ready", launch.timeout));
    return child;
}

/// The giver has its socket; the taker listens, gets it and uses it. What the giver itself sent does not count.
Result<Outcome> hand_over(FarEnd& imds, Child& giver, Launch taker, const std::string& path)
{
    taker.argv.back() = path;
    std::string line;
    TRY_ASSIGN(Child child, start_ready(taker, line));
    imds.reset();
    TRY(giver.write("go\n"));
    Outcome outcome = child.finish(taker.timeout);
    (void)giver.finish(taker.timeout); // it only waits for the taker
    return outcome;
}

Status run_mount(std::vector<std::string> argv)
{
    Launch launch;
    launch.argv = std::move(argv);
    TRY_ASSIGN(const Outcome outcome, run(launch));
    return outcome.exit_code == 0 ? success() : Status(Error{ErrorKind::Unsupported, 0, outcome.text()});
}

Status own_folder(const std::string& path, uid_t owner, mode_t mode)
{
    std::error_code status;
    fs::create_directories(path, status);
    if (status || chown(path.c_str(), owner, owner) != 0 || chmod(path.c_str(), mode) != 0) {
        return system_error(status ? status.value() : errno, path);
    }
    return success();
}

} // namespace

std::string rule(const std::string& condition)
{
    return "[guard]\nmode = \"enforce\"\n[[guard.rule]]\nname = \"named\"\naction = \"allow\"\n" + condition + "\n";
}

std::string exe_policy() { return rule("exe = [\"" + std::string(kAllowed) + "\"]"); }

Status copy_program(const std::string& path, std::string_view attack, uid_t owner, mode_t mode)
{
    std::error_code status;
    fs::remove(path, status);
    fs::copy_file(attack_path(attack), path, status);
    // The owner first: a change of owner clears the set-user-id bit.
    if (status || chown(path.c_str(), owner, owner) != 0 || chmod(path.c_str(), mode) != 0) {
        return system_error(status ? status.value() : errno, path);
    }
    return success();
}

Status empty_folder(const std::string& path)
{
    std::error_code status;
    for (const auto& entry : fs::directory_iterator(path, status)) {
        fs::remove_all(entry.path(), status);
    }
    return status ? Status(system_error(status.value(), path)) : success();
}

Result<std::string> inode_of(const std::string& path)
{
    struct stat facts {};
    if (stat(path.c_str(), &facts) != 0) {
        return system_error(errno, path);
    }
    return std::to_string(facts.st_ino);
}

Status move_to(pid_t pid, const std::string& cgroup)
{
    std::ofstream procs(cgroup + "/cgroup.procs");
    procs << pid << std::flush;
    return procs ? success() : Status(system_error(EIO, "move to " + cgroup));
}

Result<Outcome> after_start(const Launch& launch, const std::function<Status(Child&)>& then)
{
    std::string line;
    TRY_ASSIGN(Child child, start_ready(launch, line));
    TRY(then(child));
    TRY(child.write("go\n"));
    return child.finish(launch.timeout);
}

void IdentityTest::SetUp()
{
    ASSERT_NO_FATAL_FAILURE(AttackTest::SetUp());
    const Status made = own_folder(kTrusted, kRoot, 0755);
    ASSERT_TRUE(made) << made.error().text;
    ASSERT_NO_FATAL_FAILURE(install_program(kAllowed, "tcp", kRoot, 0755));
    ASSERT_NO_FATAL_FAILURE(install_program(kOwn, "tcp", kNobody, 0755));
}

void IdentityTest::install_program(const std::string& path, std::string_view attack, uid_t owner, mode_t mode)
{
    const Status copied = copy_program(path, attack, owner, mode);
    ASSERT_TRUE(copied) << copied.error().text;
}

Attempt IdentityTest::spoof(const char* way, Identity who)
{
    Launch launch = site().attack({"exe_spoof", way, kAllowed, kOwn, kScratch, kImds4});
    launch.who = std::move(who);
    return attempt(way, launch);
}

Attempt IdentityTest::allowed_program()
{
    Launch launch = site().attack({"tcp", kImds4});
    launch.argv[0] = kAllowed;
    return attempt("the allowed program", launch);
}

Attempt IdentityTest::held(Launch launch)
{
    auto child = std::make_shared<std::optional<Child>>();
    const std::string name = "held " + launch.argv.at(1) + " " + launch.argv.at(2);
    return {name,
            [child, launch]() -> Result<Outcome> {
                TRY((*child)->write("go\n"));
                return (*child)->finish(launch.timeout);
            },
            [child, launch]() -> Status {
                std::string line;
                TRY_ASSIGN(Child started, start_ready(launch, line));
                child->emplace(std::move(started));
                return success();
            }};
}

Attempt IdentityTest::passed(std::string name, Launch giver, const Launch& taker)
{
    return {std::move(name),
            [giver, taker]() mutable -> Result<Outcome> {
                giver.argv.back() = next_socket_path();
                std::string line;
                TRY_ASSIGN(Child child, start_ready(giver, line));
                return hand_over(site().network.imds(), child, taker, giver.argv.back());
            },
            {}};
}

Attempt IdentityTest::older_passed(std::string name, Launch giver, const Launch& taker)
{
    auto child = std::make_shared<std::optional<Child>>();
    auto path = std::make_shared<std::string>();
    return {std::move(name), [child, path, taker] { return hand_over(site().network.imds(), **child, taker, *path); },
            [child, path, giver]() mutable -> Status {
                *path = next_socket_path();
                giver.argv.back() = *path;
                std::string line;
                TRY_ASSIGN(Child started, start_ready(giver, line));
                child->emplace(std::move(started));
                return success();
            }};
}

Attempt IdentityTest::stolen(std::string name, const Launch& giver, Launch taker)
{
    return {std::move(name),
            [giver, taker]() mutable -> Result<Outcome> {
                std::string ready;
                TRY_ASSIGN(Child child, start_ready(giver, ready));
                std::istringstream words(ready);
                std::string word;
                std::string pid;
                std::string fd;
                words >> word >> pid >> fd;
                taker.argv = {taker.argv[0], "getfd", pid, fd};
                site().network.imds().reset();
                return run(taker);
            },
            {}};
}

Result<std::string> IdentityTest::delegated_to_nobody()
{
    TRY_ASSIGN(std::string own, site().cgroups.make("user.slice/user-65534.slice/user@65534.service"));
    TRY_ASSIGN(const std::string leaf,
               site().cgroups.make("user.slice/user-65534.slice/user@65534.service/init.scope"));
    for (const std::string& folder : {own, leaf}) {
        for (const char* file : {"", "/cgroup.procs", "/cgroup.threads", "/cgroup.subtree_control"}) {
            if (chown((folder + file).c_str(), kNobody, kNobody) != 0) {
                return system_error(errno, folder + file);
            }
        }
    }
    return own;
}

Status IdentityTest::mount_ext4()
{
    const std::string image = std::string(kSandbox) + "/ext4.img";
    std::ofstream(image).put('\0');
    std::error_code status;
    fs::resize_file(image, kImageBytes, status);
    fs::create_directories(kExt4, status);
    TRY(run_mount({"/usr/sbin/mkfs.ext4", "-q", "-F", image}));
    // The loop device goes away with the mount, and the mount with our mount namespace.
    TRY(run_mount({"/usr/bin/mount", "-t", "ext4", "-o", "loop", image, kExt4}));
    TRY(own_folder(std::string(kExt4) + "/trusted", kRoot, 0755));
    return own_folder(std::string(kExt4) + "/scratch", kRoot, 0777);
}

} // namespace hostward::e2e
