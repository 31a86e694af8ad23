// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/shell_state.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace hostward::hardening {

namespace {

/// What outcomes are made of.
constexpr std::array<std::string_view, 2> kAskedFor{"PATH", "TMOUT"};

} // namespace

ShellVariable ShellState::variable(std::string_view name) const
{
    const auto found = variables.find(name);
    return found == variables.end() ? ShellVariable{} : found->second;
}

bool ShellState::assign(const std::string& name, std::optional<std::string> text, const std::string& where)
{
    auto& one = variables[name];
    if (one.is_read_only) {
        return false;
    }
    if (one.may_be_read_only) {
        text = std::nullopt; // it may have stayed as it was
    }
    one.value = text ? ShellVariable::Value::Set : ShellVariable::Value::Unknown;
    one.text = text ? std::move(*text) : "";
    one.where = where;
    one.is_exported = one.is_exported || exports_all;
    return true;
}

void ShellState::lose(const std::string& where)
{
    for (const auto name : kAskedFor) {
        (void)variables[std::string(name)]; // it may be set now
    }
    for (auto& [name, one] : variables) {
        if (!one.is_read_only) {
            one = {ShellVariable::Value::Unknown, "", where, one.is_exported, false};
        }
        one.may_be_exported = true;
        one.may_be_read_only = name == "TMOUT"; // nobody makes PATH read-only
    }
    functions.clear();
    umask = std::nullopt;
    umask_where = where;
    doubts.insert(where);
    status = std::nullopt;
}

bool ShellState::is_like(const ShellState& other) const
{
    for (const auto name : kAskedFor) {
        if (variable(name) != other.variable(name)) {
            return false;
        }
    }
    return umask == other.umask && flow == other.flow && file == other.file && exports_all == other.exports_all &&
           positional == other.positional && locals == other.locals;
}

void ShellState::merge(const ShellState& other)
{
    for (const auto& [name, one] : other.variables) {
        (void)variables.try_emplace(name);
    }
    for (auto& [name, one] : variables) {
        if (const auto its = other.variable(name); one != its) {
            one = {ShellVariable::Value::Unknown, "", one.where, one.is_exported && its.is_exported,
                   one.is_read_only && its.is_read_only};
        }
    }
    for (const auto& [name, body] : other.functions) {
        const auto mine = functions.find(name);
        if (mine == functions.end() || mine->second != body) {
            functions[name] = nullptr; // one of several, or none
        }
    }
    for (auto& [name, body] : functions) {
        body = other.functions.contains(name) ? body : nullptr;
    }
    doubts.insert(other.doubts.begin(), other.doubts.end());
    status = status == other.status ? status : std::nullopt;
}

ShellStates merged(ShellStates states)
{
    ShellStates out;
    for (auto& state : states) {
        ShellState* same = nullptr;
        for (auto& one : out) {
            // What is still to be decided by the status of the last command must stay apart.
            if (one.is_like(state) && one.status == state.status) {
                same = &one;
            }
        }
        if (same == nullptr) {
            out.push_back(std::move(state));
        } else {
            same->merge(state);
        }
    }
    return out;
}

void note_doubt(ShellStates& states, const std::string& where)
{
    const bool differ =
        std::ranges::any_of(states, [&](const ShellState& one) { return !one.is_like(states.front()); });
    for (auto& state : states) {
        if (differ) {
            state.doubts.insert(where);
        }
    }
}

void move_into(ShellStates& out, ShellStates more)
{
    out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

} // namespace hostward::hardening
