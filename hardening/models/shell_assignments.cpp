// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/shell_assignments.h"

#include "hardening/models/conf_files.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

bool is_name(std::string_view text)
{
    return !text.empty() && (text.front() < '0' || text.front() > '9') && std::ranges::all_of(text, [](char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/// One word at a time.
class Words {
public:
    explicit Words(std::string_view line) : rest_(line) {}

    bool next(std::string& word)
    {
        while (!rest_.empty() && is_blank(rest_.front())) {
            rest_.remove_prefix(1);
        }
        word.clear();
        if (rest_.empty() || rest_.front() == '#') {
            return false;
        }
        while (!rest_.empty() && !is_blank(rest_.front())) {
            take_part(word);
        }
        return true;
    }

private:
    char take()
    {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    void take_part(std::string& word)
    {
        const char c = take();
        if (c == '\'') {
            while (!rest_.empty() && rest_.front() != '\'') {
                word += take();
            }
            rest_.remove_prefix(rest_.empty() ? 0 : 1);
        } else if (c == '"') {
            take_double_quoted(word);
        } else if (c == '\\' && !rest_.empty()) {
            word += take();
        } else {
            word += c;
        }
    }

    void take_double_quoted(std::string& word)
    {
        while (!rest_.empty() && rest_.front() != '"') {
            const char c = take();
            const bool escapes =
                c == '\\' && !rest_.empty() && std::string_view("$`\"\\").find(rest_.front()) != std::string_view::npos;
            word += escapes ? take() : c;
        }
        rest_.remove_prefix(rest_.empty() ? 0 : 1);
    }

    std::string_view rest_;
};

std::vector<ShellAssignment> assignments_of(std::string_view line, const Origin& where)
{
    std::vector<ShellAssignment> found;
    for (const auto& word : shell_words(line)) {
        const auto equals = word.find('=');
        const bool appends = equals != word.npos && equals > 0 && word[equals - 1] == '+';
        const auto name = word.substr(0, equals == word.npos ? 0 : equals - (appends ? 1 : 0));
        if (word == "export") {
            continue;
        }
        if (!is_name(name)) {
            return {}; // a command: what stands before it is only for that command
        }
        found.push_back({name, word.substr(equals + 1), appends, where});
    }
    return found;
}

} // namespace

std::vector<std::string> shell_words(std::string_view line)
{
    std::vector<std::string> found;
    Words words(line);
    for (std::string word; words.next(word);) {
        found.push_back(word);
    }
    return found;
}

std::vector<ShellAssignment> parse_shell_assignments(std::string_view text, const std::string& file)
{
    std::vector<ShellAssignment> found;
    std::string joined;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        joined += line;
        if (joined.ends_with('\\')) {
            joined.pop_back();
            return;
        }
        for (auto& one : assignments_of(joined, Origin{file, number})) {
            found.push_back(std::move(one));
        }
        joined.clear();
    });
    return found;
}

Result<std::vector<ShellAssignment>> read_shell_assignments(const host::Host& host, const std::string& path)
{
    std::vector<ShellAssignment> found;
    TRY_ASSIGN(const auto files, conf_file(host, path));
    for (const auto& file : files) {
        found = parse_shell_assignments(file.text, file.path);
    }
    return found;
}

const ShellAssignment* last_assignment(const std::vector<ShellAssignment>& all, std::string_view name)
{
    const ShellAssignment* last = nullptr;
    for (const auto& one : all) {
        last = one.name == name ? &one : last;
    }
    return last;
}

} // namespace hostward::hardening
