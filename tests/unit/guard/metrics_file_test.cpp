// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/metrics_file.h"

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace hostward::guard {
namespace {

namespace fs = std::filesystem;

class MetricsFileTest : public testing::Test {
protected:
    void SetUp() override
    {
        folder_ = testing::TempDir() + "metrics." + std::to_string(::getpid());
        fs::create_directories(folder_);
        fs::permissions(folder_, fs::perms(0755));
        // Some systems have a link in the way to their temporary folder.
        folder_ = fs::canonical(folder_);
        path_ = folder_ + "/hostward.prom";
    }
    void TearDown() override { fs::remove_all(folder_); }

    [[nodiscard]] static std::string read(const std::string& path)
    {
        std::ostringstream text;
        text << std::ifstream(path).rdbuf();
        return text.str();
    }
    [[nodiscard]] std::size_t entries() const
    {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
    }

    std::string folder_;
    std::string path_;
};

TEST_F(MetricsFileTest, ReplacesTheFileInOneStep)
{
    const mode_t before = ::umask(077);
    ASSERT_TRUE(write_metrics_file(path_, "a 1\n"));
    const std::ifstream old(path_); // a reader in the middle keeps the text that it began with
    ASSERT_TRUE(write_metrics_file(path_, "a 2\n"));
    (void)::umask(before);
    std::ostringstream text;
    text << old.rdbuf();
    EXPECT_EQ(text.str(), "a 1\n");
    EXPECT_EQ(read(path_), "a 2\n");
    EXPECT_EQ(fs::status(path_).permissions(), fs::perms(0644)) << "whatever the umask is";
    EXPECT_EQ(entries(), 1U) << "nothing else stays";
}

TEST_F(MetricsFileTest, IsNotMisledByWhatStandsThere)
{
    const std::string other = folder_ + "/other";
    std::ofstream(other) << "precious";
    fs::create_symlink(other, path_);
    fs::create_symlink(other, folder_ + "/.hostward.prom.new");
    ASSERT_TRUE(write_metrics_file(path_, "a 1\n"));
    EXPECT_EQ(read(other), "precious");
    EXPECT_FALSE(fs::is_symlink(path_));
    EXPECT_EQ(read(path_), "a 1\n");
}

TEST_F(MetricsFileTest, RefusesAFolderThatOthersWriteIn)
{
    for (const unsigned mode : {0775U, 0757U, 01777U}) {
        fs::permissions(folder_, fs::perms(mode));
        const auto written = write_metrics_file(path_, "a 1\n");
        ASSERT_FALSE(written) << std::oct << mode;
        EXPECT_EQ(written.error().kind, ErrorKind::Denied);
        EXPECT_NE(written.error().text.find("is writable by"), std::string::npos) << written.error().text;
        EXPECT_EQ(entries(), 0U);
    }
}

TEST_F(MetricsFileTest, RefusesALinkOnTheWay)
{
    fs::create_directory(folder_ + "/real");
    fs::create_directory_symlink(folder_ + "/real", folder_ + "/link");
    EXPECT_FALSE(write_metrics_file(folder_ + "/link/a.prom", "a 1\n"));
    EXPECT_FALSE(remove_metrics_file(folder_ + "/link/a.prom"));
    EXPECT_TRUE(write_metrics_file(folder_ + "/real/a.prom", "a 1\n"));
}

TEST_F(MetricsFileTest, KeepsWhatStoodThereOnError)
{
    fs::create_directories(path_); // cannot be replaced by a file
    EXPECT_FALSE(write_metrics_file(path_, "a 1\n"));
    EXPECT_TRUE(fs::is_directory(path_));
    EXPECT_EQ(entries(), 1U);
    EXPECT_EQ(write_metrics_file(folder_ + "/none/a.prom", "a 1\n").error().kind, ErrorKind::NotFound);
}

TEST_F(MetricsFileTest, RemovesIt)
{
    ASSERT_TRUE(write_metrics_file(path_, "a 1\n"));
    EXPECT_TRUE(remove_metrics_file(path_));
    EXPECT_FALSE(fs::exists(path_));
    EXPECT_TRUE(remove_metrics_file(path_)) << "nothing there";
}

TEST_F(MetricsFileTest, OfTheAgentMovesWithThePolicy)
{
    Options nothing_loaded;
    nothing_loaded.pin_dir = folder_ + "/pins";
    nothing_loaded.run_dir = folder_ + "/run";
    MetricsFile file(nothing_loaded);
    EXPECT_FALSE(file.is_wanted());
    EXPECT_EQ(file.move_to(path_), "");
    EXPECT_TRUE(file.is_wanted());
    EXPECT_EQ(file.write({}), "");
    EXPECT_NE(read(path_).find("hostward_guard_loaded 0\n"), std::string::npos) << read(path_);
    const std::string next = folder_ + "/next.prom";
    EXPECT_EQ(file.move_to(next), "");
    EXPECT_FALSE(fs::exists(path_)) << "nobody keeps it up to date any more";
    fs::permissions(folder_, fs::perms(0777));
    EXPECT_NE(file.write({}).find("continuing without metrics"), std::string::npos);
    EXPECT_EQ(file.write({}), "") << "said once";
    fs::permissions(folder_, fs::perms(0755));
    EXPECT_EQ(file.write({}), "the metrics are written again");
    EXPECT_EQ(file.move_to(""), "");
    EXPECT_FALSE(fs::exists(next));
}

} // namespace
} // namespace hostward::guard
