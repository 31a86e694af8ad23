// SPDX-License-Identifier: Apache-2.0
// sshd_config against `sshd -T`, with `-C` and without, in a folder and a mount namespace of the test's own.
#include "agent/host/run.h"
#include "hardening/models/sshd_effective.h"
#include "hardening/models/sshd_keywords.h"
#include "tests/e2e/models/folder.h"
#include "tests/e2e/models/random.h"

#include <gtest/gtest.h>

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <fstream>

namespace hostward::hardening {
namespace {

using e2e::Random;

constexpr std::size_t kConfigurations = 1000;
constexpr const char* kSshd = "/usr/sbin/sshd";

/// Names and values that sshd takes, and some that it does not.
struct Vocabulary {
    std::string keyword;
    std::vector<std::string> values;
};

const std::vector<Vocabulary>& vocabulary()
{
    static const std::vector<Vocabulary> kWords{
        {"PermitRootLogin",
         {"yes", "no", "prohibit-password", "without-password", "forced-commands-only", "YES", "maybe"}},
        {"PasswordAuthentication", {"yes", "no"}},
        {"X11Forwarding", {"yes", "no", "No"}},
        {"AllowTcpForwarding", {"yes", "no", "local", "remote", "all"}},
        {"DisableForwarding", {"yes", "no"}},
        {"MaxAuthTries", {"4", "06", "10"}},
        {"MaxSessions", {"2", "8"}},
        {"LogLevel", {"VERBOSE", "info", "DEBUG1", "quiet"}},
        {"Banner", {"/etc/issue", "none", "\"/etc/my issue\""}},
        {"ClientAliveInterval", {"15", "1m30s", "2h", "0"}},
        {"ClientAliveCountMax", {"3", "0"}},
        {"PermitEmptyPasswords", {"yes", "no"}},
        {"HostbasedAuthentication", {"yes", "no"}},
        {"IgnoreRhosts", {"yes", "no", "shosts-only"}},
        {"AllowUsers", {"alice", "bob carol", "*@10.0.0.*", "dave # x"}},
        {"DenyGroups", {"staff", "wheel  users"}},
        {"AuthenticationMethods", {"publickey"}},
        {"KbdInteractiveAuthentication", {"yes", "no"}},
        {"ChallengeResponseAuthentication", {"no"}},
        {"ForceCommand", {"internal-sftp", "/bin/echo \"a  b\""}},
        {"LoginGraceTime", {"60", "1m", "2m5s", "0"}},
        {"MaxStartups", {"10:30:60", "5", "10:30:5"}},
        {"UsePAM", {"yes", "no"}},
        {"PermitUserEnvironment", {"no", "yes"}},
        {"GSSAPIAuthentication", {"yes", "no"}},
        {"Ciphers", {"aes256-ctr", "+aes128-cbc", "-aes128*", "^aes256-gcm@openssh.com", "aes128-ctr,aes256-ctr"}},
        {"MACs", {"-hmac-sha1*,umac-64*", "hmac-sha2-512", "+hmac-md5"}},
        {"KexAlgorithms",
         {"-diffie-hellman*", "curve25519-sha256", "+diffie-hellman-group1-sha1", "^ecdh-sha2-nistp521"}},
        {"SyslogFacility", {"AUTHPRIV", "auth"}},
        {"StrictModes", {"yes", "no"}},
        {"TCPKeepAlive", {"yes", "no"}},
        {"Protocol", {"2"}},
        {"UseDNS", {"yes", "no"}},
        {"StreamLocalBindMask", {"0177", "022"}},
        {"GatewayPorts", {"yes", "no", "clientspecified"}},
        {"AcceptEnv", {"LANG LC_*", "X"}},
        {"Compression", {"delayed", "no", "yes"}},
        {"NoSuchOption", {"yes"}},
    };
    return kWords;
}

/// Almost always what sshd takes: a file that it refuses says little.
std::string random_setting(Random& random)
{
    const bool is_wild = random.one_in(200);
    const auto& word = vocabulary()[random.below(vocabulary().size() - (is_wild ? 0 : 1))];
    auto value = word.values[random.below(word.values.size())];
    if (!is_wild && (value == "maybe" || value == "10:30:5")) {
        value = word.values[0];
    }
    static const std::vector<std::string> kBetween{" ", "\t", "=", " = ", "  ", "= "};
    static const std::vector<std::string> kAfter{"", "", "", " ", "\r", " # why", "\f"};
    std::string line = random.one_in(5) ? "  " : "";
    line += random.one_in(4) ? lower(word.keyword) : word.keyword;
    line += random.one_in(4) ? random.of(kBetween) : " ";
    const bool may_quote = value.find_first_of(" \"") == value.npos && word.keyword != "ForceCommand";
    line += may_quote && random.one_in(6) ? "\"" + value + "\"" : value;
    return line + (word.keyword == "ForceCommand" ? "" : random.of(kAfter)) + "\n";
}

std::string random_match(Random& random)
{
    static const std::vector<std::string> kCriteria{"User alice",
                                                    "User *,!bob",
                                                    "User bob,carol",
                                                    "Address 10.0.0.0/8",
                                                    "Address 192.0.2.1,10.1.*",
                                                    "Group root",
                                                    "Address !10.1.1.1,10.0.0.0/8",
                                                    "Host *.example.com",
                                                    "Host WWW.example.com",
                                                    "LocalPort 22",
                                                    "user ALICE",
                                                    "LocalAddress 192.0.2.0/24",
                                                    "Address 2001:db8::/32",
                                                    "Group !root,*",
                                                    "Address *"};
    if (random.one_in(8)) {
        return "Match all\n";
    }
    std::string line = "Match " + random.of(kCriteria);
    if (random.one_in(3)) {
        line += " " + random.of(kCriteria);
    }
    return line + (random.one_in(6) ? " # some" : "") + "\n";
}

/// Settings that may stand in a Match block only, most of the time: others end sshd.
std::string random_file(Random& random, const std::vector<std::string>& includes)
{
    std::string text;
    bool is_in_match = false;
    for (auto lines = random.below(14); lines > 0; --lines) {
        if (random.one_in(9)) {
            text += random.one_in(2) ? "# comment\n" : "\n";
        } else if (!includes.empty() && random.one_in(6)) {
            text += "Include " + random.of(includes) + "\n";
        } else if (random.one_in(7)) {
            text += random_match(random);
            is_in_match = true;
        } else {
            std::string line = random_setting(random);
            const auto parsed = parse_sshd_line(line.substr(0, line.size() - 1), {});
            const auto* keyword = parsed ? find_sshd_keyword(parsed->keyword) : nullptr;
            const bool is_allowed = !is_in_match || (keyword != nullptr && keyword->may_match);
            text += is_allowed || random.one_in(60) ? line : "";
        }
    }
    return text;
}

std::map<std::string, std::vector<std::string>> parse_dump(const std::string& text)
{
    std::map<std::string, std::vector<std::string>> values;
    for_each_line(text, [&](std::string_view line, std::uint32_t) {
        const auto blank = line.find(' ');
        if (blank != line.npos) {
            values[std::string(line.substr(0, blank))].emplace_back(line.substr(blank + 1));
        }
    });
    return values;
}

/// What the words can change; the rest of the dump depends on the build.
std::map<std::string, std::vector<std::string>> compared(const std::map<std::string, std::vector<std::string>>& dump)
{
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& word : vocabulary()) {
        const auto* keyword = find_sshd_keyword(lower(word.keyword));
        const auto found = keyword == nullptr ? dump.end() : dump.find(std::string(keyword->name));
        if (found != dump.end()) {
            out[found->first] = found->second;
        }
    }
    return out;
}

std::map<std::string, std::vector<std::string>> ours(const SshdEffective& effective)
{
    std::map<std::string, std::vector<std::string>> out;
    for (const auto& [keyword, values] : effective.values) {
        for (const auto& value : values) {
            out[keyword].push_back(value.text);
        }
    }
    return compared(out);
}

class DifferentialSshd : public ::testing::Test {
protected:
    void SetUp() override
    {
        if (::getuid() != 0) {
            GTEST_SKIP() << "needs root: sshd wants /run/sshd, which a mount namespace gives it";
        }
        ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
        ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
        ASSERT_EQ(::mount("hostward-test", "/run", "tmpfs", 0, nullptr), 0);
        ASSERT_EQ(::mkdir("/run/sshd", 0755), 0);
        key_ = folder_.path() + "/key";
        const auto made = host::run_program({"/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key_}, {});
        ASSERT_TRUE(made) << made.error().text;
        ASSERT_EQ(made->exit_code, 0) << made->err;
        // The folder is /etc/ssh to sshd and, as an image, to us.
        ASSERT_EQ(::mkdir((folder_.path() + "/root").c_str(), 0755), 0);
        folder_.write("root/etc/ssh/sshd_config", "");
        folder_.write("root/etc/ssh/sshd_config.d/x", "");
        ASSERT_EQ(::mount((folder_.path() + "/root/etc/ssh").c_str(), "/etc/ssh", nullptr, MS_BIND, nullptr), 0);
    }

    host::Finished dump(const std::string& connection)
    {
        std::vector<std::string> argv{kSshd, "-T", "-f", "/etc/ssh/sshd_config", "-h", key_};
        if (!connection.empty()) {
            argv.insert(argv.end(), {"-C", connection});
        }
        auto outcome = host::run_program(argv, {});
        return outcome ? outcome.take() : host::Finished{-1, "", outcome.error().text};
    }

    e2e::Folder folder_;
    std::string key_;
};

TEST_F(DifferentialSshd, RandomConfigurations)
{
    Random random;
    SCOPED_TRACE("HOSTWARD_SEED=" + std::to_string(random.seed()));
    const std::vector<std::pair<std::string, SshdConnection>> connections{
        {"", {}},
        {"user=alice,host=www.example.com,addr=10.1.1.1,laddr=192.0.2.9,lport=22",
         {"alice", {}, "www.example.com", "10.1.1.1", "192.0.2.9", 22}},
        {"user=root,host=h,addr=2001:db8::5,laddr=192.0.3.9,lport=2222",
         {"root", {"root"}, "h", "2001:db8::5", "192.0.3.9", 2222}},
        {"user=bob,host=a.example.com,addr=192.0.2.1,laddr=::1,lport=22",
         {"bob", {}, "a.example.com", "192.0.2.1", "::1", 22}},
    };
    std::size_t refused = 0;
    for (std::size_t i = 0; i < e2e::rounds(kConfigurations); ++i) {
        const std::string first = random_file(random, {"sshd_config.d/b*"});
        const std::string second = random_file(random, {});
        const std::string main =
            random_file(random, {"sshd_config.d/*.conf", "/etc/ssh/sshd_config.d/b.conf nothing*"});
        folder_.write("root/etc/ssh/sshd_config.d/a.conf", first);
        folder_.write("root/etc/ssh/sshd_config.d/b.conf", second);
        folder_.write("root/etc/ssh/sshd_config", main);
        const auto& [spec, connection] = connections[random.below(connections.size())];
        SCOPED_TRACE("-C " + spec + "\n--- main\n" + main + "--- a.conf\n" + first + "--- b.conf\n" + second);

        const auto host = host::open_host(folder_.path() + "/root");
        ASSERT_TRUE(host);
        Facts facts(**host, 0);
        auto config = facts.get<SshdConfig>().value();
        config.version = "9.2";
        // Without -C sshd takes a connection of which nothing is known.
        const auto found = evaluate_sshd(config, &connection);
        const auto truth = dump(spec);
        if (spec.empty() && truth.err.find("not in connection test specification") != std::string::npos) {
            continue; // a Match on a port, which -T wants to be told
        }
        ASSERT_EQ(found.problems.empty(), truth.exit_code == 0)
            << truth.err << (found.problems.empty() ? "" : found.problems[0].text);
        if (truth.exit_code != 0) {
            ++refused;
            continue;
        }
        auto expected = compared(parse_dump(truth.out));
        auto given = ours(found);
        for (auto& list : expected["kexalgorithms"]) { // Debian's build has this name for it too
            const std::string extra = "sntrup761x25519-sha512,";
            const auto at = list.find(extra);
            list.erase(at == list.npos ? 0 : at, at == list.npos ? 0 : extra.size());
        }
        ASSERT_EQ(given, expected) << truth.err;
    }
    EXPECT_LT(refused, e2e::rounds(kConfigurations) / 2) << "most configurations should say something";
}

} // namespace
} // namespace hostward::hardening
