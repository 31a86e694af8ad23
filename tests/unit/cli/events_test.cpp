// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/event_reader.h"
#include "agent/cli/event_view.h"
#include "agent/cli/output.h"

#include <gtest/gtest.h>

#include <fcntl.h>
#include <signal.h>

#include <array>
#include <filesystem>
#include <fstream>

namespace hostward::cli {
namespace {

namespace fs = std::filesystem;

/// A run_dir of the test's own, gone with it.
class EventReading : public testing::Test {
protected:
    EventReading()
    {
        std::string name = (fs::temp_directory_path() / "hostward-events-XXXXXX").string();
        dir_ = ::mkdtemp(name.data()) == nullptr ? "" : name;
    }
    ~EventReading() override { fs::remove_all(dir_); }
    void SetUp() override { ASSERT_FALSE(dir_.empty()); }

    void append(const std::string& text) const { std::ofstream(dir_ / "events.jsonl", std::ios::app) << text; }
    /// As the writer does it: renamed, then made anew with the next line.
    void rotate() const { fs::rename(dir_ / "events.jsonl", dir_ / "events.jsonl.1"); }

    [[nodiscard]] EventReader open() const
    {
        auto reader = EventReader::open(dir_);
        EXPECT_TRUE(reader.ok()) << (reader.ok() ? "" : reader.error().text);
        return reader.take();
    }
    static std::vector<std::string> read_all(EventReader& reader)
    {
        std::vector<std::string> lines;
        for (int i = 0; i < 1000; ++i) {
            auto line = reader.next();
            EXPECT_TRUE(line.ok());
            if (!line || !*line) {
                break;
            }
            lines.push_back(**line);
        }
        return lines;
    }
    using Lines = std::vector<std::string>;

    fs::path dir_;
};

TEST_F(EventReading, TellsThatThereIsNoFile)
{
    const auto reader = EventReader::open(dir_);
    ASSERT_FALSE(reader.ok());
    EXPECT_EQ(reader.error().kind, ErrorKind::NotFound);
}

TEST_F(EventReading, ReadsTheRotatedFileFirst)
{
    append("1\n2\n");
    rotate();
    append("3\n");
    EventReader reader = open();
    EXPECT_EQ(read_all(reader), (Lines{"1", "2", "3"}));
    append("4\n");
    EXPECT_EQ(read_all(reader), Lines{"4"});
}

TEST_F(EventReading, WaitsForTheEndOfALine)
{
    append("1\nha");
    EventReader reader = open();
    EXPECT_EQ(read_all(reader), Lines{"1"});
    append("lf\n");
    EXPECT_EQ(read_all(reader), Lines{"half"});
}

TEST_F(EventReading, FollowsARotation)
{
    append("1\n");
    EventReader reader = open();
    EXPECT_EQ(read_all(reader), Lines{"1"});
    append("2\n");
    rotate();
    EXPECT_EQ(read_all(reader), Lines{"2"}) << "the new file does not exist yet";
    append("3\n");
    EXPECT_EQ(read_all(reader), Lines{"3"});
}

TEST_F(EventReading, FollowsTwoRotationsAtOnce)
{
    append("1\n");
    EventReader reader = open();
    EXPECT_EQ(read_all(reader), Lines{"1"});
    append("2\n");
    rotate();
    append("3\n");
    rotate();
    append("4\n");
    EXPECT_EQ(read_all(reader), (Lines{"2", "3", "4"}));
}

TEST_F(EventReading, DropsALineThatIsTooLong)
{
    append("1\n" + std::string(3 * EventReader::kLineBytesMax, 'x') + "\n2\n");
    EventReader reader = open();
    EXPECT_EQ(read_all(reader), (Lines{"1", "2"}));
    EXPECT_EQ(reader.dropped(), 1U);
}

TEST_F(EventReading, DoesNotFollowASymbolicLink)
{
    std::ofstream(dir_ / "secret") << "1\n";
    fs::create_symlink(dir_ / "secret", dir_ / "events.jsonl");
    EXPECT_FALSE(EventReader::open(dir_).ok());
}

constexpr const char* kEvent =
    R"({"time":"2026-11-21T02:00:03.456Z","count":3,"decision":"deny","reason":"default","rule":null,)"
    R"("endpoint":"imds","hook":"connect4","protocol":"tcp","uid":1000,"euid":0,"user":"alice","exe":"/usr/bin/curl",)"
    R"("cgroup":"/system.slice/a.service","unit":"a.service","pid":321,"container":true})";

TEST(EventText, IsOneReadableLine)
{
    EXPECT_EQ(event_text(kEvent), "2026-11-21T02:00:03.456Z deny       alice as uid 0 with /usr/bin/curl in a.service "
                                  "(container) -> imds (default, connect4, tcp, pid 321) x3");
}

TEST(EventText, NamesTheContainer)
{
    const std::string line = R"({"decision":"deny","uid":0,"unit":"docker-3f2a.scope","container":true,)"
                             R"("container_runtime":"docker","container_id":"3f2a9c4be1d07865","pod_uid":"0a-1b"})";
    EXPECT_NE(
        event_text(line).value_or("").find(" in docker-3f2a.scope (docker container 3f2a9c4be1d0, pod 0a-1b) -> "),
        std::string::npos)
        << event_text(line).value_or("");
    EXPECT_NE(event_text(R"({"decision":"deny","uid":0,"container":true})").value_or("").find(" in a container -> "),
              std::string::npos);
}

TEST(EventText, SaysWhatIsNotKnown)
{
    EXPECT_EQ(event_text(R"({"time":"t","count":1,"decision":"deny","reason":"forwarded","hook":"tc","uid":null})"),
              "t deny       no local caller with unknown program -> unknown endpoint (forwarded, tc)");
    EXPECT_EQ(event_text(R"({"time":"t","count":1,"decision":"allow","rule":"r","hook":"egress","uid":7})"),
              "t allow      uid 7 with unknown program -> unknown endpoint (rule r, egress)");
}

TEST(EventText, IsNotFooledByForeignLines)
{
    for (const char* line : {"", "{", "[]", "7", "null", "{}", R"({"decision":7.5})", R"({"decision":["deny"]})",
                             "{\"decision\":\"deny\xff\"}"}) {
        EXPECT_EQ(event_text(line), std::nullopt) << line;
    }
    EXPECT_TRUE(is_event("{}"));
    EXPECT_FALSE(is_event("[]"));
}

TEST(EventText, LetsNothingReachTheTerminal)
{
    const auto text =
        event_text(R"({"decision":"deny","uid":1,"user":"a\u001b]0;x\u0007","exe":"/b\n\u202e","time":"t"})");
    ASSERT_TRUE(text);
    for (const char c : *text) {
        EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) < 0x7f) << *text;
    }
    EXPECT_NE(text->find("a\\x1b]0;x\\x07"), std::string::npos) << *text;
}

TEST(EventText, DoesNotEscapeTwice)
{
    const auto text = event_text(R"({"decision":"deny","uid":1,"exe":"/a\\x0a\\\"b","time":"t"})");
    ASSERT_TRUE(text);
    EXPECT_NE(text->find(R"(/a\x0a\"b)"), std::string::npos) << *text;
}

TEST(OutputTest, AFullDiskIsAnError)
{
    Output out(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    out.print_line("x");
    EXPECT_TRUE(out.failed());
    EXPECT_FALSE(out.reader_is_gone());
    const auto status = out.finish();
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().error_number, ENOSPC);
}

TEST(OutputTest, AReaderThatLeftIsNoticed)
{
    ASSERT_NE(::signal(SIGPIPE, SIG_IGN), SIG_ERR);
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    ASSERT_EQ(::close(ends[0]), 0);
    Output out(ends[1]);
    out.print("x");
    EXPECT_TRUE(out.reader_is_gone());
    EXPECT_FALSE(out.finish().ok());
}

TEST(OutputTest, AClosedDescriptorIsAnError)
{
    Output out(-1);
    EXPECT_FALSE(out.finish().ok());
}

TEST(OutputTest, WritesEverything)
{
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const UniqueFd in(ends[0]);
    Output out(ends[1]);
    out.print("a");
    out.print_line("b");
    EXPECT_TRUE(out.finish().ok());
    std::array<char, 16> buffer{};
    EXPECT_EQ(::read(in.get(), buffer.data(), buffer.size()), 3);
    EXPECT_EQ(std::string(buffer.data()), "ab\n");
}

} // namespace
} // namespace hostward::cli
