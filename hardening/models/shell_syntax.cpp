// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/shell_syntax.h"

#include "hardening/models/shell_words.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr int kDepthMax = 48; ///< commands within commands

using Names = std::vector<std::string_view>;

class Parser {
public:
    explicit Parser(std::string_view text) : in_(text) {}

    Result<ShellCommand> all()
    {
        ShellCommand out = make(ShellCommand::Kind::List);
        while (is_fine()) {
            in_.skip_blanks(true);
            if (in_.at_end()) {
                break;
            }
            const auto before = in_.position();
            out.parts.push_back(line());
            if (is_fine() && in_.position() == before) {
                fail("unexpected " + std::string(1, in_.peek()));
            }
        }
        if (!is_fine()) {
            return invalid_error("line " + std::to_string(failed_line_) + ": " + problem_);
        }
        return out;
    }

private:
    bool is_fine()
    {
        if (problem_.empty() && !in_.problem().empty()) {
            fail(in_.problem());
        }
        return problem_.empty();
    }
    void fail(const std::string& problem)
    {
        if (problem_.empty()) {
            problem_ = problem;
            failed_line_ = in_.line();
        }
    }
    ShellCommand make(ShellCommand::Kind kind)
    {
        ShellCommand out;
        out.kind = kind;
        out.line = in_.line();
        return out;
    }

    /// Up to the end of the line that its last command ends on.
    ShellCommand line()
    {
        ShellCommand out = make(ShellCommand::Kind::Line);
        while (is_fine()) {
            in_.skip_blanks(false);
            if (in_.at_end() || in_.peek() == '\n' || in_.peek() == '#') {
                break;
            }
            const auto before = in_.position();
            out.parts.push_back(terminated());
            if (in_.position() == before) {
                break;
            }
        }
        return out;
    }

    /// Commands until one of these words; the word stays.
    ShellCommand list(const Names& until, bool may_be_empty = false)
    {
        ShellCommand out = make(ShellCommand::Kind::List);
        while (is_fine()) {
            in_.skip_blanks(true);
            if (in_.at_end()) {
                fail("the file ends within a command that began on line " + std::to_string(out.line));
                break;
            }
            if (std::ranges::any_of(until, [this](std::string_view word) { return in_.sees(word); })) {
                if (out.parts.empty() && !may_be_empty) {
                    fail("no command where one should be");
                }
                break;
            }
            const auto before = in_.position();
            out.parts.push_back(terminated());
            if (in_.position() == before) {
                fail("unexpected " + std::string(1, in_.peek()));
            }
        }
        return out;
    }

    /// `a && b || c` with what ends it.
    ShellCommand terminated()
    {
        ShellCommand out = and_or();
        in_.skip_blanks(false);
        if (in_.take("&") && is_fine()) {
            out = apart(out);
        } else if (!in_.starts_with(";;") && !in_.starts_with(";&")) {
            (void)in_.take(";"); // a line end will do
        }
        return out;
    }

    ShellCommand and_or()
    {
        ShellCommand left = pipeline();
        while (is_fine()) {
            in_.skip_blanks(false);
            const bool is_and = in_.take("&&");
            if (!is_and && !in_.take("||")) {
                break;
            }
            ShellCommand both = make(is_and ? ShellCommand::Kind::And : ShellCommand::Kind::Or);
            in_.skip_blanks(true);
            both.parts.push_back(std::move(left));
            both.parts.push_back(pipeline());
            left = std::move(both);
        }
        return left;
    }

    static ShellCommand apart(const ShellCommand& part)
    {
        ShellCommand out;
        out.kind = ShellCommand::Kind::Apart;
        out.line = part.line;
        return out;
    }

    ShellCommand pipeline()
    {
        in_.skip_blanks(false);
        if (in_.sees("!")) {
            in_.take_name("!");
            ShellCommand out = make(ShellCommand::Kind::Not);
            out.parts.push_back(pipeline());
            return out;
        }
        ShellCommand out = command();
        for (in_.skip_blanks(false); is_fine() && !in_.starts_with("||") && in_.take("|"); in_.skip_blanks(false)) {
            (void)in_.take("&");
            in_.skip_blanks(true);
            (void)command();
            out = apart(out);
        }
        return out;
    }

    ShellCommand command()
    {
        if (++depth_ > kDepthMax) {
            fail("commands are nested too deeply");
        }
        ShellCommand out = is_fine() ? compound() : ShellCommand{};
        --depth_;
        return out;
    }

    ShellCommand compound()
    {
        constexpr std::array<std::string_view, 9> kElsewhere{"then", "elif", "else", "fi", "do",
                                                             "done", "esac", "}",    "]]"};
        ShellCommand out;
        if (std::ranges::any_of(kElsewhere, [this](std::string_view word) { return in_.sees(word); })) {
            fail("a word like then where a command should be");
        } else if (in_.starts_with("((")) {
            out = make(ShellCommand::Kind::Other);
            out.name = in_.take_balanced();
        } else if (in_.take("(")) {
            (void)list({")"});
            expect(")");
            out = make(ShellCommand::Kind::Apart);
        } else if (in_.take_name("{")) {
            out = list({"}"});
            expect_name("}");
        } else if (in_.take_name("if")) {
            out = conditional();
        } else if (in_.sees("while") || in_.sees("until")) {
            out = loop();
        } else if (in_.take_name("for")) {
            out = for_loop();
        } else if (in_.take_name("case")) {
            out = cases();
        } else if (in_.take_name("[[")) {
            out = test();
        } else if (in_.sees("select") || in_.sees("coproc")) {
            fail("select and coproc are not followed");
        } else if (in_.take_name("function")) {
            in_.skip_blanks(false);
            return function(in_.take_word_text());
        } else {
            return simple();
        }
        while (is_fine() && in_.take_redirection()) {
        }
        return out;
    }

    void expect(std::string_view what)
    {
        in_.skip_blanks(true);
        if (!in_.take(what)) {
            fail("no " + std::string(what));
        }
    }
    void expect_name(std::string_view what)
    {
        in_.skip_blanks(true);
        if (!in_.take_name(what)) {
            fail("no " + std::string(what));
        }
    }

    ShellCommand conditional()
    {
        ShellCommand out = make(ShellCommand::Kind::If);
        out.parts.push_back(list({"then"}));
        expect_name("then");
        out.parts.push_back(list({"elif", "else", "fi"}));
        if (in_.take_name("elif")) { // an if of its own, whose fi is this one's
            if (++depth_ > kDepthMax) {
                fail("commands are nested too deeply");
            }
            out.parts.push_back(is_fine() ? conditional() : ShellCommand{});
            --depth_;
            return out;
        }
        if (in_.take_name("else")) {
            out.parts.push_back(list({"fi"}));
        }
        expect_name("fi");
        return out;
    }

    ShellCommand loop()
    {
        ShellCommand out = make(in_.sees("while") ? ShellCommand::Kind::While : ShellCommand::Kind::Until);
        (void)in_.take_word_text();
        out.parts.push_back(list({"do"}));
        expect_name("do");
        out.parts.push_back(list({"done"}));
        expect_name("done");
        return out;
    }

    ShellCommand for_loop()
    {
        ShellCommand out = make(ShellCommand::Kind::For);
        in_.skip_blanks(false);
        if (in_.starts_with("((")) {
            out.kind = ShellCommand::Kind::Other;
            out.name = in_.take_balanced();
        } else {
            out.name = in_.take_word_text();
            in_.skip_blanks(true);
            if (in_.take_name("in")) {
                out.words = words();
            } else {
                out.words.push_back({{ShellPart::Kind::Other, "$@", true, "", {}}});
            }
        }
        in_.skip_blanks(false);
        (void)in_.take(";");
        expect_name("do");
        out.parts.push_back(list({"done"}));
        expect_name("done");
        if (out.kind == ShellCommand::Kind::Other) {
            fail("for (( )) is not followed");
        }
        return out;
    }

    ShellCommand cases()
    {
        ShellCommand out = make(ShellCommand::Kind::Case);
        in_.skip_blanks(false);
        out.words.push_back(in_.take_word());
        expect_name("in");
        for (in_.skip_blanks(true); is_fine() && !in_.take_name("esac"); in_.skip_blanks(true)) {
            if (in_.at_end()) {
                fail("the file ends within a case");
                break;
            }
            out.branches.push_back(branch());
        }
        return out;
    }

    ShellBranch branch()
    {
        ShellBranch out;
        (void)in_.take("(");
        do {
            in_.skip_blanks(false);
            out.patterns.push_back(in_.take_word());
            in_.skip_blanks(false);
        } while (in_.take("|"));
        expect(")");
        out.body.push_back(list({";;", ";&", "esac"}, true));
        out.falls_through = in_.starts_with(";&") || in_.starts_with(";;&");
        if (!in_.take(";;&") && !in_.take(";;")) {
            (void)in_.take(";&");
        }
        return out;
    }

    ShellCommand test()
    {
        ShellCommand out = make(ShellCommand::Kind::Test);
        while (is_fine()) {
            in_.skip_blanks(true);
            if (in_.at_end()) {
                fail("[[ without ]]");
            } else if (in_.take_name("]]")) {
                break;
            } else if (in_.at_operator()) { // && || ( ) < >: not followed
                out.words.push_back({{ShellPart::Kind::Other, in_.take_operator(), false, "", {}}});
            } else {
                out.words.push_back(in_.take_word());
            }
        }
        return out;
    }

    std::vector<ShellWord> words()
    {
        std::vector<ShellWord> out;
        for (in_.skip_blanks(false); is_fine() && !in_.at_command_end(); in_.skip_blanks(false)) {
            out.push_back(in_.take_word());
        }
        return out;
    }

    ShellCommand simple()
    {
        ShellCommand out = make(ShellCommand::Kind::Simple);
        bool is_something = false;
        for (in_.skip_blanks(false); is_fine(); in_.skip_blanks(false)) {
            if (in_.take_redirection()) {
                is_something = true;
                continue;
            }
            if (in_.at_command_end()) {
                break;
            }
            is_something = true;
            if (in_.starts_with("(")) {
                const bool is_name = out.words.size() == 1 && out.words[0].size() == 1;
                const std::string name = is_name ? out.words[0][0].text : "";
                expect("(");
                expect(")");
                return function(name);
            }
            out.words.push_back(in_.take_word());
        }
        if (!is_something) {
            fail("no command where one should be");
        }
        return out;
    }

    ShellCommand function(const std::string& name)
    {
        ShellCommand out = make(ShellCommand::Kind::Function);
        out.name = name;
        in_.skip_blanks(false);
        if (in_.take("(")) {
            expect(")");
        }
        in_.skip_blanks(true);
        if (name.empty() || in_.at_end()) {
            fail("a function without name or body");
            return out;
        }
        out.body = std::make_shared<const ShellCommand>(command());
        return out;
    }

    ShellText in_;
    int depth_ = 0;
    std::string problem_;
    std::uint32_t failed_line_ = 0;
};

} // namespace

Result<ShellCommand> parse_shell(std::string_view text) { return Parser(text).all(); }

} // namespace hostward::hardening
