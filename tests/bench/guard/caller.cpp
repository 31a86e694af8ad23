// SPDX-License-Identifier: Apache-2.0
// Asks the kernel for one thing again and again and prints what a call took, as JSON. It runs in the cgroup and as the
// user that it was started in. An answer that was not expected ends it: a figure never mixes allowed and denied calls.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr const char* kUsage =
    "Usage: caller far-end ADDRESS PORT                      listens for TCP, keeps a UDP socket, prints \"ready\"\n"
    "       caller calls KIND WHICH ADDRESS PORT CALLS BATCH THREADS   one sample per BATCH calls\n"
    "       caller stream ADDRESS PORT MIB                   sends by TCP until the far end has it all\n"
    "       caller until WHICH ADDRESS PORT                  asks until the answer is WHICH, prints the clock\n"
    "       caller tour DIRECTORY COUNT ADDRESS PORT         two calls in each cgroup DIRECTORY/0 ... COUNT-1\n"
    "KIND: udp-connect, udp-send, tcp (made and reset). WHICH: allowed or denied\n";
constexpr int kPatienceMs = 30'000;

[[noreturn]] void give_up(const char* what)
{
    std::perror(what);
    std::_Exit(1);
}

[[noreturn]] void usage()
{
    std::fputs(kUsage, stderr);
    std::_Exit(2);
}

std::uint64_t number(std::string_view text)
{
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
        usage();
    }
    return value;
}

std::uint64_t clock_ns(clockid_t which)
{
    timespec now{};
    (void)::clock_gettime(which, &now); // cannot fail for these clocks
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

void pin_to(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu % std::max(1U, std::thread::hardware_concurrency()), &set);
    if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
        give_up("sched_setaffinity");
    }
}

sockaddr_in address_of(const char* text, const char* port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(number(port)));
    if (::inet_pton(AF_INET, text, &address.sin_addr) != 1) {
        usage();
    }
    return address;
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

int open_socket(int type)
{
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        give_up("socket");
    }
    return fd;
}

bool is_denied(std::string_view which)
{
    if (which != "allowed" && which != "denied") {
        usage();
    }
    return which == "denied";
}

struct Target {
    sockaddr_in address{};
    bool denied = false;
};

void expect(long result, const Target& target)
{
    if (target.denied ? (result == 0 || errno != EPERM) : result < 0) {
        give_up(target.denied ? "expected EPERM" : "expected success");
    }
}

void udp_connect(int fd, const Target& target)
{
    expect(::connect(fd, generic(target.address), sizeof(target.address)), target);
}

void udp_send(int fd, const Target& target)
{
    constexpr std::array<char, 32> kSmall{};
    expect(::sendto(fd, kSmall.data(), kSmall.size(), 0, generic(target.address), sizeof(target.address)), target);
}

/// Reset, so that thousands of them leave nothing behind.
void tcp(int /*unused*/, const Target& target)
{
    const int fd = open_socket(SOCK_STREAM);
    const linger reset{1, 0};
    (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)); // slower without, not wrong
    expect(::connect(fd, generic(target.address), sizeof(target.address)), target);
    (void)::close(fd); // nothing was written
}

using Call = void (*)(int fd, const Target& target);

Call call_of(std::string_view kind)
{
    if (kind == "udp-connect") {
        return udp_connect;
    }
    if (kind == "udp-send") {
        return udp_send;
    }
    if (kind == "tcp") {
        return tcp;
    }
    usage();
}

struct Amount {
    std::uint64_t calls = 0;
    std::uint64_t batch = 1;
};

/// Calls that are not counted: caches and the branch predictor.
std::uint64_t warm_up(const Amount& amount) { return std::min<std::uint64_t>(amount.calls / 10, 1000); }

std::vector<double> samples_of(Call call, const Target& target, const Amount& amount)
{
    const int fd = open_socket(SOCK_DGRAM);
    for (std::uint64_t i = 0; i < warm_up(amount); ++i) {
        call(fd, target);
    }
    std::vector<double> samples;
    samples.reserve(amount.calls / amount.batch);
    for (std::uint64_t done = 0; done + amount.batch <= amount.calls; done += amount.batch) {
        const std::uint64_t begin = clock_ns(CLOCK_MONOTONIC);
        for (std::uint64_t i = 0; i < amount.batch; ++i) {
            call(fd, target);
        }
        samples.push_back(static_cast<double>(clock_ns(CLOCK_MONOTONIC) - begin) / static_cast<double>(amount.batch));
    }
    (void)::close(fd); // nothing was written
    return samples;
}

void print_samples(std::vector<double>& samples, double cpu_ns)
{
    if (samples.empty()) {
        usage();
    }
    std::ranges::sort(samples);
    const auto at = [&](double share) {
        return samples[static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1))];
    };
    std::printf("{\"samples\": %zu, \"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f, \"max\": %.1f, \"cpu\": %.1f}\n",
                samples.size(), at(0.5), at(0.99), at(0.999), samples.back(), cpu_ns);
}

int calls(char** argv)
{
    const Call call = call_of(argv[0]);
    const Target target{address_of(argv[2], argv[3]), is_denied(argv[1])};
    const Amount amount{number(argv[4]), std::max<std::uint64_t>(1, number(argv[5]))};
    const std::uint64_t threads = std::clamp<std::uint64_t>(number(argv[6]), 1, 64);
    std::vector<std::vector<double>> of(threads);
    const std::uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    {
        std::vector<std::jthread> running;
        for (unsigned i = 0; i < threads; ++i) {
            running.emplace_back([&, i] {
                pin_to(i);
                of[i] = samples_of(call, target, amount);
            });
        }
    }
    const double spent = static_cast<double>(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu);
    std::vector<double> all;
    for (const auto& some : of) {
        all.insert(all.end(), some.begin(), some.end());
    }
    print_samples(all, spent / static_cast<double>((amount.calls + warm_up(amount)) * threads));
    return 0;
}

int stream(char** argv)
{
    const sockaddr_in address = address_of(argv[0], argv[1]);
    const std::uint64_t mib = number(argv[2]);
    pin_to(0);
    const int fd = open_socket(SOCK_STREAM);
    if (::connect(fd, generic(address), sizeof(address)) != 0) {
        give_up("connect");
    }
    static const std::vector<char> chunk(std::size_t{1} << 20);
    const std::uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    const std::uint64_t begin = clock_ns(CLOCK_MONOTONIC);
    for (std::uint64_t i = 0; i < mib; ++i) {
        for (std::size_t done = 0; done < chunk.size();) {
            const ssize_t sent = ::send(fd, chunk.data() + done, chunk.size() - done, MSG_NOSIGNAL);
            if (sent <= 0) {
                give_up("send");
            }
            done += static_cast<std::size_t>(sent);
        }
    }
    char end = 0;
    (void)::shutdown(fd, SHUT_WR); // the far end then closes
    if (::recv(fd, &end, sizeof(end), 0) != 0) {
        give_up("the far end did not read all");
    }
    const auto per_mib = [&](std::uint64_t ns) { return static_cast<double>(ns) / static_cast<double>(mib); };
    std::printf("{\"p50\": %.1f, \"cpu\": %.1f}\n", per_mib(clock_ns(CLOCK_MONOTONIC) - begin),
                per_mib(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu));
    return 0;
}

int until(char** argv)
{
    const bool denied = is_denied(argv[0]);
    const sockaddr_in address = address_of(argv[1], argv[2]);
    const int fd = open_socket(SOCK_DGRAM);
    const std::uint64_t end = clock_ns(CLOCK_MONOTONIC) + std::uint64_t{kPatienceMs} * 1'000'000U;
    std::puts("asking");
    (void)std::fflush(stdout); // a reader that is gone does not matter
    while ((::connect(fd, generic(address), sizeof(address)) != 0 && errno == EPERM) != denied) {
        if (clock_ns(CLOCK_MONOTONIC) > end) {
            std::fputs("asked in vain\n", stderr);
            return 1;
        }
    }
    std::printf("%llu\n", static_cast<unsigned long long>(clock_ns(CLOCK_MONOTONIC)));
    return 0;
}

void enter(const std::string& cgroup)
{
    const int fd = ::open((cgroup + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0 || ::write(fd, "0", 1) != 1) {
        give_up(cgroup.c_str());
    }
    (void)::close(fd); // written
}

void print_values(const char* name, std::vector<double> values, const char* end)
{
    std::ranges::sort(values);
    std::printf("\"%s\": %.1f%s", name, values[values.size() / 2], end);
}

int tour(char** argv)
{
    const Target target{address_of(argv[2], argv[3]), false};
    const int fd = open_socket(SOCK_DGRAM);
    std::array<std::vector<double>, 2> took;
    pin_to(0);
    for (std::uint64_t i = 0; i < number(argv[1]); ++i) {
        enter(std::string(argv[0]) + "/" + std::to_string(i));
        for (auto& of : took) {
            const std::uint64_t begin = clock_ns(CLOCK_MONOTONIC);
            udp_connect(fd, target);
            of.push_back(static_cast<double>(clock_ns(CLOCK_MONOTONIC) - begin));
        }
    }
    if (took[0].empty()) {
        usage();
    }
    std::printf("{");
    print_values("first", took[0], ", ");
    print_values("again", took[1], "}\n");
    return 0;
}

/// Reads and throws away what comes by TCP. Datagrams stay in the socket until it is full, then the kernel drops them.
int far_end(char** argv)
{
    const sockaddr_in address = address_of(argv[0], argv[1]);
    const int one = 1;
    const int datagrams = open_socket(SOCK_DGRAM);
    const int listener = open_socket(SOCK_STREAM);
    (void)::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)); // bind(2) says if it mattered
    if (::bind(datagrams, generic(address), sizeof(address)) != 0 ||
        ::bind(listener, generic(address), sizeof(address)) != 0 || ::listen(listener, 4096) != 0) {
        give_up("bind");
    }
    std::puts("ready");
    (void)std::fflush(stdout); // a reader that is gone does not matter
    static std::vector<char> chunk(std::size_t{1} << 20);
    for (;;) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        while (fd >= 0 && ::recv(fd, chunk.data(), chunk.size(), 0) > 0) {
        }
        (void)::close(fd); // the next one
    }
}

struct Mode {
    std::string_view name;
    int arguments;
    int (*run)(char** argv);
};

constexpr std::array<Mode, 5> kModes{
    {{"calls", 7, calls}, {"stream", 3, stream}, {"until", 3, until}, {"tour", 4, tour}, {"far-end", 2, far_end}}};

} // namespace

int main(int argc, char** argv)
{
    for (const auto& mode : kModes) {
        if (argc > 1 && mode.name == argv[1] && argc == 2 + mode.arguments) {
            return mode.run(argv + 2);
        }
    }
    usage();
}
