// SPDX-License-Identifier: Apache-2.0
// Follows commands of start files, for shell_session.cpp.
#pragma once

#include "hardening/models/shell_state.h"

#include <map>
#include <memory>
#include <string>

namespace hostward::hardening {

class ShellRun {
public:
    ShellRun(const host::Host& host, std::uint32_t uid, bool is_login) : host_(host), uid_(uid), is_login_(is_login) {}

    /// The file's commands. One that is not there changes nothing.
    [[nodiscard]] ShellStates source(const std::string& path, ShellStates states);
    /// What made it give up, or nothing.
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }

private:
    using Words = std::vector<std::string>;
    enum class Declares { Nothing, Local };

    ShellStates run_all(const ShellCommands& commands, ShellStates states);
    ShellStates run(const ShellCommand& command, ShellStates states);
    ShellStates run_one(const ShellCommand& command, ShellState state);
    ShellStates both(const ShellCommand& command, ShellState state);
    ShellStates conditional(const ShellCommand& command, ShellState state);
    ShellStates loop(const ShellCommand& command, ShellState state);
    ShellStates for_each(const ShellCommand& command, ShellState state);
    ShellStates choose(const ShellCommand& command, ShellState state);
    ShellStates simple(const ShellCommand& command, ShellState state);
    ShellStates named(const ShellCommand& command, const ShellFields& fields, ShellState state);
    ShellStates call(const ShellCommand& body, const ShellFields& fields, ShellState state);
    ShellStates dot(const ShellCommand& command, const ShellFields& fields, ShellState state);
    std::optional<bool> test(const ShellCommand& command, const ShellState& state);

    bool assign_all(const ShellCommand& command, std::size_t count, ShellState& state);
    bool builtin(const ShellCommand& command, const std::string& name, const ShellFields& fields, ShellState& state);
    void declare(const ShellCommand& command, const std::string& name, const ShellFields& fields, ShellState& state);
    void unset(const ShellFields& fields, const std::string& where, ShellState& state);
    void set(const ShellFields& fields, const std::string& where, ShellState& state);
    void set_umask(const ShellFields& fields, const std::string& where, ShellState& state);
    void evaluate(const ShellFields& fields, const ShellCommand& command, const std::string& where, ShellState& state);
    static void jump(ShellState::Flow flow, const ShellFields& fields, const std::string& where, ShellState& state);
    [[nodiscard]] std::string where(const ShellCommand& command, const ShellState& state) const;
    std::shared_ptr<const ShellCommand> parsed(const std::string& path, std::string& problem);
    ShellStates bounded(ShellStates states);

    const host::Host& host_;
    std::uint32_t uid_;
    bool is_login_;
    std::map<std::string, std::shared_ptr<const ShellCommand>> files_;
    std::size_t steps_ = 0;
    int depth_ = 0;
    int calls_ = 0; ///< functions that run
    int loops_ = 0; ///< around the command, of its function
    std::optional<Error> error_;
};

} // namespace hostward::hardening
