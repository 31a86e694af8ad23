// SPDX-License-Identifier: Apache-2.0
#include "agent/host/host.h"

#include <gmock/gmock.h>

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace hostward::host {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class HostTest : public ::testing::Test {
protected:
    void SetUp() override
    {
        std::string pattern = (fs::temp_directory_path() / "hostward-host-XXXXXX").string();
        root_ = ::mkdtemp(pattern.data());
        fs::create_directories(root_ / "etc");
        auto opened = open_host(root_);
        ASSERT_TRUE(opened.ok());
        host_ = opened.take();
    }
    void TearDown() override { fs::remove_all(root_); }

    void write(const std::string& path, const std::string& text) { std::ofstream(root_ / path) << text; }

    fs::path root_;
    std::unique_ptr<Host> host_;
};

TEST_F(HostTest, AnImageRunsNothing)
{
    EXPECT_FALSE(host_->is_running());
    EXPECT_EQ(host_->run({"/bin/true"}).error().kind, ErrorKind::Unsupported);
    fs::create_directories(root_ / "proc/sys");
    write("proc/sys/x", "1");
    EXPECT_EQ(read_kernel(*host_, "/proc/sys/x").error().kind, ErrorKind::Unsupported);
}

TEST_F(HostTest, LinksNeverLeadOutOfTheRoot)
{
    write("etc/passwd", "inside");
    fs::create_symlink("/etc/passwd", root_ / "absolute");
    fs::create_symlink("../../../../../../../../etc/passwd", root_ / "up");
    fs::create_symlink("loop", root_ / "loop");
    EXPECT_EQ(host_->read("/absolute").value(), "inside");
    EXPECT_EQ(host_->read("/up").value(), "inside");
    EXPECT_EQ(host_->read("/../etc/passwd").value(), "inside");
    EXPECT_EQ(host_->read("/loop").error().error_number, ELOOP);
    EXPECT_EQ(host_->link_target("/absolute").value(), "/etc/passwd");
    EXPECT_EQ(host_->facts("/absolute", Links::Keep).value().type, FileType::Symlink);
}

TEST_F(HostTest, OnlyRegularFilesAreOpened)
{
    ASSERT_EQ(::mkfifo((root_ / "fifo").c_str(), 0600), 0);
    EXPECT_THAT(host_->read("/fifo").error().text, HasSubstr("not a regular file"));
    EXPECT_THAT(host_->read("/etc").error().text, HasSubstr("not a regular file"));
    EXPECT_EQ(host_->facts("/fifo").value().type, FileType::Fifo);
}

TEST_F(HostTest, ALargeSparseFileIsAnErrorNotMemory)
{
    write("big", "x");
    fs::resize_file(root_ / "big", std::uintmax_t{1} << 40);
    EXPECT_EQ(host_->read("/big").error().kind, ErrorKind::Exhausted);
    EXPECT_EQ(host_->read("/big", 10).error().kind, ErrorKind::Exhausted);
}

TEST_F(HostTest, AbsentIsNotFound)
{
    write("file", "x");
    EXPECT_EQ(host_->read("/none").error().kind, ErrorKind::NotFound);
    EXPECT_EQ(host_->read("/file/below").error().kind, ErrorKind::NotFound);
    EXPECT_EQ(host_->list("/none").error().kind, ErrorKind::NotFound);
    EXPECT_EQ(host_->read("relative").error().kind, ErrorKind::Invalid);
    EXPECT_FALSE(exists(*host_, "/none").value());
    EXPECT_TRUE(exists(*host_, "/file").value());
}

TEST_F(HostTest, NamesComeSortedWhateverTheyHold)
{
    write("etc/b", "");
    write("etc/a\nb", "");
    write("etc/.hidden", "");
    EXPECT_THAT(host_->list("/etc").value(), ElementsAre(".hidden", "a\nb", "b"));
}

class RunTest : public ::testing::Test {
protected:
    Result<Finished> run(const std::vector<std::string>& argv, const RunLimits& limits = {})
    {
        auto host = open_host();
        return host.ok() ? host.value()->run(argv, limits) : Result<Finished>(host.error());
    }
};

TEST_F(RunTest, OutputAndCodeArrive)
{
    const auto done = run({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"});
    ASSERT_TRUE(done.ok());
    EXPECT_EQ(done.value().out, "out\n");
    EXPECT_EQ(done.value().err, "err\n");
    EXPECT_EQ(done.value().exit_code, 3);
    EXPECT_EQ(run({"/bin/sh", "-c", "kill -9 $$"}).value().exit_code, 137);
}

TEST_F(RunTest, TheEnvironmentIsOurs)
{
    ::setenv("HOSTWARD_SECRET", "x", 1); // NOLINT(concurrency-mt-unsafe): the test has one thread
    EXPECT_EQ(run({"/usr/bin/env"}).value().out, "LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
}

TEST_F(RunTest, NothingIsLeftAfterTheTimeout)
{
    const RunLimits limits{.timeout = std::chrono::milliseconds(200)};
    EXPECT_EQ(run({"/bin/sleep", "60"}, limits).error().kind, ErrorKind::Exhausted);
    // Closing the output is not ending.
    EXPECT_EQ(run({"/bin/sh", "-c", "exec >&- 2>&-; sleep 60"}, limits).error().kind, ErrorKind::Exhausted);
    // A child that holds the output open ends with its group.
    EXPECT_EQ(run({"/bin/sh", "-c", "sleep 60 & exit 0"}, limits).error().kind, ErrorKind::Exhausted);
}

TEST_F(RunTest, EndlessOutputIsAnError)
{
    const RunLimits limits{.timeout = std::chrono::seconds(20), .output_bytes_max = 100000};
    EXPECT_THAT(run({"/usr/bin/yes"}, limits).error().text, HasSubstr("printed more than"));
}

TEST_F(RunTest, NoSuchProgramIsNotFound)
{
    EXPECT_EQ(run({"/usr/bin/no-such-program"}).error().kind, ErrorKind::NotFound);
    EXPECT_EQ(run({"relative"}).error().kind, ErrorKind::Invalid);
    EXPECT_EQ(run({}).error().kind, ErrorKind::Invalid);
}

} // namespace
} // namespace hostward::host
