// SPDX-License-Identifier: Apache-2.0
// Runs one command in a root and prints what it cost. Small and static on purpose: the peak memory that wait4(2) tells
// of a child includes what it had before its execve(2), which is a copy of this program. Usage: measure SECONDS ROOT
// PROGRAM [ARGUMENT...]   prints "CODE WALL_S CPU_S PEAK_KIB"; CODE is 128 + N after signal N
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace {

pid_t child = -1;

[[noreturn]] void become(char** argv)
{
    char* const environment[] = {const_cast<char*>("PATH=/usr/sbin:/usr/bin:/sbin:/bin"), const_cast<char*>("LANG=C"),
                                 nullptr};
    const int nothing = ::open("/dev/null", O_RDWR);
    ::dup2(nothing, STDIN_FILENO);
    ::dup2(nothing, STDOUT_FILENO);
    if (::chroot(argv[2]) != 0 || ::chdir("/") != 0) {
        std::perror(argv[2]);
        std::_Exit(127);
    }
    ::execve(argv[3], argv + 3, environment);
    std::perror(argv[3]);
    std::_Exit(127);
}

double seconds(const timeval& time)
{
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 4) {
        std::fputs("Usage: measure SECONDS ROOT PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    unsigned limit_s = 0;
    const std::string_view limit(argv[1]);
    if (std::from_chars(limit.data(), limit.data() + limit.size(), limit_s).ec != std::errc()) {
        std::fputs("measure: SECONDS is no number\n", stderr);
        return 2;
    }
    const auto started = std::chrono::steady_clock::now();
    child = ::fork();
    if (child == 0) {
        become(argv);
    }
    std::signal(SIGALRM, [](int) { ::kill(child, SIGKILL); });
    ::alarm(limit_s);
    int status = 0;
    rusage usage = {};
    while (::wait4(child, &status, 0, &usage) < 0) {
    }
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - started;
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    std::printf("%d %.6f %.6f %ld\n", code, wall.count(), seconds(usage.ru_utime) + seconds(usage.ru_stime),
                usage.ru_maxrss);
}
