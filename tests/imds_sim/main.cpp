// SPDX-License-Identifier: Apache-2.0
// imds_sim: the composition root.
#include "tests/imds_sim/options.h"
#include "tests/imds_sim/server.h"

#include <fcntl.h>
#include <sys/signalfd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace hostward;
using namespace hostward::imds_sim;

constexpr int kFailure = 1;
constexpr int kUsage = 2;

/// What failed, and the exit code it means.
struct Failure {
    int exit_code;
    std::string text;
};

int report(const Failure& failure)
{
    std::cerr << "imds_sim: " << failure.text << "\n";
    return failure.exit_code;
}

Result<std::string> read_file(const std::string& path)
{
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) {
        return system_error(errno, "open " + path);
    }
    std::string text;
    std::array<char, 65536> bytes{};
    while (text.size() <= kMaxTreeBytes) {
        const auto count = ::read(fd.get(), bytes.data(), bytes.size());
        if (count < 0) {
            return system_error(errno, "read " + path);
        }
        if (count == 0) {
            return text;
        }
        text.append(bytes.data(), static_cast<std::size_t>(count));
    }
    return invalid_error(path + " is larger than " + std::to_string(kMaxTreeBytes) + " bytes");
}

Result<Tree> load_tree(const Options& options)
{
    auto tree = Tree::builtin(options.builtin);
    if (options.tree_file) {
        TRY_ASSIGN(const std::string json, read_file(*options.tree_file));
        tree = Tree::parse(json);
    }
    if (!tree.ok()) {
        return tree.error().in(options.tree_file ? *options.tree_file : "--builtin");
    }
    for (const auto& [path, file] : options.leaves) {
        TRY_ASSIGN(std::string bytes, read_file(file));
        TRY(tree->set_leaf(path, std::move(bytes)));
    }
    return tree;
}

/// The descriptor that becomes readable on SIGTERM and SIGINT, which are blocked from now on.
Result<UniqueFd> stop_signals()
{
    sigset_t signals;
    (void)::sigemptyset(&signals);        // cannot fail
    (void)::sigaddset(&signals, SIGTERM); // a valid number
    (void)::sigaddset(&signals, SIGINT);  // a valid number
    if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) {
        return system_error(errno, "block signals");
    }
    UniqueFd fd(::signalfd(-1, &signals, SFD_CLOEXEC));
    if (!fd) {
        return system_error(errno, "watch signals");
    }
    return fd;
}

Status announce(int fd)
{
    constexpr std::string_view kReady = "ready\n";
    const int target = fd < 0 ? STDOUT_FILENO : fd;
    if (::write(target, kReady.data(), kReady.size()) != static_cast<ssize_t>(kReady.size())) {
        return system_error(errno, "say that we are ready on descriptor " + std::to_string(target));
    }
    if (target > STDERR_FILENO) {
        (void)::close(target); // the reader waits for the end, nothing else
    }
    return success();
}

Status serve(const Options& options, Tree tree)
{
    TRY_ASSIGN(const UniqueFd stop, stop_signals());
    TRY_ASSIGN(TokenIssuer issuer, TokenIssuer::create());
    TRY_ASSIGN(RequestLog log, RequestLog::open(options.log_file));
    Responder responder(Service(std::move(tree), issuer), SettingsSource(options.settings, options.control_file),
                        std::move(log));
    TRY_ASSIGN(const auto server, Server::open(options.listen, options.port, std::move(responder)));
    TRY(announce(options.ready_fd));
    return server->run(stop.get());
}

int run(std::span<const std::string_view> arguments)
{
    auto options = parse_options(arguments);
    if (!options.ok()) {
        return report({kUsage, options.error().text});
    }
    if (options->show_help) {
        std::cout << help_text();
        return 0;
    }
    if (options->list_trees) {
        for (const auto name : Tree::builtin_names()) {
            std::cout << name << "\n";
        }
        return 0;
    }
    auto tree = load_tree(*options);
    if (!tree.ok()) {
        return report({tree.error().kind == ErrorKind::Invalid ? kUsage : kFailure, tree.error().text});
    }
    const auto served = serve(*options, tree.take());
    if (!served.ok()) {
        return report({served.error().kind == ErrorKind::Invalid ? kUsage : kFailure, served.error().text});
    }
    return 0;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        const std::vector<std::string_view> arguments(argv + 1, argv + argc);
        return run(arguments);
    } catch (const std::exception& error) {     // nothing of ours throws: out of memory is what is left
        (void)std::fputs(error.what(), stderr); // nowhere else to say it
        return kFailure;
    }
}
