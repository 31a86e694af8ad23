// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/shell_run.h"

#include "agent/base/text.h"

#include <algorithm>
#include <utility>

namespace hostward::hardening {

namespace {

constexpr std::size_t kStepsMax = 10'000; ///< commands, each in every way; what distributions ship takes hundreds
constexpr std::size_t kStatesMax = 64;
constexpr int kDepthMax = 24; ///< files and functions within each other
constexpr std::size_t kFileBytesMax = std::size_t{1} << 20;

using Flow = ShellState::Flow;

/// The name that a word assigns to, or nothing.
std::optional<std::string> assigned_name(const ShellWord& word)
{
    if (word.empty() || word[0].kind != ShellPart::Kind::Text || word[0].is_quoted) {
        return std::nullopt;
    }
    const auto& text = word[0].text;
    const auto end = text.find_first_of("=+[");
    const bool is_name =
        end != text.npos && end > 0 && (text[0] < '0' || text[0] > '9') &&
        text.find_first_not_of("_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == end;
    if (!is_name || (text[end] == '+' && text.substr(end, 2) != "+=")) {
        return std::nullopt;
    }
    return text[end] == '[' && text.find(']') == text.npos ? std::nullopt : std::optional(text.substr(0, end));
}

/// After `=`. Nothing: it cannot be told.
std::optional<std::string> assigned_text(const ShellWord& word, const std::string& name, const ShellState& state)
{
    ShellWord value = word;
    const bool appends = value[0].text.substr(name.size(), 1) == "+";
    if (value[0].text.substr(name.size(), 1) == "[") {
        return std::nullopt;
    }
    value[0].text.erase(0, name.size() + (appends ? 2 : 1));
    if (value[0].text.empty()) {
        value.erase(value.begin());
    }
    auto text = expand_text(value, state);
    if (appends && text) {
        const auto before = state.variable(name);
        const bool is_known = before.value != ShellVariable::Value::Unknown;
        return is_known ? std::optional(before.text + *text) : std::nullopt;
    }
    return text;
}

/// `: ${TMOUT:=900}`
void assign_defaults(const ShellWord& word, const std::string& where, ShellState& state)
{
    for (const auto& part : word) {
        if (part.kind != ShellPart::Kind::Variable || !part.op.ends_with('=')) {
            continue;
        }
        const auto before = state.variable(part.text);
        const bool is_empty = part.op == ":=" && before.text.empty();
        if (before.value == ShellVariable::Value::Unset || (before.value == ShellVariable::Value::Set && is_empty)) {
            (void)state.assign(part.text, expand_text(part.operand, state), where);
        } else if (before.value == ShellVariable::Value::Unknown) {
            (void)state.assign(part.text, std::nullopt, where);
        }
    }
}

} // namespace

std::string ShellRun::where(const ShellCommand& command, const ShellState& state) const
{
    return Origin{state.file, command.line}.text();
}

ShellStates ShellRun::bounded(ShellStates states)
{
    states = merged(std::move(states));
    if (states.size() > kStatesMax && !error_) {
        error_ = Error{ErrorKind::Exhausted, 0, "the start files of the shell can come out in too many ways"};
    }
    return error_ ? ShellStates{} : std::move(states);
}

std::shared_ptr<const ShellCommand> ShellRun::parsed(const std::string& path, std::string& problem)
{
    if (const auto found = files_.find(path); found != files_.end()) {
        return found->second;
    }
    const auto text = host_.read(path, kFileBytesMax);
    if (!text) {
        problem = text.error().kind == ErrorKind::NotFound ? "" : text.error().text;
        return nullptr;
    }
    auto command = parse_shell(*text);
    if (!command) {
        problem = path + ": " + command.error().text;
        return nullptr;
    }
    return files_[path] = std::make_shared<const ShellCommand>(command.take());
}

ShellStates ShellRun::source(const std::string& path, ShellStates states)
{
    std::string problem;
    const auto commands = parsed(path, problem);
    if (commands == nullptr || depth_ >= kDepthMax) {
        problem = commands == nullptr ? problem : path + ": files read each other too deeply";
        for (auto& state : states) {
            state.status = false;
            if (!problem.empty() && state.flow == Flow::Next) {
                state.lose(problem);
            }
        }
        return states;
    }
    ++depth_;
    ShellStates out;
    for (auto& state : states) {
        if (state.flow != Flow::Next) {
            out.push_back(std::move(state));
            continue;
        }
        std::string outer = std::exchange(state.file, path);
        ShellStates inner{std::move(state)};
        for (const auto& line : commands->parts) {
            inner = run(line, std::move(inner));
            for (auto& one : inner) {
                one.flow = one.flow == Flow::Discard ? Flow::Next : one.flow; // of its line only
            }
        }
        for (auto& one : inner) {
            one.file = outer;
            one.flow = one.flow == Flow::Return ? Flow::Next : one.flow;
        }
        move_into(out, std::move(inner));
    }
    --depth_;
    return bounded(std::move(out));
}

ShellStates ShellRun::run_all(const ShellCommands& commands, ShellStates states)
{
    for (const auto& command : commands) {
        states = run(command, std::move(states));
    }
    return states;
}

ShellStates ShellRun::run(const ShellCommand& command, ShellStates states)
{
    ShellStates out;
    for (auto& state : states) {
        if (++steps_ > kStepsMax && !error_) {
            error_ = Error{ErrorKind::Exhausted, 0, "the start files of the shell have too many commands"};
        }
        if (error_) {
            return {};
        }
        if (state.flow != Flow::Next) {
            out.push_back(std::move(state));
        } else {
            move_into(out, run_one(command, std::move(state)));
        }
    }
    return bounded(std::move(out));
}

ShellStates ShellRun::run_one(const ShellCommand& command, ShellState state)
{
    using Kind = ShellCommand::Kind;
    switch (command.kind) {
    case Kind::Simple: return simple(command, std::move(state));
    case Kind::Line:
    case Kind::List: return run_all(command.parts, {std::move(state)});
    case Kind::And:
    case Kind::Or: return both(command, std::move(state));
    case Kind::Not: {
        auto out = run(command.parts[0], {std::move(state)});
        for (auto& one : out) {
            one.status = one.status ? std::optional(!*one.status) : std::nullopt;
        }
        return out;
    }
    case Kind::Apart: state.status = std::nullopt; break;
    case Kind::If: return conditional(command, std::move(state));
    case Kind::While:
    case Kind::Until: return loop(command, std::move(state));
    case Kind::For: return for_each(command, std::move(state));
    case Kind::Case: return choose(command, std::move(state));
    case Kind::Function:
        state.functions[command.name] = command.body;
        state.status = true;
        break;
    case Kind::Test: state.status = test(command, state); break;
    case Kind::Other: // arithmetic, which may assign
        for (const std::string name : {"TMOUT", "PATH"}) {
            if (command.name.find(name) != std::string::npos) {
                (void)state.assign(name, std::nullopt, where(command, state));
            }
        }
        state.status = std::nullopt;
        break;
    }
    return {std::move(state)};
}

ShellStates ShellRun::both(const ShellCommand& command, ShellState state)
{
    ShellStates out;
    const std::string place = where(command, state);
    for (auto& one : run(command.parts[0], {std::move(state)})) {
        const bool goes_on_if = command.kind == ShellCommand::Kind::And;
        if (one.flow != Flow::Next || (one.status && *one.status != goes_on_if)) {
            out.push_back(std::move(one));
        } else if (one.status) {
            move_into(out, run(command.parts[1], {std::move(one)}));
        } else {
            ShellState stays = one;
            stays.status = !goes_on_if;
            ShellStates ways{std::move(stays)};
            move_into(ways, run(command.parts[1], {std::move(one)}));
            note_doubt(ways, place);
            move_into(out, std::move(ways));
        }
    }
    return out;
}

ShellStates ShellRun::conditional(const ShellCommand& command, ShellState state)
{
    ShellStates out;
    const std::string place = where(command, state);
    for (auto& one : run(command.parts[0], {std::move(state)})) {
        if (one.flow != Flow::Next) {
            out.push_back(std::move(one));
            continue;
        }
        ShellStates ways;
        const auto status = one.status;
        if (!status || !*status) {
            ShellState other = one;
            other.status = true; // of an if without else
            move_into(ways, command.parts.size() > 2 ? run(command.parts[2], {std::move(other)})
                                                     : ShellStates{std::move(other)});
        }
        if (!status || *status) {
            move_into(ways, run(command.parts[1], {std::move(one)}));
        }
        if (!status) {
            note_doubt(ways, place);
        }
        move_into(out, std::move(ways));
    }
    return out;
}

std::optional<bool> ShellRun::test(const ShellCommand& command, const ShellState& state)
{
    const bool is_plain = std::ranges::none_of(command.words, [](const ShellWord& word) {
        return word.size() == 1 && word[0].kind == ShellPart::Kind::Other && !word[0].is_quoted;
    });
    if (!is_plain) {
        return std::nullopt;
    }
    std::vector<std::optional<std::string>> fields;
    for (const auto& word : command.words) {
        fields.push_back(expand_text(word, state));
    }
    if (fields.size() == 3 && fields[1] && (*fields[1] == "=" || *fields[1] == "==" || *fields[1] == "!=")) {
        const auto pattern = expand_pattern(command.words[2], state);
        const auto matches = pattern && fields[0] ? shell_matches(*pattern, *fields[0]) : std::nullopt;
        return matches ? std::optional(*matches == (*fields[1] != "!=")) : std::nullopt;
    }
    return fields.size() > 4 ? std::nullopt : shell_test(fields, host_, uid_);
}

bool ShellRun::assign_all(const ShellCommand& command, std::size_t count, ShellState& state)
{
    state.status = true;
    for (std::size_t i = 0; i < count; ++i) {
        const auto& word = command.words[i];
        const std::string name = *assigned_name(word);
        const bool has_command =
            std::ranges::any_of(word, [](const ShellPart& part) { return part.kind == ShellPart::Kind::Command; });
        if (!state.assign(name, assigned_text(word, name, state), where(command, state))) {
            return false;
        }
        state.status = has_command ? std::nullopt : state.status;
    }
    return true;
}

ShellStates ShellRun::simple(const ShellCommand& command, ShellState state)
{
    std::size_t assignments = 0;
    for (const auto& word : command.words) {
        assign_defaults(word, where(command, state), state);
    }
    while (assignments < command.words.size() && assigned_name(command.words[assignments])) {
        ++assignments;
    }
    if (assignments == command.words.size()) {
        if (!assign_all(command, assignments, state)) {
            state.flow = Flow::Discard;
        }
        return {std::move(state)};
    }
    // What stands before a command is for that command.
    const std::vector<ShellWord> rest(command.words.begin() + static_cast<std::ptrdiff_t>(assignments),
                                      command.words.end());
    const ShellFields fields = expand_fields(rest, state);
    return named(command, fields, std::move(state));
}

ShellStates ShellRun::named(const ShellCommand& command, const ShellFields& fields, ShellState state)
{
    if (fields.empty()) {
        state.status = std::nullopt;
        return {std::move(state)};
    }
    if (!fields[0]) {
        state.lose(where(command, state));
        return {std::move(state)};
    }
    const std::string& name = *fields[0];
    if (const auto function = state.functions.find(name); function != state.functions.end()) {
        if (function->second != nullptr && depth_ < kDepthMax) {
            const auto body = function->second;
            return call(*body, fields, std::move(state));
        }
        state.lose(where(command, state));
        return {std::move(state)};
    }
    if ((name == "builtin" || name == "command") && fields.size() > 1 && fields[1] && !fields[1]->starts_with('-')) {
        state.functions.erase(*fields[1]);
        return named(command, ShellFields(fields.begin() + 1, fields.end()), std::move(state));
    }
    if (name == "." || name == "source") {
        return dot(command, fields, std::move(state));
    }
    if (!builtin(command, name, fields, state)) {
        state.status = std::nullopt; // a program, which changes nothing here
    }
    return {std::move(state)};
}

ShellStates ShellRun::call(const ShellCommand& body, const ShellFields& fields, ShellState state)
{
    std::vector<std::string> positional;
    for (std::size_t i = 1; i < fields.size(); ++i) {
        if (!fields[i]) {
            state.lose(where(body, state));
            return {std::move(state)};
        }
        positional.push_back(*fields[i]);
    }
    const auto outer = std::exchange(state.positional, std::move(positional));
    const auto outer_locals = std::exchange(state.locals, {});
    const int outer_loops = std::exchange(loops_, 0);
    ++depth_;
    ++calls_;
    auto out = run(body, {std::move(state)});
    --calls_;
    --depth_;
    loops_ = outer_loops;
    for (auto& one : out) {
        one.positional = outer;
        for (; !one.locals.empty(); one.locals.pop_back()) {
            one.variables[one.locals.back().first] = one.locals.back().second;
        }
        one.locals = outer_locals;
        one.flow = one.flow == Flow::Return ? Flow::Next : one.flow;
    }
    return out;
}

ShellStates ShellRun::dot(const ShellCommand& command, const ShellFields& fields, ShellState state)
{
    if (fields.size() < 2) {
        state.status = false;
        return {std::move(state)};
    }
    if (!fields[1] || !fields[1]->starts_with('/')) { // looked for in PATH, or not known
        state.lose(where(command, state));
        return {std::move(state)};
    }
    return source(*fields[1], {std::move(state)});
}

} // namespace hostward::hardening
