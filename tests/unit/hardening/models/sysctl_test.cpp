// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sysctl.h"

#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::IsNull;
using ::testing::NotNull;

constexpr auto kForward = "net/ipv4/ip_forward";

std::string boot_value(const host::MemoryHost& host, const std::string& key)
{
    Facts facts(host, 0);
    const auto& config = facts.get<SysctlConfig>();
    EXPECT_TRUE(config.ok()) << config.error().text;
    const auto* setting = config.ok() ? config->at_boot(key) : nullptr;
    return setting == nullptr ? "unset" : *setting->value + " " + setting->where.text();
}

struct Case {
    const char* name;
    std::vector<std::pair<std::string, std::string>> files; ///< text beginning with "->": a link
    std::string key;
    std::string expected;
};

class SysctlFiles : public testing::TestWithParam<Case> {};

TEST_P(SysctlFiles, BootValue)
{
    host::MemoryHost host;
    for (const auto& [path, text] : GetParam().files) {
        text.starts_with("->") ? host.link(path, text.substr(2)) : host.file(path, text);
    }
    EXPECT_EQ(boot_value(host, GetParam().key), GetParam().expected);
}

const std::vector<Case> kCases{
    {"Absent", {}, kForward, "unset"},
    {"Empty", {{"/etc/sysctl.d/a.conf", ""}}, kForward, "unset"},
    {"CommentsOnly",
     {{"/etc/sysctl.d/a.conf", "#net.ipv4.ip_forward=0\n ; net.ipv4.ip_forward=0\n"}},
     kForward,
     "unset"},
    {"Malformed", {{"/etc/sysctl.d/a.conf", "net.ipv4.ip_forward\n=1\n\0\n"}}, kForward, "unset"},
    {"BadEarlyGoodLate",
     {{"/etc/sysctl.d/10-a.conf", "net.ipv4.ip_forward=1\n"}, {"/etc/sysctl.d/20-b.conf", "net.ipv4.ip_forward = 0\n"}},
     kForward,
     "0 /etc/sysctl.d/20-b.conf:1"},
    {"GoodEarlyBadLate",
     {{"/etc/sysctl.d/10-a.conf", "net.ipv4.ip_forward=0\n"},
      {"/usr/lib/sysctl.d/20-b.conf", "net.ipv4.ip_forward=1\n"}},
     kForward,
     "1 /usr/lib/sysctl.d/20-b.conf:1"},
    {"DashIgnoresFailure",
     {{"/etc/sysctl.d/a.conf", "-net.ipv4.ip_forward=0\n"}},
     kForward,
     "0 /etc/sysctl.d/a.conf:1"},
    {"BadFileMasked",
     {{"/etc/sysctl.d/90-b.conf", "->/dev/null"},
      {"/etc/sysctl.d/10-a.conf", "net.ipv4.ip_forward=0\n"},
      {"/usr/lib/sysctl.d/90-b.conf", "net.ipv4.ip_forward=1\n"}},
     kForward,
     "0 /etc/sysctl.d/10-a.conf:1"},
    {"SameNameInEtcWins",
     {{"/etc/sysctl.d/50.conf", "net.ipv4.ip_forward=0\n"}, {"/run/sysctl.d/50.conf", "net.ipv4.ip_forward=1\n"}},
     kForward,
     "0 /etc/sysctl.d/50.conf:1"},
    {"SlashKey", {{"/etc/sysctl.d/a.conf", "net/ipv4/ip_forward=0\n"}}, kForward, "0 /etc/sysctl.d/a.conf:1"},
    {"Pattern",
     {{"/etc/sysctl.d/a.conf", "net.ipv4.conf.*.rp_filter = 1\n"}},
     "net/ipv4/conf/default/rp_filter",
     "1 /etc/sysctl.d/a.conf:1"},
    {"PatternStopsAtSlash",
     {{"/etc/sysctl.d/a.conf", "net.*.rp_filter = 1\n"}},
     "net/ipv4/conf/all/rp_filter",
     "unset"},
    {"NamedKeyBeatsLaterPattern",
     {{"/etc/sysctl.d/a.conf", "net.ipv4.conf.all.rp_filter=2\nnet.ipv4.conf.*.rp_filter=1\n"}},
     "net/ipv4/conf/all/rp_filter",
     "2 /etc/sysctl.d/a.conf:1"},
    {"DashKeyExcludesFromPattern",
     {{"/etc/sysctl.d/a.conf", "net.ipv4.conf.*.rp_filter=1\n-net.ipv4.conf.all.rp_filter\n"}},
     "net/ipv4/conf/all/rp_filter",
     "unset"},
    {"BraceInPattern",
     {{"/etc/sysctl.d/a.conf", "net.ipv4.conf.{all,d*}.rp_filter=1\n"}},
     "net/ipv4/conf/default/rp_filter",
     "1 /etc/sysctl.d/a.conf:1"},
    {"DotInInterface",
     {{"/etc/sysctl.d/a.conf", "net.ipv4.conf.eth0/100.rp_filter=1\n"}},
     "net/ipv4/conf/eth0.100/rp_filter",
     "1 /etc/sysctl.d/a.conf:1"},
    {"TrailingCommentIsPartOfTheValue",
     {{"/etc/sysctl.d/a.conf", "net.ipv4.ip_forward=0 # no router\n"}},
     kForward,
     "0 # no router /etc/sysctl.d/a.conf:1"},
    {"SysctlConfAloneIsNotRead", {{"/etc/sysctl.conf", "net.ipv4.ip_forward=0\n"}}, kForward, "unset"},
    {"SysctlConfThroughDebiansLink",
     {{"/etc/sysctl.d/99-sysctl.conf", "->../sysctl.conf"}, {"/etc/sysctl.conf", "\nnet.ipv4.ip_forward=0\n"}},
     kForward,
     "0 /etc/sysctl.d/99-sysctl.conf:2"},
    {"DanglingLinkHides",
     {{"/etc/sysctl.d/a.conf", "->/nowhere"}, {"/usr/lib/sysctl.d/a.conf", "net.ipv4.ip_forward=0\n"}},
     kForward,
     "unset"},
    {"OtherSuffixesAreNotRead", {{"/etc/sysctl.d/a.conf.bak", "net.ipv4.ip_forward=0\n"}}, kForward, "unset"},
    {"UfwWritesLast",
     {{"/etc/sysctl.d/a.conf", "net.ipv4.ip_forward=0\n"},
      {"/etc/ufw/ufw.conf", "ENABLED=yes\n"},
      {"/etc/default/ufw", "IPT_SYSCTL=/etc/ufw/sysctl.conf\n"},
      {"/etc/ufw/sysctl.conf", "net/ipv4/ip_forward=1\n"}},
     kForward,
     "1 /etc/ufw/sysctl.conf:1"},
    {"UfwIsOff",
     {{"/etc/sysctl.d/a.conf", "net.ipv4.ip_forward=0\n"},
      {"/etc/ufw/ufw.conf", "ENABLED=no\n"},
      {"/etc/default/ufw", "IPT_SYSCTL=/etc/ufw/sysctl.conf\n"},
      {"/etc/ufw/sysctl.conf", "net/ipv4/ip_forward=1\n"}},
     kForward,
     "0 /etc/sysctl.d/a.conf:1"},
};
INSTANTIATE_TEST_SUITE_P(Cases, SysctlFiles, testing::ValuesIn(kCases), [](const auto& one) { return one.param.name; });

TEST(Sysctl, AnUnreadableFileIsAnError)
{
    host::MemoryHost host;
    host.file("/etc/sysctl.d/a.conf", "");
    host.broken("/etc/sysctl.d/a.conf", Error{ErrorKind::Denied, 13, "denied"});
    Facts facts(host, 0);
    EXPECT_FALSE(facts.get<SysctlConfig>().ok());
}

TEST(Sysctl, RunningValueAbsentParameterAndImage)
{
    host::MemoryHost host;
    host.file("/proc/sys/net/ipv4/ip_forward", "0\n").file("/proc/sys/kernel/core_pattern", "|/x %p\n");
    EXPECT_EQ(running_sysctl(host, kForward).value(), "0");
    EXPECT_EQ(running_sysctl(host, "kernel/core_pattern").value(), "|/x %p");
    EXPECT_EQ(running_sysctl(host, "kernel/yama/ptrace_scope").value(), std::nullopt);
    host.image();
    EXPECT_EQ(running_sysctl(host, kForward).error().kind, ErrorKind::Unsupported);
}

TEST(Sysctl, ManyAlternativesEnd)
{
    SysctlConfig config;
    config.add({"{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}*", "1", Origin{"f", 1}});
    EXPECT_THAT(config.at_boot("zzz"), IsNull());
    config.add({"{*", "1", Origin{"f", 1}});
    EXPECT_THAT(config.at_boot("{z"), NotNull());
}

} // namespace
} // namespace hostward::hardening
