// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hostward::imds_sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Options> parse(std::vector<std::string_view> arguments) { return parse_options(arguments); }

TEST(Options, HaveTheServicesDefaults)
{
    const auto options = parse({}).take();
    EXPECT_THAT(options.listen, ElementsAre("169.254.169.254", "fd00:ec2::254"));
    EXPECT_EQ(options.port, 80);
    EXPECT_TRUE(options.settings.tokens_required);
    EXPECT_TRUE(options.settings.endpoint_enabled);
    EXPECT_EQ(options.settings.hop_limit, 1);
}

TEST(Options, TakeBothSpellings)
{
    const auto options = parse({"--listen",         "127.0.0.1,::1",
                                "--port=0",         "--http-tokens",
                                "optional",         "--hop-limit=64",
                                "--http-endpoint",  "disabled",
                                "--fault",          "slow=5",
                                "--fault=on=token", "--leaf",
                                "user-data=/f",     "--log=/l",
                                "--control",        "/c",
                                "--ready-fd",       "3",
                                "--tree",           "/t"});
    ASSERT_TRUE(options.ok()) << options.error().text;
    EXPECT_THAT(options->listen, ElementsAre("127.0.0.1", "::1"));
    EXPECT_EQ(options->port, 0);
    EXPECT_FALSE(options->settings.tokens_required);
    EXPECT_FALSE(options->settings.endpoint_enabled);
    EXPECT_EQ(options->settings.hop_limit, 64);
    EXPECT_EQ(options->settings.faults.slow_ms, 5);
    EXPECT_EQ(options->settings.faults.scope, FaultScope::Token);
    EXPECT_EQ(options->leaves.at(0).first, "user-data");
    EXPECT_EQ(options->leaves.at(0).second, "/f");
    EXPECT_EQ(options->ready_fd, 3);
    EXPECT_EQ(options->tree_file, "/t");
}

TEST(Options, SayWhatIsWrong)
{
    const auto refusal = [](std::vector<std::string_view> arguments) {
        const auto options = parse(std::move(arguments));
        return options.ok() ? "accepted" : options.error().text;
    };
    EXPECT_THAT(refusal({"--nonsense"}), HasSubstr("unknown argument \"--nonsense\""));
    EXPECT_THAT(refusal({"file"}), HasSubstr("unknown argument"));
    EXPECT_THAT(refusal({"--port"}), HasSubstr("--port needs a value"));
    EXPECT_THAT(refusal({"--port", "65536"}), HasSubstr("0 to 65535"));
    EXPECT_THAT(refusal({"--listen", "a,,b"}), HasSubstr("empty"));
    EXPECT_THAT(refusal({"--hop-limit", "0"}), HasSubstr("out of range"));
    EXPECT_THAT(refusal({"--http-tokens", "no"}), HasSubstr("http-tokens=required"));
    EXPECT_THAT(refusal({"--leaf", "user-data"}), HasSubstr("ITEM_PATH=FILE"));
    EXPECT_THAT(refusal({"--ready-fd", "-1"}), HasSubstr("descriptor"));
    EXPECT_THAT(refusal({"--list-trees=1"}), HasSubstr("takes no value"));
    EXPECT_THAT(refusal({"--builtin", "plain", "--tree", "f"}), HasSubstr("exclude each other"));
}

TEST(Options, HelpFitsATerminal)
{
    EXPECT_TRUE(parse({"--help"}).take().show_help);
    const std::string help = help_text();
    std::size_t from = 0;
    while (from < help.size()) {
        const auto end = help.find('\n', from);
        EXPECT_LT(end - from, 80U) << help.substr(from, end - from);
        from = end + 1;
    }
}

} // namespace
} // namespace hostward::imds_sim
