// SPDX-License-Identifier: Apache-2.0
#include "agent/report/nonce_file.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace hostward::report {
namespace {

using testing::HasSubstr;

class NonceFileTest : public testing::Test {
protected:
    NonceFileTest()
    {
        std::string name = testing::TempDir() + "nonces-XXXXXX";
        folder_ = ::mkdtemp(name.data());
    }
    ~NonceFileTest() override { std::filesystem::remove_all(folder_); }
    [[nodiscard]] std::string path() const { return folder_ + "/nonces"; }
    [[nodiscard]] std::string content() const
    {
        std::ifstream in(path());
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::string folder_;
};

TEST_F(NonceFileTest, TakesEachOnce)
{
    const NonceFile nonces(path());
    EXPECT_TRUE(nonces.take("1/i-1", "A", 100, 400));
    EXPECT_EQ(nonces.take("1/i-1", "A", 101, 401).error().kind, ErrorKind::Conflict);
    EXPECT_TRUE(nonces.take("1/i-1", "B", 101, 401));
    // Another instance cannot use up somebody's nonce.
    EXPECT_TRUE(nonces.take("1/i-2", "A", 101, 401));
    EXPECT_EQ(NonceFile(path()).take("1/i-2", "A", 102, 402).error().kind, ErrorKind::Conflict);
}

TEST_F(NonceFileTest, ForgetsOnlyWhatHasExpired)
{
    const NonceFile nonces(path());
    EXPECT_TRUE(nonces.take("1/i-1", "A", 100, 400));
    EXPECT_FALSE(nonces.take("1/i-1", "A", 400, 700));
    EXPECT_TRUE(nonces.take("1/i-1", "B", 401, 701));
    EXPECT_EQ(content(), "701 1/i-1 B\n");
}

TEST_F(NonceFileTest, AFileThatIsNotOursTakesNothing)
{
    for (const auto* text : {"x\n", "400 1/i-1", "400 1/i-1\n", "x 1/i-1 A\n", "400 1/i-1 A B\n", "\n"}) {
        std::ofstream(path()) << text;
        EXPECT_EQ(NonceFile(path()).take("1/i-1", "Z", 100, 400).error().kind, ErrorKind::Invalid) << text;
        EXPECT_EQ(content(), text);
    }
    EXPECT_THAT(NonceFile(folder_ + "/none/nonces").take("1/i-1", "Z", 100, 400).error().text,
                HasSubstr("cannot open"));
}

TEST_F(NonceFileTest, OfManyAtOnceOneGetsIt)
{
    std::atomic<int> taken = 0;
    std::vector<std::jthread> threads;
    for (int n = 0; n < 16; ++n) {
        threads.emplace_back([&] { taken += NonceFile(path()).take("1/i-1", "A", 100, 400) ? 1 : 0; });
    }
    threads.clear();
    EXPECT_EQ(taken, 1);
}

} // namespace
} // namespace hostward::report
