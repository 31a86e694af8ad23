// SPDX-License-Identifier: Apache-2.0
// Commands that hold others several times, or one of several: loops and case.
#include "hardening/models/shell_run.h"

#include "hardening/models/file_set.h"

#include <algorithm>
#include <utility>

namespace hostward::hardening {

namespace {

constexpr int kTurnsMax = 8; ///< of loops whose end text does not tell

using Flow = ShellState::Flow;

} // namespace

ShellStates ShellRun::loop(const ShellCommand& command, ShellState state)
{
    const std::string place = where(command, state);
    const bool goes_on_if = command.kind == ShellCommand::Kind::While;
    ShellStates out;
    ShellStates turning{std::move(state)};
    ++loops_;
    for (int turn = 0; !turning.empty() && turn < kTurnsMax; ++turn) {
        ShellStates next;
        for (auto& one : run(command.parts[0], std::move(turning))) {
            if (one.flow != Flow::Next || (one.status && *one.status != goes_on_if)) {
                out.push_back(std::move(one));
                continue;
            }
            if (!one.status) {
                out.push_back(one);
            }
            for (auto& after : run(command.parts[1], {std::move(one)})) {
                const bool ends = after.flow == Flow::Break;
                const bool is_turn = after.flow == Flow::Next || after.flow == Flow::Continue;
                after.flow = ends || is_turn ? Flow::Next : after.flow;
                (is_turn ? next : out).push_back(std::move(after));
            }
        }
        turning = bounded(std::move(next));
    }
    --loops_;
    for (auto& one : turning) {
        one.lose(place); // it may turn on
        out.push_back(std::move(one));
    }
    note_doubt(out, place);
    for (auto& one : out) {
        one.status = std::nullopt;
    }
    return out;
}

ShellStates ShellRun::for_each(const ShellCommand& command, ShellState state)
{
    ShellFields fields;
    for (const auto& word : command.words) {
        const auto pattern = expand_pattern(word, state);
        const bool is_glob = pattern && pattern->starts_with('/') && pattern->find_first_of("*?[") != pattern->npos &&
                             pattern->find('\\') == pattern->npos;
        const auto files =
            is_glob ? find_files(host_, *pattern) : Result<std::vector<FoundFile>>(std::vector<FoundFile>{});
        if (!files) {
            fields.emplace_back(std::nullopt);
        } else if (is_glob && !files->empty()) {
            for (const auto& file : *files) {
                fields.emplace_back(file.path);
            }
        } else {
            for (auto& field : expand_fields({word}, state)) {
                fields.push_back(std::move(field));
            }
        }
    }
    ShellStates out;
    ShellStates turning{std::move(state)};
    ++loops_;
    for (const auto& field : fields) {
        ShellStates next;
        for (auto& one : turning) {
            const std::string place = where(command, one);
            if (!field) {
                next.push_back(one); // there may be nothing
            }
            if (!one.assign(command.name, field, place)) {
                one.flow = Flow::Discard;
                out.push_back(std::move(one));
                continue;
            }
            for (auto& after : run(command.parts[0], {std::move(one)})) {
                const bool is_turn = after.flow == Flow::Next || after.flow == Flow::Continue;
                const bool ends = after.flow == Flow::Break;
                after.flow = is_turn || ends ? Flow::Next : after.flow;
                (is_turn ? next : out).push_back(std::move(after));
            }
        }
        turning = bounded(std::move(next));
    }
    --loops_;
    move_into(out, std::move(turning));
    return out;
}

ShellStates ShellRun::choose(const ShellCommand& command, ShellState state)
{
    const auto subject = expand_text(command.words[0], state);
    const std::string place = where(command, state);
    ShellStates out;
    bool is_doubtful = false;
    for (const auto& branch : command.branches) {
        bool is_match = false;
        bool is_unclear = false;
        for (const auto& word : branch.patterns) {
            const auto pattern = expand_pattern(word, state);
            const bool is_any = pattern == "*";
            const auto one = pattern && subject && !is_any ? shell_matches(*pattern, *subject) : std::nullopt;
            is_match = is_match || is_any || one == true;
            is_unclear = is_unclear || !(is_any || one);
        }
        if (!is_match && !is_unclear) {
            continue;
        }
        if (branch.falls_through) {
            ShellState lost = std::move(state);
            lost.lose(place);
            out.push_back(std::move(lost));
            return out;
        }
        is_doubtful = is_doubtful || !is_match;
        move_into(out, run_all(branch.body, {state}));
        if (is_match) {
            if (is_doubtful) {
                note_doubt(out, place);
            }
            return out;
        }
    }
    state.status = true;
    out.push_back(std::move(state));
    if (is_doubtful) {
        note_doubt(out, place);
    }
    return out;
}

} // namespace hostward::hardening
