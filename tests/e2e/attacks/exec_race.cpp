// SPDX-License-Identifier: Apache-2.0
// exec_race threads|vfork ROUNDS ALLOWED ADDRESS: connects without pause from one thread while another turns the
// process into ALLOWED (which itself connects to nothing), or while a child that shares the memory does.
#include "attack.h"
#include "identity.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace {

constexpr auto kUsageText = "exec_race threads|vfork ROUNDS ALLOWED ADDRESS";
constexpr std::uint64_t kRoundsMax = 10000;
constexpr int kThreads = 3;
constexpr int kChildrenPerRound = 8;
constexpr std::uint64_t kSpreadUs = 400; ///< the exec comes at a different moment of a connect in each round

/// Shared by all processes of the race.
struct Score {
    std::atomic<std::uint64_t> tried;
    std::atomic<std::uint64_t> reached;
    std::atomic<int> last_error;
};

Score& shared_score()
{
    void* memory = mmap(nullptr, sizeof(Score), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        attack::cannot_try("mmap", errno);
    }
    return *static_cast<Score*>(memory); // zero bytes are a valid Score
}

void connect_once(const attack::Target& target, Score& score)
{
    const int fd = socket(target.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    attack::set_deadline(fd);
    const linger reset{1, 0}; // no TIME_WAIT: the rounds would run out of ports
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    score.tried.fetch_add(1);
    if (connect(fd, target.raw(), target.size) == 0) {
        score.reached.fetch_add(1);
    } else {
        score.last_error.store(errno);
    }
    (void)close(fd);
}

[[noreturn]] void exec_allowed(const char* allowed)
{
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(nowhere, STDOUT_FILENO); // its output is not ours
    char idle[] = "--idle";
    std::array<char*, 3> arguments{const_cast<char*>(allowed), idle, nullptr}; // execv's signature
    (void)execv(allowed, arguments.data());
    _exit(attack::kCannotTry);
}

/// Becomes ALLOWED from the main thread or, in odd rounds, from another one.
[[noreturn]] void race_threads(std::uint64_t round, const char* allowed, const attack::Target& target, Score& score)
{
    std::array<std::jthread, kThreads> clients;
    for (auto& client : clients) {
        client = std::jthread([&] {
            for (;;) {
                connect_once(target, score); // ends with the exec
            }
        });
    }
    (void)usleep(static_cast<useconds_t>(round % kSpreadUs) + 100);
    if (round % 2 == 1) {
        std::jthread other([&] { exec_allowed(allowed); });
        for (;;) {
            connect_once(target, score);
        }
    }
    exec_allowed(allowed);
}

/// Children that share our memory become ALLOWED one after the other while a thread connects.
[[noreturn]] void race_vfork(const char* allowed, const attack::Target& target, Score& score)
{
    std::atomic<bool> is_over = false;
    std::jthread client([&] {
        while (!is_over) {
            connect_once(target, score);
        }
    });
    char idle[] = "--idle";
    std::array<char*, 3> arguments{const_cast<char*>(allowed), idle, nullptr}; // execv's signature
    char* const* words = arguments.data(); // nothing may be called between vfork and exec
    for (int i = 0; i < kChildrenPerRound; ++i) {
        // NOLINTNEXTLINE(clang-analyzer-security.insecureAPI.vfork): the shared memory is the attack
        const pid_t child = vfork();
        if (child == 0) {
            (void)execv(allowed, words);
            _exit(attack::kCannotTry);
        }
        (void)waitpid(child, nullptr, 0);
    }
    is_over = true;
    client.join();
    std::exit(0);
}

} // namespace

int main(int argc, char** argv)
{
    const std::uint64_t rounds = argc == 5 ? attack::require_number(argv[2]) : 0;
    if (rounds < 1 || rounds > kRoundsMax) {
        attack::usage(kUsageText);
    }
    const bool is_vfork = std::string_view(argv[1]) == "vfork";
    const attack::Target target = attack::require_target(argv[4]);
    Score& score = shared_score();
    const attack::Stopwatch watch;
    for (std::uint64_t round = 0; round < rounds; ++round) {
        const pid_t child = fork();
        if (child == 0) {
            (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
            is_vfork ? race_vfork(argv[3], target, score) : race_threads(round, argv[3], target, score);
        }
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child) {
            attack::cannot_try("fork", errno);
        }
        if (WIFEXITED(status) && WEXITSTATUS(status) == attack::kCannotTry) {
            attack::cannot_try("execute the allowed program", EACCES);
        }
    }
    std::printf("%llu connects, %llu reached\n", static_cast<unsigned long long>(score.tried.load()),
                static_cast<unsigned long long>(score.reached.load()));
    if (score.tried == 0) {
        attack::cannot_try("no connect was tried", EAGAIN);
    }
    if (score.reached > 0) {
        attack::reached("exec race", "connected");
    }
    attack::refused("every connect of the race", score.last_error, watch);
}
