// SPDX-License-Identifier: Apache-2.0
// Start files as bash reads them: in a mount namespace of the test's own, what an interactive bash has after random
// files is one of the ways that the model foresees, and mostly there is one way only.
#include "hardening/models/shell_session.h"

#include "agent/base/text.h"
#include "tests/e2e/models/folder.h"
#include "tests/e2e/models/oracle.h"

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <sstream>

namespace hostward::hardening {
namespace {

constexpr auto kPath = "/usr/bin:/bin";
constexpr auto kAsk = "declare -p TMOUT 2>/dev/null || echo; umask; printf '%s\\n' \"$PATH\"";

const std::vector<std::string> kSettings{
    "TMOUT=900",
    "TMOUT=0",
    "readonly TMOUT=900",
    "readonly TMOUT=900 ; export TMOUT",
    "readonly TMOUT",
    "export TMOUT",
    "export TMOUT=\"600\"",
    "typeset -xr TMOUT=900",
    "declare -rx TMOUT=1200",
    "declare -r -x TMOUT='300'",
    "unset TMOUT",
    "TMOUT=${TMOUT:-700}",
    ": ${TMOUT:=800}",
    "TMOUT+=0",
    "TMOUT=1800 /bin/true",
    "a=900; TMOUT=$a",
    "umask 027",
    "umask 077",
    "umask 0022",
    "umask u=rwx,g=rx,o=",
    "umask g-w",
    "umask o-rwx,g+x",
    "umask 999",
    "umask -S >/dev/null",
    "umask \"$(umask)\"",
    "(umask 000)",
    "umask 000 | cat",
    "PATH=$PATH:/opt/bin",
    "PATH=/sbin:${PATH}",
    "export PATH=~/bin:$PATH",
    "PATH=\"/usr/sbin:/usr/bin:/bin\"",
    "PATH=.:$PATH",
    "set -a",
    "set +a",
    "return 0",
    "f",
    "g /opt/x after",
    "x=`echo 1`",
    "eval \"$(echo TMOUT=5)\"",
    "LIST=(TMOUT=1 2)",
    "cat >/dev/null <<END\nTMOUT=1\numask 0\nEND",
    "echo 'TMOUT=1' \"umask 0\" >/dev/null",
};

const std::vector<std::string> kConditions{
    "[ -z \"$TMOUT\" ]",
    "[ -n \"$TMOUT\" ]",
    "test -z \"${TMOUT}\"",
    "[ \"$TMOUT\" = 900 ]",
    "[ \"${TMOUT-0}\" -gt 600 ]",
    "[ $UID -gt 199 ]",
    "[ \"`id -u`\" -eq 0 ]",
    "[ $UID -gt 199 ] && [ \"`/usr/bin/id -gn`\" = \"`/usr/bin/id -un`\" ]",
    "[ \"$PS1\" ]",
    "[ \"${BASH-}\" ] && [ \"$BASH\" != \"/bin/sh\" ]",
    "[ -f /etc/passwd ]",
    "[ ! -e /nonexistent ]",
    "[ -d /etc -a -r /etc/passwd ]",
    "[ -d /nonexistent -o -z \"$TMOUT\" ]",
    "[ \"${-#*i}\" != \"$-\" ]",
    "[[ $- == *i* ]]",
    "[[ -z $TMOUT ]]",
    "[[ $PATH =~ sbin ]]",
    "[ \"$UNKNOWN\" = yes ]",
    "[ `umask` -eq 0 ]",
    "shopt -q login_shell",
    "! shopt -q login_shell",
    "true",
    "grep -q root /etc/passwd",
    "(( UID > 5 ))",
    "[ \"$(umask)\" = 0027 ]",
};

std::string block(oracle::Random& random, int depth);

std::string command(oracle::Random& random, int depth)
{
    if (depth > 2 || !random.one_in(3)) {
        return random.of(kSettings);
    }
    const std::string condition = random.of(kConditions);
    const std::string body = block(random, depth + 1);
    switch (random.below(9)) {
    case 0: return "if " + condition + "; then\n" + body + "fi";
    case 1: return "if " + condition + "\nthen\n  " + body + "else\n" + block(random, depth + 1) + "fi";
    case 2:
        return "if " + condition + "; then\n" + body + "elif " + random.of(kConditions) + "; then\n" +
               block(random, depth + 1) + "fi";
    case 3: return condition + " && " + random.of(kSettings);
    case 4: return condition + " || { " + body + "}";
    case 5: return "for i in 600 900; do\nTMOUT=$i\n" + body + "done";
    case 6:
        return "case \"$" + random.of<std::string>({"TMOUT", "-", "UID", "UNKNOWN"}) + "\" in\n" +
               random.of<std::string>({"900|600", "*i*", "\"*\"", "[0-9]", "''"}) + ") " + random.of(kSettings) +
               "\n;;\n*)\n" + body + ";;\nesac";
    case 7: return "f() {\n" + body + "}";
    default:
        return "g () {\n    case \":${PATH}:\" in\n        *:\"$1\":*) ;;\n        *)\n            if [ \"$2\" = "
               "\"after\" ] ; then PATH=$PATH:$1; else PATH=$1:$PATH; fi\n    esac\n}\n" +
               body;
    }
}

std::string block(oracle::Random& random, int depth)
{
    std::string out;
    const auto count = 1 + random.below(3);
    for (int i = 0; i < count; ++i) {
        std::string one = command(random, depth);
        while (one.ends_with('\n')) {
            one.pop_back();
        }
        const bool has_document = one.find("\nEND") != one.npos;
        out += one + (has_document ? "\n" : random.of<std::string>({"\n", "\n", "\n\n", "; ", " # note\n"}));
    }
    // A here-document ends on a line of its own.
    for (auto at = out.find("\nEND"); at != out.npos; at = out.find("\nEND", at + 1)) {
        const auto end = out.find('\n', at + 1);
        out.replace(at, (end == out.npos ? out.size() : end) - at, "\nEND");
    }
    return out + (out.ends_with('\n') ? "" : "\n");
}

struct Asked {
    std::string declaration;
    std::string umask;
    std::string path;
    std::string complaints;
};

/// As a person would: `question` is a file with what is typed.
Asked ask_bash(const std::string& home, const std::string& question, bool is_login)
{
    std::vector<std::string> argv{"/usr/bin/env",
                                  "-i",
                                  "HOME=" + home,
                                  "USER=root",
                                  "LOGNAME=root",
                                  "LC_ALL=C",
                                  std::string("PATH=") + kPath,
                                  "/bin/sh",
                                  "-c",
                                  "exec /bin/bash \"$@\" < \"$0\"",
                                  question};
    if (is_login) {
        argv.emplace_back("--login");
    }
    argv.emplace_back("-i");
    const auto finished = oracle::run(argv);
    std::istringstream lines(finished.out);
    Asked out;
    std::getline(lines, out.declaration);
    std::getline(lines, out.umask);
    std::getline(lines, out.path);
    out.complaints = finished.err;
    return out;
}

std::string text_of(const ShellOutcome& one)
{
    using Value = ShellVariable::Value;
    const std::string value = one.tmout.value == Value::Set     ? one.tmout.text
                              : one.tmout.value == Value::Unset ? "(unset)"
                                                                : "(unknown)";
    std::ostringstream out;
    out << "TMOUT " << value << (one.tmout.is_exported ? " exported" : "")
        << (one.tmout.is_read_only ? " read-only" : "") << ", umask " << std::oct << one.umask.value_or(07777)
        << ", PATH " << (one.path.value == Value::Unknown ? "(unknown)" : one.path.text);
    for (const auto& doubt : one.doubts) {
        out << "\n    in doubt: " << doubt;
    }
    return out.str();
}

bool is_the_way(const ShellOutcome& one, const Asked& asked)
{
    using Value = ShellVariable::Value;
    const auto& declared = asked.declaration;
    const auto flags = declared.substr(0, declared.find(" TMOUT"));
    const auto equals = declared.find("TMOUT=\"");
    bool fits = true;
    if (one.tmout.value == Value::Set) {
        fits = equals != declared.npos && declared.substr(equals + 7) == one.tmout.text + "\"" &&
               (one.tmout.may_be_exported || (flags.find('x') != flags.npos) == one.tmout.is_exported);
    } else if (one.tmout.value == Value::Unset) {
        fits = equals == declared.npos;
    }
    if (one.tmout.value != Value::Unknown) {
        fits = fits && (flags.find("-r") != flags.npos) == one.tmout.is_read_only;
    }
    return fits && (!one.umask || parse_number<std::uint32_t>(asked.umask, 8) == one.umask) &&
           (one.path.value != Value::Set || one.path.text == asked.path);
}

constexpr auto kProfile = "for i in /etc/profile.d/*.sh; do\n  if [ -r $i ]; then\n    . $i\n  fi\ndone\nunset i\n"
                          "if [ -f /etc/bash.bashrc ]; then\n  . /etc/bash.bashrc\nfi\n";

class ShellModel : public testing::Test {
protected:
    void SetUp() override
    {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "needs root";
        }
        ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
        ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        for (const std::string name : {"profile", "bash.bashrc", "profile.d/a.sh"}) {
            folder_.write(name, "");
        }
        folder_.write("question", std::string(kAsk) + "\n");
        for (const std::string name : {"profile", "bash.bashrc", "profile.d"}) {
            const std::string from = folder_.path() + "/" + name;
            const std::string to = "/etc/" + name;
            ASSERT_EQ(::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr), 0) << to;
        }
    }

    void write_files(oracle::Random& random)
    {
        shown_.clear();
        write("profile", (random.one_in(3) ? block(random, 0) : "") + kProfile);
        for (const std::string name : {"profile.d/a.sh", "profile.d/b.sh", "bash.bashrc", "home/.bashrc"}) {
            write(name, random.one_in(3) ? "" : block(random, 0));
        }
        const std::string own = "if [ \"$BASH\" ]; then\n  if [ -f ~/.bashrc ]; then\n    . ~/.bashrc\n  fi\nfi\n";
        write("home/.profile", random.one_in(2) ? own : own + block(random, 0));
    }

    void write(const std::string& name, const std::string& text)
    {
        folder_.write(name, text);
        shown_ += "--- " + name + "\n" + text;
    }

    e2e::Folder folder_;
    std::string shown_;
};

TEST_F(ShellModel, AgreesWithBash)
{
    oracle::Random random;
    auto host = host::open_host("/");
    ASSERT_TRUE(host.ok());
    const std::string home = folder_.path() + "/home";
    const ShellUser user{0, "root", "root", home};
    ::umask(022);
    int told = 0;
    int ended = 0;
    const int rounds = oracle::rounds(1000);
    for (int round = 0; round < rounds; ++round) {
        write_files(random);
        const auto ways = shell_outcomes(**host, ShellKind::Login, user, {{kPath, "", 022, ""}});
        ASSERT_TRUE(ways.ok()) << ways.error().text << "\n" << random.text() << " round " << round << "\n" << shown_;
        const Asked asked = ask_bash(home, folder_.path() + "/question", true);
        if (asked.umask.empty()) {
            ++ended; // bash ran out of memory in functions that call each other
            continue;
        }
        std::string foreseen;
        bool is_foreseen = false;
        for (const auto& way : *ways) {
            foreseen += text_of(way) + "\n";
            is_foreseen = is_foreseen || is_the_way(way, asked);
        }
        ASSERT_TRUE(is_foreseen) << random.text() << " round " << round << "\n"
                                 << shown_ << "bash: " << asked.declaration << ", umask " << asked.umask << ", PATH "
                                 << asked.path << "\n"
                                 << asked.complaints << "\nforeseen:\n"
                                 << foreseen;
        const bool is_known =
            ways->size() == 1 && ways->front().umask && ways->front().tmout.value != ShellVariable::Value::Unknown;
        told += is_known ? 1 : 0;
    }
    EXPECT_LT(ended, rounds / 20);
    EXPECT_GT(told, rounds / 3); // else the rounds showed little
}

} // namespace
} // namespace hostward::hardening
