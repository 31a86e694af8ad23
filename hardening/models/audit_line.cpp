// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_line.h"

#include "agent/base/text.h"
#include "hardening/models/audit_rule_builder.h"

#include <linux/audit.h>

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::string_view kWithArgument = "CefrbaAdSFmRwWkpq";
constexpr std::string_view kAlone = "hicslDvt";

/// One option as getopt_long(3) finds it: the last part of the long name for long ones.
struct Option {
    char letter = 0; ///< 0: a long one
    std::string name;
    std::string argument;
};

struct Options {
    std::vector<Option> options;
    bool has_more_words = false; ///< that belong to no option
    std::string problem;
};

struct LongOption {
    std::string_view name;
    bool has_argument;
};
constexpr std::array kLong{LongOption{"loginuid-immutable", false}, LongOption{"backlog_wait_time", true},
                           LongOption{"reset-lost", false}, LongOption{"reset_backlog_wait_time_actual", false}};

/// A long option may be shortened as long as it is the only one that begins so.
const LongOption* long_option(std::string_view name)
{
    const LongOption* found = nullptr;
    for (const auto& one : kLong) {
        if (one.name == name) {
            return &one;
        }
        if (one.name.starts_with(name)) {
            if (found != nullptr) {
                return nullptr;
            }
            found = &one;
        }
    }
    return found;
}

class OptionReader {
public:
    explicit OptionReader(const std::vector<std::string>& words) : words_(words) {}

    Options read()
    {
        for (; at_ < words_.size() && out_.problem.empty(); ++at_) {
            const std::string& word = words_[at_];
            if (word == "--") {
                out_.has_more_words = out_.has_more_words || at_ + 1 < words_.size();
                break;
            }
            if (word.starts_with("--")) {
                read_long(word.substr(2));
            } else if (word.size() > 1 && word[0] == '-') {
                read_letters(word);
            } else {
                out_.has_more_words = true;
            }
        }
        return std::move(out_);
    }

private:
    void read_long(const std::string& word)
    {
        const auto equals = word.find('=');
        const auto* known = long_option(word.substr(0, equals));
        if (known == nullptr || (!known->has_argument && equals != word.npos)) {
            out_.problem = "unknown option --" + word;
            return;
        }
        Option option{0, std::string(known->name), ""};
        if (known->has_argument && equals != word.npos) {
            option.argument = word.substr(equals + 1);
        } else if (known->has_argument && !take_next(option.argument)) {
            out_.problem = "--" + word + " needs a value";
            return;
        }
        out_.options.push_back(std::move(option));
    }

    void read_letters(const std::string& word)
    {
        for (std::size_t i = 1; i < word.size(); ++i) {
            Option option{word[i], "", ""};
            if (kWithArgument.find(word[i]) != kWithArgument.npos) {
                option.argument = word.substr(i + 1);
                if (option.argument.empty() && !take_next(option.argument)) {
                    out_.problem = "-" + word.substr(i, 1) + " needs a value";
                    return;
                }
                out_.options.push_back(std::move(option));
                return;
            }
            if (kAlone.find(word[i]) == kAlone.npos) {
                out_.problem = "unknown option -" + word.substr(i, 1);
                return;
            }
            out_.options.push_back(std::move(option));
        }
    }

    bool take_next(std::string& argument)
    {
        if (at_ + 1 >= words_.size()) {
            return false;
        }
        argument = words_[++at_];
        return true;
    }

    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    Options out_;
};

std::optional<std::uint32_t> zero_to_two(const std::string& text)
{
    return text == "0" || text == "1" || text == "2" ? parse_number<std::uint32_t>(text) : std::nullopt;
}

bool starts_with_digit(const std::string& text) { return !text.empty() && text[0] >= '0' && text[0] <= '9'; }

/// One line, option after option.
class LineReader {
public:
    LineReader(std::vector<std::string> words, const AuditSurroundings& surroundings)
        : words_(std::move(words)), builder_(surroundings)
    {
    }

    AuditCommand read()
    {
        Options options = OptionReader(words_).read();
        for (const auto& option : options.options) {
            if (!command_.refused.empty() || is_over_) {
                break;
            }
            take(option);
            ++taken_;
        }
        if (command_.refused.empty()) {
            command_.refused = !options.problem.empty() && !is_over_ ? options.problem : rest_problem(options);
        }
        if (!command_.refused.empty() || is_over_) {
            return std::move(command_); // what ends the reading of a line sends no rule either
        }
        if (builder_.has_list()) {
            finish();
        } else if (builder_.has_syscalls()) {
            command_.refused = "no list";
        }
        return std::move(command_);
    }

private:
    /// Words that no option takes. What ends the reading of a line leaves its other words over.
    std::string rest_problem(const Options& options) const
    {
        if (is_over_ && ignores_rest_) {
            return "";
        }
        const bool has_more_options = is_over_ && taken_ < options.options.size();
        return options.has_more_words || has_more_options || options.options.empty() ? "words that belong to no option"
                                                                                     : "";
    }

    void finish()
    {
        AuditRule rule;
        command_.refused = builder_.finish(rule);
        if (!command_.refused.empty()) {
            return;
        }
        (is_deletion_ ? command_.deletes : command_.adds) = std::move(rule);
    }

    void take(const Option& option)
    {
        if (option.letter == 0) {
            take_long(option);
        } else if (std::string_view("aAdSFCwWpk").find(option.letter) != std::string_view::npos) {
            take_rule(option);
        } else {
            take_control(option);
        }
    }

    void take_long(const Option& option)
    {
        if (option.name == "backlog_wait_time") {
            command_.refused = starts_with_digit(option.argument) ? "" : "bad time " + option.argument;
        } else {
            is_over_ = true;
            ignores_rest_ = true;
        }
    }

    void take_rule(const Option& option)
    {
        switch (option.letter) {
        case 'A': command_.in_front = true; [[fallthrough]];
        case 'a': command_.refused = builder_.set_list(option.argument); break;
        case 'd':
            is_deletion_ = true;
            command_.refused = builder_.set_list(option.argument);
            break;
        case 'S': command_.refused = builder_.add_syscalls(option.argument); break;
        case 'F': command_.refused = builder_.add_field(option.argument); break;
        case 'C': command_.refused = builder_.add_comparison(option.argument); break;
        case 'W':
            is_deletion_ = true;
            command_.refused = builder_.set_watch(option.argument);
            break;
        case 'w':
            command_.refused = builder_.has_list() ? "a watch with a list" : builder_.set_watch(option.argument);
            break;
        case 'p': command_.refused = builder_.set_permissions(option.argument); break;
        default: command_.refused = builder_.add_key(option.argument); break;
        }
    }

    void take_control(const Option& option)
    {
        switch (option.letter) {
        case 'e':
            command_.enabled = zero_to_two(option.argument);
            command_.refused = command_.enabled ? "" : "-e takes 0, 1 or 2";
            break;
        case 'f':
            command_.failure = zero_to_two(option.argument);
            command_.refused = command_.failure ? "" : "-f takes 0, 1 or 2";
            break;
        case 'b':
        case 'r':
            command_.refused = starts_with_digit(option.argument) ? "" : "a number is wanted, not " + option.argument;
            if (option.letter == 'b' && command_.refused.empty()) {
                command_.backlog = static_cast<std::uint32_t>(std::strtoul(option.argument.c_str(), nullptr, 0));
            }
            break;
        case 'i':
        case 'c':
            command_.goes_on_after_errors = true;
            is_over_ = true;
            break;
        case 'D': take_deletion(); break;
        case 's':
        case 'l':
        case 'v': is_over_ = true; break;
        case 't':
        case 'q':
        case 'm':
            is_over_ = true;
            ignores_rest_ = true;
            break;
        default: command_.refused = std::string("-") + option.letter + " is not for rules files"; break;
        }
    }

    /// `-D` or `-D -k KEY`, nothing else in the line.
    void take_deletion()
    {
        if (words_.size() != 1 && (words_.size() != 3 || words_[1] != "-k")) {
            command_.refused = "-D takes -k KEY only";
            return;
        }
        command_.deletes_all = true;
        command_.deletes_key = words_.size() == 3 ? words_[2] : "";
        is_over_ = true;
        ignores_rest_ = true;
    }

    std::vector<std::string> words_;
    AuditRuleBuilder builder_;
    AuditCommand command_;
    std::size_t taken_ = 0;
    bool is_deletion_ = false;
    bool is_over_ = false;      ///< auditctl reads no further option of the line
    bool ignores_rest_ = false; ///< and does not mind what stands there
};

} // namespace

std::vector<std::string> audit_words(std::string_view line)
{
    std::vector<std::string> out;
    std::string word;
    bool is_in_word = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const bool is_escape = line[i] == '\\' && i + 1 < line.size() && (line[i + 1] == ' ' || line[i + 1] == '\\');
        if (line[i] == ' ') {
            if (is_in_word) {
                out.push_back(std::move(word));
                word.clear();
            }
            is_in_word = false;
            continue;
        }
        is_in_word = true;
        word += line[is_escape ? ++i : i];
    }
    if (is_in_word) {
        out.push_back(std::move(word));
    }
    return !out.empty() && out[0].starts_with('#') ? std::vector<std::string>{} : out;
}

AuditCommand parse_audit_line(std::string_view line, const AuditSurroundings& surroundings)
{
    line = line.substr(0, line.find('\0')); // a C string to auditctl
    constexpr std::size_t kLineMax = 6143;  // auditctl's buffer; it takes the rest for another line
    if (line.size() > kLineMax) {
        AuditCommand command;
        command.refused = "a line longer than auditctl reads";
        return command;
    }
    auto words = audit_words(line);
    return words.empty() ? AuditCommand{} : LineReader(std::move(words), surroundings).read();
}

} // namespace hostward::hardening
