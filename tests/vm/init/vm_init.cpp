// SPDX-License-Identifier: Apache-2.0
// Process 1 of the test machine: makes a usual system out of the initramfs, runs the tests one after another,
// and tells the host over the second serial port how each ended.
//
// On that port everything a test prints appears as it is; lines that start with the token given on the kernel
// command line are ours: `TOKEN begin NAME`, `TOKEN end NAME status=exit:N|signal:N|timeout ms=N processes=N cgroups=N`
// (what the test left behind, which we remove), `TOKEN beat` every few seconds while a test runs (the machine is alive
// however silent the test is), `TOKEN done`. Statically linked: works before any library is found.
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kTestList = "/hostward-tests";
constexpr const char* kResultPort = "/dev/ttyS1";
constexpr const char* kTokenParameter = "hostward.token=";
constexpr const char* kInitParameter = "hostward.init="; // another process 1, which starts us again as a service
constexpr auto kBeat = std::chrono::seconds(5);
constexpr auto kDrain = std::chrono::milliseconds(300); // output that a test's dead children left in the pipe
constexpr int kCgroupDepthMax = 32;

struct Mount {
    const char* type;
    const char* place;
    const char* data;
};

constexpr Mount kMounts[] = {
    {"proc", "/proc", nullptr},
    {"sysfs", "/sys", nullptr},
    {"devtmpfs", "/dev", nullptr},
    {"devpts", "/dev/pts", nullptr},
    {"tmpfs", "/dev/shm", "mode=1777"},
    {"securityfs", "/sys/kernel/security", nullptr},
    {"debugfs", "/sys/kernel/debug", nullptr},
    {"tracefs", "/sys/kernel/tracing", nullptr},
    {"cgroup2", "/sys/fs/cgroup", nullptr},
    {"bpf", "/sys/fs/bpf", "mode=0700"},
    {"tmpfs", "/run", "mode=0755"},
};

// One line of the list: fields by tab, parts of a field by unit separator.
struct Test {
    std::string name;
    std::chrono::milliseconds timeout{};
    std::string folder;
    std::vector<std::string> environment;
    std::vector<std::string> command;
};

struct Outcome {
    std::string status;
    std::chrono::milliseconds took{};
};

int result_port = -1;
std::string token;
bool at_line_start = true; // of the result port

void complain(const std::string& what)
{
    const std::string line = "vm_init: " + what + ": " + std::strerror(errno) + "\n";
    (void)!write(STDERR_FILENO, line.data(), line.size()); // the console is all there is
}

void to_port(std::string_view text)
{
    at_line_start = text.empty() ? at_line_start : text.back() == '\n';
    while (!text.empty()) {
        const ssize_t sent = write(result_port, text.data(), text.size());
        if (sent < 0) {
            return; // the host sees the missing end of the test
        }
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void announce(const std::string& what) { to_port(token + " " + what + "\n"); }

// The first root file system cannot be pivoted away from; a bind mount of it can, as on any real machine.
void make_root_pivotable()
{
    (void)mkdir("/.root", 0755);
    if (mount("/", "/.root", nullptr, MS_BIND, nullptr) != 0 || chdir("/.root") != 0 ||
        mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || chroot(".") != 0 || chdir("/") != 0) {
        complain("make the root a mount of its own");
    }
}

void mount_all()
{
    for (const Mount& entry : kMounts) {
        (void)mkdir(entry.place, 0755); // most exist already
        const bool plain = std::string_view(entry.place) == "/sys" || std::string_view(entry.place) == "/proc";
        if (mount(entry.type, entry.place, entry.type, plain ? MS_NOSUID | MS_NODEV | MS_NOEXEC : 0, entry.data) != 0) {
            complain(std::string("mount ") + entry.place);
        }
    }
    (void)mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr); // as systemd does
}

// Device files whose module loads when they are opened (loop-control, net/tun): what udev does with this list.
void make_static_devices()
{
    utsname kernel{};
    (void)uname(&kernel);
    std::ifstream list(std::string("/usr/lib/modules/") + kernel.release + "/modules.devname");
    std::string line;
    while (std::getline(list, line)) {
        std::istringstream words(line);
        std::string module;
        std::string name;
        char kind = 0;
        unsigned int number[2]{};
        char colon = 0;
        if (words >> module >> name >> kind >> number[0] >> colon >> number[1] && line[0] != '#') {
            const std::filesystem::path device = "/dev/" + name;
            std::error_code ignored; // a missing device shows in the test that needs it
            std::filesystem::create_directories(device.parent_path(), ignored);
            (void)mknod(device.c_str(), (kind == 'b' ? S_IFBLK : S_IFCHR) | 0600, makedev(number[0], number[1]));
        }
    }
}

void loopback_up()
{
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (ioctl(fd, SIOCSIFFLAGS, &request) != 0) {
        complain("bring up loopback");
    }
    (void)close(fd);
}

bool open_port()
{
    result_port = open(kResultPort, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    termios settings{};
    if (result_port < 0 || tcgetattr(result_port, &settings) != 0) {
        return false;
    }
    cfmakeraw(&settings);
    return tcsetattr(result_port, TCSANOW, &settings) == 0;
}

std::string kernel_parameter(std::string_view prefix)
{
    std::ifstream file("/proc/cmdline");
    std::string word;
    while (file >> word) {
        if (word.starts_with(prefix)) {
            return word.substr(prefix.size());
        }
    }
    return {};
}

std::vector<std::string> split(const std::string& text, char separator)
{
    std::vector<std::string> parts;
    std::istringstream stream(text);
    std::string part;
    while (std::getline(stream, part, separator)) {
        parts.push_back(part);
    }
    return parts;
}

std::vector<Test> read_tests()
{
    std::vector<Test> tests;
    std::ifstream file(kTestList);
    std::string line;
    while (std::getline(file, line)) {
        const std::vector<std::string> fields = split(line, '\t');
        long long timeout_ms = 0;
        if (fields.size() != 5 ||
            std::from_chars(fields[1].data(), fields[1].data() + fields[1].size(), timeout_ms).ec != std::errc{}) {
            announce("bad-line " + line);
            continue;
        }
        tests.push_back({fields[0], std::chrono::milliseconds(timeout_ms), fields[2], split(fields[3], '\x1f'),
                         split(fields[4], '\x1f')});
    }
    return tests;
}

std::vector<char*> pointers(std::vector<std::string>& texts)
{
    std::vector<char*> result;
    for (std::string& text : texts) {
        result.push_back(text.data());
    }
    result.push_back(nullptr);
    return result;
}

[[noreturn]] void become(Test test, int output)
{
    (void)setsid();
    const int nothing = open("/dev/null", O_RDONLY);
    (void)dup2(nothing, STDIN_FILENO);
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(output, STDERR_FILENO);
    if (chdir(test.folder.c_str()) != 0 && chdir("/") != 0) {
        complain("enter " + test.folder);
    }
    std::vector<char*> arguments = pointers(test.command);
    std::vector<char*> environment = pointers(test.environment);
    (void)execve(arguments[0], arguments.data(), environment.data());
    complain("run " + test.command[0]);
    _exit(127);
}

// A sign of life; never in the middle of a line that a test prints.
void beat(Clock::time_point& last)
{
    if (at_line_start && Clock::now() - last >= kBeat) {
        announce("beat");
        last = Clock::now();
    }
}

// Passes on what is in the pipe; false when nobody writes any more.
bool forward(int pipe_end, std::chrono::milliseconds patience)
{
    pollfd ready{pipe_end, POLLIN, 0};
    if (poll(&ready, 1, static_cast<int>(patience.count())) <= 0) {
        return true;
    }
    char bytes[8192];
    const ssize_t size = read(pipe_end, bytes, sizeof(bytes));
    if (size > 0) {
        to_port({bytes, static_cast<std::size_t>(size)});
    }
    return size > 0;
}

// Reaps every child that ended; true when the test itself was among them.
bool reap(pid_t test, int& test_status)
{
    bool ended = false;
    int status = 0;
    for (pid_t child = waitpid(-1, &status, WNOHANG); child > 0; child = waitpid(-1, &status, WNOHANG)) {
        if (child == test) {
            ended = true;
            test_status = status;
        }
    }
    return ended;
}

std::string status_text(int status)
{
    return WIFEXITED(status) ? "exit:" + std::to_string(WEXITSTATUS(status))
                             : "signal:" + std::to_string(WTERMSIG(status));
}

Outcome run(const Test& test)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return {"no-pipe", {}};
    }
    const auto start = Clock::now();
    const pid_t child = fork();
    if (child == 0) {
        become(test, ends[1]);
    }
    (void)close(ends[1]);
    Outcome outcome{"timeout", {}};
    int status = 0;
    bool open = true;
    auto last_beat = start;
    while (Clock::now() - start < test.timeout) {
        beat(last_beat);
        open = open && forward(ends[0], std::chrono::milliseconds(20));
        if (!open) {
            (void)usleep(20'000); // it closed its output but still runs
        }
        if (reap(child, status)) {
            outcome.status = status_text(status);
            break;
        }
    }
    outcome.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
    if (outcome.status == "timeout") {
        (void)kill(-child, SIGABRT); // a test program that can say where it is, does
        (void)usleep(200'000);
    }
    const auto drained = Clock::now() + kDrain;
    while (open && Clock::now() < drained) {
        open = forward(ends[0], std::chrono::milliseconds(10));
    }
    (void)close(ends[0]);
    return outcome;
}

int count_processes()
{
    int count = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
        const std::string name = entry.path().filename();
        const bool is_process = name.find_first_not_of("0123456789") == std::string::npos && name != "1";
        char target[8];
        // Kernel threads have no program; neither has a zombie.
        if (is_process && readlink(("/proc/" + name + "/exe").c_str(), target, sizeof(target)) > 0) {
            ++count;
        }
    }
    return count;
}

int remove_cgroups(const std::string& folder, int depth)
{
    int removed = 0;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (entry.is_directory(ignored) && depth < kCgroupDepthMax) {
            removed += remove_cgroups(entry.path(), depth + 1);
            removed += rmdir(entry.path().c_str()) == 0 ? 1 : 0;
        }
    }
    return removed;
}

// What the next test must not find. Returns the counts as the `end` line shows them. Nothing where we are not process
// 1: the other processes are not ours then.
std::string clean_up()
{
    if (getpid() != 1) {
        return {};
    }
    const int processes = count_processes();
    (void)kill(-1, SIGKILL);
    int status = 0;
    const auto deadline = Clock::now() + std::chrono::seconds(5);
    while ((waitpid(-1, &status, WNOHANG) >= 0 || errno != ECHILD) && Clock::now() < deadline) {
        (void)usleep(1000);
    }
    int cgroups = 0;
    for (int attempt = 0; attempt < 3; ++attempt) {
        cgroups += remove_cgroups("/sys/fs/cgroup", 0);
    }
    return " processes=" + std::to_string(processes) + " cgroups=" + std::to_string(cgroups);
}

void run_all()
{
    for (const Test& test : read_tests()) {
        announce("begin " + test.name);
        const Outcome outcome = run(test);
        const std::string left = clean_up();
        announce("end " + test.name + " status=" + outcome.status + " ms=" + std::to_string(outcome.took.count()) +
                 left);
    }
}

// The machine as process 1 of it; returns only where no other init is asked for.
void be_first_process()
{
    make_root_pivotable();
    mount_all();
    make_static_devices();
    loopback_up();
    (void)sethostname("hostward-vm", 11);
    std::string other = kernel_parameter(kInitParameter);
    if (other.empty()) {
        return;
    }
    char* const arguments[] = {other.data(), nullptr};
    (void)execv(arguments[0], arguments);
    complain("run " + other);
}

} // namespace

int main()
{
    if (getpid() == 1) {
        be_first_process();
    }
    token = kernel_parameter(kTokenParameter);
    if (!open_port()) {
        complain("open the result port");
    } else {
        announce("up");
        run_all();
        announce("done");
        (void)tcdrain(result_port);
    }
    sync();
    (void)reboot(RB_AUTOBOOT); // the machine is started so that a reset ends it
    return 1;
}
