// SPDX-License-Identifier: Apache-2.0
// Commands that bash runs itself: what ShellRun does with those that can change what is asked for.
#include "hardening/models/shell_run.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>
#include <utility>

namespace hostward::hardening {

namespace {

using Flow = ShellState::Flow;

constexpr std::uint32_t kUmaskMax = 0777;

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names)
{
    return std::ranges::find(names, name) != names.end();
}

/// Programs whose output start files hand to `eval`, and which print settings of their own only.
bool is_harmless_output(std::string_view command)
{
    const auto parts = words(command);
    if (parts.empty()) {
        return false;
    }
    const auto name = parts[0].substr(parts[0].rfind('/') + 1);
    return is_one_of(name, {"dircolors", "lesspipe", "lesspipe.sh", "locale-gen", "resize"});
}

/// Owner, group and others who are meant: `ug`, nothing for all.
std::uint32_t take_who(std::string_view& clause)
{
    std::uint32_t who = 0;
    for (; !clause.empty(); clause.remove_prefix(1)) {
        switch (clause.front()) {
        case 'u': who |= 0700U; break;
        case 'g': who |= 0070U; break;
        case 'o': who |= 0007U; break;
        case 'a': who |= 0777U; break;
        default: return who == 0 ? 0777U : who;
        }
    }
    return 0;
}

std::optional<std::uint32_t> symbolic(std::string_view text, std::uint32_t from)
{
    std::uint32_t allowed = ~from & kUmaskMax;
    for (auto clause : split(text, ',')) {
        const auto who = take_who(clause);
        if (who == 0 || clause.empty()) {
            return std::nullopt;
        }
        const char op = clause.front();
        std::uint32_t bits = 0;
        for (const char c : clause.substr(1)) {
            const auto at = std::string_view("xwr").find(c);
            if (at == std::string_view::npos) {
                return std::nullopt; // X, s, copies: not followed
            }
            bits |= 0111U << at;
        }
        switch (op) {
        case '=': allowed = (allowed & ~who) | (bits & who); break;
        case '+': allowed |= bits & who; break;
        case '-': allowed &= ~(bits & who); break;
        default: return std::nullopt;
        }
    }
    return ~allowed & kUmaskMax;
}

/// `NAME=text` of declare. -i computes, -l and -u change letters, -a makes a list: not followed. False: read-only.
bool declared_text(const ShellWord& word, const std::string& name, bool computes, const std::string& where,
                   ShellState& state)
{
    const char sign = word[0].text[name.size()];
    ShellWord value = word;
    value[0].text.erase(0, name.size() + (sign == '+' ? 2 : 1));
    auto text = computes || sign == '[' ? std::nullopt : expand_text(value, state);
    if (sign == '+' && text) {
        const auto before = state.variable(name);
        const bool is_known = before.value != ShellVariable::Value::Unknown;
        text = is_known ? std::optional(before.text + *text) : std::nullopt;
    }
    return state.assign(name, std::move(text), where);
}

} // namespace

std::optional<std::uint32_t> umask_of(std::string_view text, std::uint32_t from)
{
    if (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        const auto value = parse_number<std::uint32_t>(text, 8);
        return value && *value <= kUmaskMax ? value : std::nullopt;
    }
    return text.empty() ? std::nullopt : symbolic(text, from);
}

void ShellRun::set_umask(const ShellFields& fields, const std::string& where, ShellState& state)
{
    std::size_t at = 1;
    while (at < fields.size() && fields[at] && is_one_of(*fields[at], {"-S", "-p", "-pS", "-Sp", "--"})) {
        ++at;
    }
    state.status = true;
    if (at == fields.size()) {
        return;
    }
    if (!fields[at] || (!state.umask && (fields[at]->empty() || (*fields[at])[0] > '9'))) {
        state.umask = std::nullopt;
        state.umask_where = where;
        state.doubts.insert(where);
        return;
    }
    const auto value = umask_of(*fields[at], state.umask.value_or(0));
    state.status = value.has_value();
    if (value) {
        state.umask = value;
        state.umask_where = where;
    } else if ((*fields[at])[0] > '9') { // not followed: bash may know more
        state.umask = std::nullopt;
        state.umask_where = where;
        state.doubts.insert(where);
    }
}

void ShellRun::declare(const ShellCommand& command, const std::string& name, const ShellFields& fields,
                       ShellState& state)
{
    const std::string place = where(command, state);
    std::string flags = name == "export" ? "x" : name == "readonly" ? "r" : "";
    std::string removed;
    state.status = true;
    for (std::size_t i = 1; i < fields.size(); ++i) {
        if (!fields[i]) { // a name that is not known, or the value of one that is
            continue;
        }
        const auto& field = *fields[i];
        if (field.size() > 1 && (field[0] == '-' || field[0] == '+')) {
            (field[0] == '-' ? flags : removed) += field.substr(1);
        }
    }
    if (flags.find_first_of("fFp") != flags.npos) { // functions, or only printing
        return;
    }
    const bool un_exports = name == "export" && flags.find('n') != flags.npos;
    bool is_name = false;
    for (const auto& word : command.words) {
        if (!std::exchange(is_name, is_name || (!word.empty() && word[0].text == name)) || word.empty()) {
            continue;
        }
        const auto text = word[0].kind == ShellPart::Kind::Text ? word[0].text : "";
        const auto end = text.find_first_of("=+[");
        const std::string variable =
            word[0].kind == ShellPart::Kind::Text ? text.substr(0, end) : expand_text(word, state).value_or("");
        if (variable.empty() || variable[0] == '-' || variable[0] == '+') {
            if (word[0].kind != ShellPart::Kind::Text && variable.empty()) {
                state.lose(place); // names that come from elsewhere
            }
            continue;
        }
        const bool is_local =
            calls_ > 0 && is_one_of(name, {"declare", "typeset", "local"}) && flags.find('g') == flags.npos;
        if (is_local && !state.variable(variable).is_read_only) {
            state.locals.emplace_back(variable, state.variable(variable));
            state.variables[variable] = {ShellVariable::Value::Unset, "", place, false, false};
        }
        const bool computes = flags.find_first_of("iluaAnc") != flags.npos && name != "export";
        if (end != text.npos && !declared_text(word, variable, computes, place, state) && name != "export") {
            state.status = false;
            continue; // bash leaves the rest of a read-only one alone, too
        }
        auto& one = state.variables[variable];
        if (one.value == ShellVariable::Value::Unknown && one.where.empty()) {
            one.where = place;
        }
        one.is_exported =
            (one.is_exported || flags.find('x') != flags.npos) && !un_exports && removed.find('x') == removed.npos;
        if (flags.find('r') != flags.npos && !one.is_read_only) {
            one.is_read_only = true;
        }
    }
}

void ShellRun::unset(const ShellFields& fields, const std::string& where, ShellState& state)
{
    bool is_function = false;
    state.status = true;
    for (std::size_t i = 1; i < fields.size(); ++i) {
        if (!fields[i]) {
            state.lose(where);
        } else if (fields[i]->starts_with('-')) {
            is_function = *fields[i] == "-f";
        } else if (is_function || (!state.variables.contains(*fields[i]) && state.functions.contains(*fields[i]))) {
            state.functions.erase(*fields[i]);
        } else if (auto& one = state.variables[*fields[i]]; one.is_read_only) {
            state.status = false;
        } else {
            one = {ShellVariable::Value::Unset, "", where, false, false};
        }
    }
}

void ShellRun::set(const ShellFields& fields, const std::string& where, ShellState& state)
{
    state.status = true;
    for (std::size_t i = 1; i < fields.size(); ++i) {
        const std::string option = fields[i].value_or("?");
        const bool is_named = (option == "-o" || option == "+o") && i + 1 < fields.size();
        const std::string name = is_named ? fields[++i].value_or("?") : "";
        if (option == "--" || (option[0] != '-' && option[0] != '+')) {
            state.positional.clear();
            for (++i; i < fields.size(); ++i) {
                state.positional.push_back(fields[i].value_or(""));
            }
            if (option == "?") {
                state.lose(where);
            }
        } else if (name == "allexport" || (name.empty() && option.find('a') != option.npos)) {
            state.exports_all = option[0] == '-';
        } else if (is_one_of(name, {"errexit", "nounset", "noexec", "posix"}) ||
                   (name.empty() && option[0] == '-' && option.find_first_of("eunr") != option.npos)) {
            state.lose(where); // the first error may be the end
        }
    }
}

void ShellRun::evaluate(const ShellFields& fields, const ShellCommand& command, const std::string& where,
                        ShellState& state)
{
    state.status = std::nullopt;
    const bool is_harmless = std::ranges::all_of(command.words, [](const ShellWord& word) {
        return std::ranges::all_of(word, [](const ShellPart& part) {
            return part.kind == ShellPart::Kind::Text || is_harmless_output(part.text);
        });
    });
    const bool has_text = std::ranges::any_of(fields, [](const auto& field) { return field && *field != "eval"; });
    if (has_text || !is_harmless) {
        state.lose(where);
    }
}

void ShellRun::jump(Flow flow, const ShellFields& fields, const std::string& where, ShellState& state)
{
    if (fields.size() > 1 && (flow == Flow::Break || flow == Flow::Continue)) {
        state.lose(where); // out of several loops
    }
    state.flow = flow;
    const auto code = fields.size() > 1 && fields[1] ? parse_number<int>(*fields[1]) : std::nullopt;
    if (fields.size() > 1) {
        state.status = code ? std::optional(*code == 0) : std::nullopt;
    }
}

bool ShellRun::builtin(const ShellCommand& command, const std::string& name, const ShellFields& fields,
                       ShellState& state)
{
    const std::string place = where(command, state);
    if (is_one_of(name, {":", "true", "false"})) {
        state.status = name != "false";
    } else if (name == "[" || name == "test") {
        ShellFields inner(fields.begin() + 1, fields.end());
        const bool is_closed = name == "test" || (!inner.empty() && inner.back() == "]");
        if (name == "[" && is_closed) {
            inner.pop_back();
        }
        state.status = is_closed ? shell_test(inner, host_, uid_) : std::optional(false);
    } else if (is_one_of(name, {"export", "readonly", "declare", "typeset", "local"})) {
        declare(command, name, fields, state);
    } else if (name == "unset") {
        unset(fields, place, state);
    } else if (name == "umask") {
        set_umask(fields, place, state);
    } else if (name == "set") {
        set(fields, place, state);
    } else if (name == "eval") {
        evaluate(fields, command, place, state);
    } else if (name == "return" || name == "exit" || name == "logout") {
        jump(name == "return" ? Flow::Return : Flow::Exit, fields, place, state);
    } else if (name == "break" || name == "continue") {
        loops_ == 0 ? void(state.status = true) // nothing to leave
                    : jump(name == "break" ? Flow::Break : Flow::Continue, fields, place, state);
    } else if (name == "shopt" && fields.size() == 3 && fields[1] == "-q" && fields[2] == "login_shell") {
        state.status = is_login_;
    } else if (name == "exec" && fields.size() == 1) {
        state.status = true; // redirections only
    } else if (is_one_of(name, {"exec", "enable", "alias", "trap"})) {
        // alias and trap matter only if they are about what is asked for
        const bool matters = is_one_of(name, {"exec", "enable"}) || std::ranges::any_of(fields, [](const auto& field) {
                                 return !field || field->find("umask") != field->npos ||
                                        field->find("TMOUT") != field->npos || field->find("PATH") != field->npos;
                             });
        state.status = true;
        if (matters) {
            state.lose(place);
        }
    } else if (is_one_of(name, {"read", "mapfile", "readarray", "getopts", "let", "printf", "shift"})) {
        for (const std::string variable : {"TMOUT", "PATH"}) {
            const bool is_meant =
                std::ranges::any_of(fields, [&](const auto& field) { return !field || field->starts_with(variable); });
            if (is_meant && name != "shift" && (name != "printf" || (fields.size() > 1 && fields[1] == "-v"))) {
                (void)state.assign(variable, std::nullopt, place);
            }
        }
        if (name == "shift" && !state.positional.empty()) {
            state.positional.erase(state.positional.begin());
        }
        state.status = std::nullopt;
    } else {
        return false;
    }
    return true;
}

} // namespace hostward::hardening
