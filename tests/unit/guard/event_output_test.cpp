// SPDX-License-Identifier: Apache-2.0
// Event lines on their way to the file and to a journal, which here is a socket of the test's own.
#include "agent/guard/event_output.h"
#include "tests/unit/host/temp_tree.h"

#include <gmock/gmock.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>

namespace hostward::guard {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::uint64_t kSecond = 1'000'000'000;
const std::string kLine = R"({"decision":"deny","user":"curious"})";

/// The receiving end of the journal's protocol.
class Journal {
public:
    explicit Journal(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
        (void)::unlink(path.c_str()); // of a journal before
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0)
            << std::strerror(errno);
    }
    /// The oldest entry that nobody has taken; empty: none.
    [[nodiscard]] std::string take() const
    {
        std::array<char, 65536> buffer{};
        const auto size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        return size < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
    }

private:
    UniqueFd socket_;
};

class EventOutputTest : public testing::Test {
protected:
    EventOutputTest()
    {
        tree_.write("run/x", "");
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
        reader_ = UniqueFd(ends[0]);
        writer_ = UniqueFd(ends[1]);
    }
    EventOutput open(const std::string& journal)
    {
        auto output = EventOutput::open(tree_.path("run"), {writer_.get(), journal});
        EXPECT_TRUE(output) << output.error().text;
        return output.take();
    }
    [[nodiscard]] std::string printed() const
    {
        std::array<char, 65536> buffer{};
        const auto size = ::read(reader_.get(), buffer.data(), buffer.size());
        return size < 0 ? "" : std::string(buffer.data(), static_cast<std::size_t>(size));
    }
    [[nodiscard]] std::string in_file() const
    {
        std::ifstream file(tree_.path("run/events.jsonl"));
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void fill_pipe() const
    {
        const std::string page(4096, 'x');
        while (::write(writer_.get(), page.data(), page.size()) > 0) {
        }
    }

    host::TempTree tree_;
    UniqueFd reader_;
    UniqueFd writer_;
    std::string socket_ = tree_.path("journal");
};

TEST_F(EventOutputTest, WhereNoJournalIsPlainLinesArePrinted)
{
    auto output = open("");
    EXPECT_THAT(output.write(kLine, kSecond), IsEmpty());
    EXPECT_EQ(printed(), kLine + "\n");
    EXPECT_EQ(in_file(), kLine + "\n");
}

TEST_F(EventOutputTest, TheJournalGetsFieldsAndStandardOutputNothing)
{
    const Journal journal(socket_);
    auto output = open(socket_);
    EXPECT_THAT(output.write(kLine, kSecond), IsEmpty());
    const std::string entry = journal.take();
    EXPECT_THAT(entry, StartsWith("MESSAGE=" + kLine + "\n"));
    EXPECT_THAT(entry, HasSubstr("\nHOSTWARD_USER=curious\n"));
    EXPECT_EQ(journal.take(), "") << "once";
    EXPECT_EQ(printed(), "");
    EXPECT_EQ(in_file(), kLine + "\n");
    EXPECT_EQ(output.lost_live(), 0U);
}

TEST_F(EventOutputTest, AJournalThatIsNotThereCostsTheFieldsAndNoLine)
{
    auto output = open(socket_);
    EXPECT_THAT(output.write(kLine, kSecond), ElementsAre(HasSubstr("continuing with lines without fields")));
    EXPECT_THAT(output.write(kLine, 2 * kSecond), IsEmpty()) << "once a minute";
    EXPECT_EQ(printed(), kLine + "\n" + kLine + "\n");
    EXPECT_THAT(output.write(kLine, 62 * kSecond), ElementsAre(HasSubstr("without fields")));
    const Journal journal(socket_);
    EXPECT_THAT(output.write(kLine, 63 * kSecond), IsEmpty());
    EXPECT_THAT(journal.take(), StartsWith("MESSAGE=")) << "a journal that comes later is found";
    EXPECT_EQ(output.lost_live(), 0U);
}

TEST_F(EventOutputTest, AJournalThatDoesNotReadIsNotWaitedFor)
{
    const Journal journal(socket_);
    auto output = open(socket_);
    std::vector<std::string> log;
    int written = 0;
    for (; log.empty() && written < 100'000; ++written) {
        log = output.write(kLine, kSecond);
    }
    EXPECT_THAT(log, ElementsAre(HasSubstr("continuing with lines without fields")));
    EXPECT_EQ(printed(), kLine + "\n") << "the first one without room";
    int taken = 0;
    while (!journal.take().empty()) {
        ++taken;
    }
    EXPECT_EQ(taken + 1, written) << "every line came one way or the other";
}

TEST_F(EventOutputTest, WhatNobodyReadsIsCountedAndSaidWhenSomebodyDoes)
{
    for (const std::string& journal : {std::string(), socket_}) {
        fill_pipe();
        auto output = open(journal);
        EXPECT_THAT(output.write(kLine, kSecond), IsEmpty()) << "standard error may have the same reader";
        EXPECT_THAT(output.write(kLine, kSecond), IsEmpty());
        EXPECT_EQ(output.lost_live(), 2U);
        EXPECT_EQ(output.lost_in_file(), 0U);
        while (!printed().empty()) {
        }
        EXPECT_THAT(output.write(kLine, 2 * kSecond),
                    testing::Contains("standard output: events are written again, lines lost: 2"));
        EXPECT_EQ(printed(), kLine + "\n");
        EXPECT_EQ(output.lost_live(), 2U);
    }
}

TEST_F(EventOutputTest, APathThatNoSocketCanHaveIsRefused)
{
    EXPECT_FALSE(EventOutput::open(tree_.path("run"), {writer_.get(), std::string(200, 'x')}));
}

} // namespace
} // namespace hostward::guard
