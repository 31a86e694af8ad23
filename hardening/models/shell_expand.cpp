// SPDX-License-Identifier: Apache-2.0
// Words to text, patterns and tests: what shell_state.h declares of them.
#include "hardening/models/shell_state.h"

#include "agent/base/text.h"
#include "hardening/models/glob.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::size_t kTextMax = std::size_t{16} << 10; ///< longer values are unknown
constexpr std::size_t kPatternMax = 256;
constexpr std::ptrdiff_t kStarsMax = 4; ///< the C library's matcher takes time to the power of these

std::optional<std::string> text_of(const ShellVariable& variable)
{
    switch (variable.value) {
    case ShellVariable::Value::Unset: return "";
    case ShellVariable::Value::Set: return variable.text;
    case ShellVariable::Value::Unknown: break;
    }
    return std::nullopt;
}

/// Of the few commands whose output text can tell.
std::optional<std::string> output_of(std::string_view command, const ShellState& state)
{
    auto parts = words(command);
    std::erase_if(parts, [](std::string_view word) { return word.starts_with("2>") || word == "/dev/null"; });
    std::string text;
    for (const auto word : parts) {
        const auto name = text.empty() ? word.substr(word.rfind('/') + 1) : word; // substr(npos + 1) is all of it
        text += text.empty() ? "" : " ";
        text += name;
    }
    if (text == "id -u" || text == "id -ru") {
        return text_of(state.variable("UID"));
    }
    if (text == "id -un" || text == "whoami" || text == "logname") {
        return text_of(state.variable(" user")); // what the shell's own variables say may be changed
    }
    if (text == "id -gn") {
        return text_of(state.variable(" group"));
    }
    if (text == "umask" && state.umask) {
        return std::string{'0', static_cast<char>('0' + (*state.umask >> 6U & 7U)),
                           static_cast<char>('0' + (*state.umask >> 3U & 7U)),
                           static_cast<char>('0' + (*state.umask & 7U))};
    }
    return std::nullopt;
}

ShellVariable named(const std::string& name, const ShellState& state)
{
    ShellVariable out;
    if (name == "#") {
        out.value = ShellVariable::Value::Set;
        out.text = std::to_string(state.positional.size());
    } else if (const auto number = parse_number<std::size_t>(name); number && *number > 0) {
        const bool is_there = *number <= state.positional.size();
        out.value = is_there ? ShellVariable::Value::Set : ShellVariable::Value::Unset;
        out.text = is_there ? state.positional[*number - 1] : "";
    } else {
        out = state.variable(name);
    }
    return out;
}

/// `${x#pattern}` and its like: the shortest or longest part that matches goes.
std::optional<std::string> without(const std::string& text, const std::string& op, const std::string& pattern)
{
    const bool is_prefix = op[0] == '#';
    const bool is_longest = op.size() == 2;
    for (std::size_t i = 0; i <= text.size(); ++i) {
        const std::size_t size = is_longest ? text.size() - i : i;
        const auto part = is_prefix ? text.substr(0, size) : text.substr(text.size() - size);
        const auto matches = shell_matches(pattern, part);
        if (!matches) {
            return std::nullopt;
        }
        if (*matches) {
            return is_prefix ? text.substr(size) : text.substr(0, text.size() - size);
        }
    }
    return text;
}

std::optional<std::string> variable_text(const ShellPart& part, const ShellState& state)
{
    const ShellVariable variable = named(part.text, state);
    if (part.op.empty() || variable.value == ShellVariable::Value::Unknown) {
        return text_of(variable);
    }
    if (part.op[0] == '#' || part.op[0] == '%') {
        const auto pattern = expand_pattern(part.operand, state);
        return pattern && variable.text.size() < kPatternMax ? without(variable.text, part.op, *pattern) : std::nullopt;
    }
    const bool has_text = variable.value == ShellVariable::Value::Set && (part.op[0] != ':' || !variable.text.empty());
    switch (part.op.back()) {
    case '-': return has_text ? variable.text : expand_text(part.operand, state);
    case '+': return has_text ? expand_text(part.operand, state) : std::optional<std::string>("");
    default: break; // `=` also sets it, which is not followed: no answer, and the session asks is_assigning()
    }
    return has_text ? std::optional(variable.text) : std::nullopt;
}

std::optional<std::string> part_text(const ShellPart& part, const ShellState& state)
{
    switch (part.kind) {
    case ShellPart::Kind::Text: return part.text;
    case ShellPart::Kind::Variable: return variable_text(part, state);
    case ShellPart::Kind::Command: return output_of(part.text, state);
    case ShellPart::Kind::Other: break;
    }
    return std::nullopt;
}

/// `~` at the start of a word, and in assignments after `:`.
std::string with_home(const std::string& text, const ShellState& state, bool is_first)
{
    const auto home = text_of(state.variable("HOME"));
    const bool is_home =
        is_first && home && text.starts_with('~') && (text.size() == 1 || text[1] == '/' || text[1] == ':');
    std::string out = is_home ? *home + text.substr(1) : text;
    for (auto at = out.find(":~"); home && at != out.npos; at = out.find(":~", at + 1)) {
        if (at + 2 == out.size() || out[at + 2] == '/' || out[at + 2] == ':') {
            out.replace(at + 1, 1, *home);
        }
    }
    return out;
}

/// One word, split at blanks of what is not quoted.
void add_fields(const ShellWord& word, const ShellState& state, ShellFields& out)
{
    std::optional<std::string> field;
    bool is_field = false;
    for (const auto& part : word) {
        const auto text = part_text(part, state);
        if (!text) {
            out.emplace_back(std::nullopt);
            return;
        }
        const bool splits = !part.is_quoted && part.kind != ShellPart::Kind::Text;
        if (!splits) {
            const bool is_first = !is_field && !part.is_quoted;
            field = field.value_or("") + (is_first ? with_home(*text, state, true) : *text);
            is_field = true;
            continue;
        }
        for (const char c : *text) {
            const bool is_blank = c == ' ' || c == '\t' || c == '\n';
            if (is_blank && is_field) {
                out.push_back(std::exchange(field, std::nullopt));
                is_field = false;
            } else if (!is_blank) {
                field = field.value_or("") + c;
                is_field = true;
            }
        }
    }
    if (is_field) {
        out.push_back(field.value_or(""));
    }
}

std::optional<bool> file_test(char what, const std::string& path, const host::Host& host, std::uint32_t uid)
{
    if (path.empty() || path.front() != '/') {
        return path.empty() ? std::optional(false) : std::nullopt;
    }
    const auto facts = host.facts(path, what == 'h' || what == 'L' ? host::Links::Keep : host::Links::Follow);
    if (!facts) {
        return facts.error().kind == ErrorKind::NotFound ? std::optional(false) : std::nullopt;
    }
    const auto allowed = [&](std::uint32_t bits) -> std::optional<bool> {
        if ((facts->mode & bits & 07U) != 0 || (uid == 0 && (bits == 0444 || (facts->mode & bits) != 0))) {
            return true;
        }
        return (facts->mode & bits) == 0 || uid == 0 ? std::optional(false) : std::nullopt;
    };
    switch (what) {
    case 'e': return true;
    case 'f': return facts->type == host::FileType::Regular;
    case 'd': return facts->type == host::FileType::Directory;
    case 'h':
    case 'L': return facts->type == host::FileType::Symlink;
    case 's': return facts->type == host::FileType::Regular ? std::optional(facts->size > 0) : std::nullopt;
    case 'r': return allowed(0444);
    case 'x': return allowed(0111);
    default: break;
    }
    return std::nullopt;
}

std::optional<bool> unary_test(const std::string& op, const std::optional<std::string>& operand, const host::Host& host,
                               std::uint32_t uid)
{
    if (!operand) {
        return std::nullopt;
    }
    if (op == "-z" || op == "-n") {
        return operand->empty() == (op == "-z");
    }
    if (op == "-t") {
        return true; // a person's shell has a terminal
    }
    return op.size() == 2 && op[0] == '-' ? file_test(op[1], *operand, host, uid) : std::nullopt;
}

std::optional<bool> binary_test(const std::optional<std::string>& left, const std::string& op,
                                const std::optional<std::string>& right)
{
    if (!left || !right) {
        return std::nullopt;
    }
    if (op == "=" || op == "==" || op == "!=") {
        return (*left == *right) == (op != "!=");
    }
    constexpr std::array<std::string_view, 6> kCompare{"-eq", "-ne", "-lt", "-le", "-gt", "-ge"};
    const auto at = std::ranges::find(kCompare, op) - kCompare.begin();
    const auto a = parse_number<std::int64_t>(trimmed(*left));
    const auto b = parse_number<std::int64_t>(trimmed(*right));
    if (at == static_cast<std::ptrdiff_t>(kCompare.size())) {
        return std::nullopt;
    }
    if (!a || !b) {
        return std::nullopt; // an error, or arithmetic within [[ ]]
    }
    const std::array<bool, 6> answers{*a == *b, *a != *b, *a<*b, *a <= *b, *a> * b, *a >= *b};
    return answers.at(static_cast<std::size_t>(at));
}

} // namespace

std::optional<std::string> expand_text(const ShellWord& word, const ShellState& state)
{
    std::string out;
    for (const auto& part : word) {
        const auto text = part_text(part, state);
        if (!text || out.size() + text->size() > kTextMax) {
            return std::nullopt;
        }
        const bool has_tilde = part.kind == ShellPart::Kind::Text && !part.is_quoted;
        out += has_tilde ? with_home(*text, state, out.empty()) : *text;
    }
    return out;
}

ShellFields expand_fields(const std::vector<ShellWord>& words, const ShellState& state)
{
    ShellFields out;
    for (const auto& word : words) {
        add_fields(word, state, out);
    }
    return out;
}

std::optional<std::string> expand_pattern(const ShellWord& word, const ShellState& state)
{
    std::string out;
    for (const auto& part : word) {
        const auto text = part_text(part, state);
        if (!text) {
            return std::nullopt;
        }
        for (const char c : *text) {
            const bool is_special = std::string_view("*?[]\\").find(c) != std::string_view::npos;
            out += part.is_quoted && is_special ? "\\" : "";
            out += c;
        }
    }
    return out;
}

std::optional<bool> shell_matches(const std::string& pattern, const std::string& text)
{
    if (pattern.size() > kPatternMax || std::ranges::count(pattern, '*') > kStarsMax || text.size() > kTextMax ||
        text.find('\0') != text.npos || pattern.find('\0') != pattern.npos) {
        return std::nullopt;
    }
    return matches_text(pattern, text);
}

std::optional<bool> shell_test(const ShellFields& fields, const host::Host& host, std::uint32_t uid)
{
    const auto is = [&](std::size_t at, std::string_view word) { return fields[at] && *fields[at] == word; };
    const auto part = [&](std::size_t from, std::size_t to) {
        return ShellFields(fields.begin() + static_cast<std::ptrdiff_t>(from),
                           fields.begin() + static_cast<std::ptrdiff_t>(to));
    };
    constexpr std::size_t kWordsMax = 64;
    if (fields.size() > kWordsMax) {
        return std::nullopt;
    }
    for (const std::string_view op : {"-o", "-a"}) {
        for (std::size_t at = 1; fields.size() > 3 && at + 1 < fields.size(); ++at) {
            if (!is(at, op)) {
                continue;
            }
            const auto left = shell_test(part(0, at), host, uid);
            const auto right = shell_test(part(at + 1, fields.size()), host, uid);
            const bool decides = op == "-o";
            if ((left && *left == decides) || (right && *right == decides)) {
                return decides;
            }
            return left && right ? std::optional(!decides) : std::nullopt;
        }
    }
    if (fields.size() > 1 && is(0, "!")) {
        const auto inner = shell_test(part(1, fields.size()), host, uid);
        return inner ? std::optional(!*inner) : std::nullopt;
    }
    switch (fields.size()) {
    case 0: return false;
    case 1: return fields[0] ? std::optional(!fields[0]->empty()) : std::nullopt;
    case 2: return fields[0] ? unary_test(*fields[0], fields[1], host, uid) : std::nullopt;
    case 3: return fields[1] ? binary_test(fields[0], *fields[1], fields[2]) : std::nullopt;
    default: break;
    }
    return std::nullopt;
}

} // namespace hostward::hardening
