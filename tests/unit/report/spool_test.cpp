// SPDX-License-Identifier: Apache-2.0
#include "agent/report/spool.h"

#include "agent/report/spool_file.h"

#include <gmock/gmock.h>

#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace hostward::report {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kPlenty = 1 << 20;

std::string read_file(const fs::path& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

/// A report whose posture is `posture`: one finding of that verdict.
Report make_report(std::uint64_t sequence, const std::string& posture = "pass", std::size_t padding = 0)
{
    Report out;
    out.id = "01HZZZZZZZZZZZZZZZZZZZZZ" + std::to_string(10 + sequence);
    out.sequence = sequence;
    out.created_s = 1'800'000'000;
    out.bytes = R"({"checks":[{"profile":{"id":"p"},"findings":[{"number":"1","verdict":")" + posture +
                R"("}]}],"padding":")" + std::string(padding, 'x') + "\"}";
    out.identity.account_id = "123456789012";
    out.identity.instance_id = "i-0123456789abcdef0";
    return out;
}

class SpoolTest : public testing::Test {
protected:
    void SetUp() override
    {
        std::string name = (fs::temp_directory_path() / "spool.XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        root_ = name;
    }
    void TearDown() override { fs::remove_all(root_); }

    Spool open(std::uint64_t bytes_max = kPlenty)
    {
        auto spool = Spool::open(folder(), bytes_max);
        EXPECT_TRUE(spool.ok()) << spool.error().text;
        return spool.take();
    }
    [[nodiscard]] std::string folder() const { return (root_ / "state/spool").string(); }
    [[nodiscard]] fs::path file_of(const Report& report) const
    {
        return fs::path(folder()) / "reports" / spool_name(report);
    }

    fs::path root_;
};

TEST_F(SpoolTest, KeepsReportsUntilEverySinkHasThem)
{
    Spool spool = open();
    ASSERT_EQ(spool.next_sequence(), 1U);
    const Report first = make_report(1);
    const Report second = make_report(2);
    ASSERT_TRUE(spool.add(first));
    ASSERT_TRUE(spool.add(second));
    EXPECT_THAT(*spool.waiting_for("a"), ElementsAre(first.id, second.id));
    ASSERT_TRUE(spool.confirm("a", first.id));
    EXPECT_THAT(*spool.waiting_for("a"), ElementsAre(second.id));
    ASSERT_TRUE(spool.clean({"a", "b"}));
    EXPECT_THAT(*spool.waiting_for("b"), ElementsAre(first.id, second.id));
    ASSERT_TRUE(spool.confirm("b", first.id));
    ASSERT_TRUE(spool.clean({"a", "b"}));
    EXPECT_THAT(*spool.waiting_for("b"), ElementsAre(second.id));
    EXPECT_FALSE(fs::exists(file_of(first)));
    EXPECT_EQ(spool.read(first.id).error().kind, ErrorKind::NotFound);
    EXPECT_THAT(spool.take_notes(), IsEmpty());
}

TEST_F(SpoolTest, SurvivesReopening)
{
    const Report report = make_report(1);
    ASSERT_TRUE(open().add(report));
    {
        Spool again = open();
        EXPECT_EQ(again.next_sequence(), 2U);
        const auto read = again.read(report.id);
        ASSERT_TRUE(read) << read.error().text;
        EXPECT_EQ(read->bytes, report.bytes);
        EXPECT_EQ(read->identity.account_id, report.identity.account_id);
        EXPECT_EQ(read->created_s, report.created_s);
        ASSERT_TRUE(again.confirm("a", report.id));
        ASSERT_TRUE(again.clean({"a"}));
    }
    EXPECT_EQ(open().next_sequence(), 2U); // though no report is there
}

TEST_F(SpoolTest, NoNumberTwice)
{
    Spool spool = open();
    ASSERT_TRUE(spool.add(make_report(5)));
    EXPECT_EQ(spool.add(make_report(5)).error().kind, ErrorKind::Conflict);
    EXPECT_EQ(spool.add(make_report(4)).error().kind, ErrorKind::Conflict);
    Report odd = make_report(6);
    odd.id = "../../etc/x";
    EXPECT_EQ(spool.add(odd).error().kind, ErrorKind::Invalid);
}

TEST_F(SpoolTest, AClockThatWasSetBackLosesNothing)
{
    Spool spool = open();
    Report first = make_report(1);
    Report second = make_report(2);
    std::swap(first.id, second.id);
    ASSERT_TRUE(spool.add(first));
    ASSERT_TRUE(spool.confirm("a", first.id));
    ASSERT_TRUE(spool.add(second));
    EXPECT_THAT(*spool.waiting_for("a"), ElementsAre(second.id));
}

TEST_F(SpoolTest, OneRunAtATime)
{
    const Spool spool = open();
    const auto second = Spool::open(folder(), kPlenty);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().kind, ErrorKind::Conflict);
    EXPECT_THAT(second.error().text, HasSubstr("another run"));
}

TEST_F(SpoolTest, ReportsCutAnywhereOrChangedAnywhereAreSetAside)
{
    const Report good = make_report(1);
    ASSERT_TRUE(open().add(good));
    const std::string bytes = read_file(file_of(good));
    for (std::size_t i = 0; i < bytes.size(); i += i < 100 ? 9 : 7) {
        std::string changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        for (const auto& damaged : {bytes.substr(0, i), changed}) {
            write_file(file_of(good), damaged);
            Spool spool = open();
            ASSERT_THAT(*spool.waiting_for("a"), IsEmpty()) << i;
            ASSERT_THAT(spool.take_notes(), ElementsAre(HasSubstr("is damaged"))) << i;
            ASSERT_EQ(spool.next_sequence(), 2U);
        }
    }
}

TEST_F(SpoolTest, OneDamagedReportHoldsUpNoOther)
{
    for (std::uint64_t i = 1; i <= 3; ++i) {
        ASSERT_TRUE(open().add(make_report(i)));
    }
    write_file(file_of(make_report(2)), "garbage");
    write_file(fs::path(folder()) / "reports/what is this", "?");
    fs::create_directory(fs::path(folder()) / "reports/folder");
    Spool spool = open();
    EXPECT_THAT(*spool.waiting_for("a"), ElementsAre(make_report(1).id, make_report(3).id));
    EXPECT_EQ(spool.take_notes().size(), 3U);
    EXPECT_THAT(spool.take_notes(), IsEmpty());
}

TEST_F(SpoolTest, AReportUnderAnotherNameIsDamaged)
{
    ASSERT_TRUE(open().add(make_report(1)));
    fs::rename(file_of(make_report(1)), file_of(make_report(7)));
    Spool spool = open();
    EXPECT_THAT(*spool.waiting_for("a"), IsEmpty());
    EXPECT_EQ(spool.next_sequence(), 8U);
}

TEST_F(SpoolTest, DamagedFilesAreBounded)
{
    open();
    for (int i = 0; i < 30; ++i) {
        write_file(fs::path(folder()) / "reports" / std::to_string(100 + i), "x");
    }
    open();
    const auto begin = fs::directory_iterator(fs::path(folder()) / "damaged");
    EXPECT_EQ(std::distance(begin, fs::directory_iterator()), static_cast<std::ptrdiff_t>(kDamagedMax));
    EXPECT_TRUE(fs::exists(fs::path(folder()) / "damaged/129"));
}

TEST_F(SpoolTest, ADamagedCursorMeansSendingAgain)
{
    {
        Spool spool = open();
        ASSERT_TRUE(spool.add(make_report(1)));
        ASSERT_TRUE(spool.confirm("a", make_report(1).id));
    }
    for (const char* text : {"", "1", "1 X", "x X\n", "-1 X\n", "1 ../x\n", "99999999999999999999999 X\n"}) {
        write_file(fs::path(folder()) / "cursors/a", text);
        Spool spool = open();
        EXPECT_THAT(*spool.waiting_for("a"), ElementsAre(make_report(1).id)) << text;
        EXPECT_THAT(spool.take_notes(), ElementsAre(HasSubstr("cursor"))) << text;
    }
}

TEST_F(SpoolTest, ALostOrDamagedSequenceGoesOnAfterTheHighestNumber)
{
    {
        Spool spool = open();
        ASSERT_TRUE(spool.add(make_report(7)));
        ASSERT_TRUE(spool.confirm("a", make_report(7).id));
        ASSERT_TRUE(spool.clean({"a"}));
    }
    write_file(fs::path(folder()) / "sequence", "seven");
    EXPECT_EQ(open().next_sequence(), 8U); // the cursor knows
    fs::remove(fs::path(folder()) / "sequence");
    EXPECT_EQ(open().next_sequence(), 8U);
}

TEST_F(SpoolTest, LeftoversOfACrashGoAway)
{
    open();
    write_file(fs::path(folder()) / "reports/.new-x", "half");
    write_file(fs::path(folder()) / "cursors/.new-a", "half");
    write_file(fs::path(folder()) / ".new-sequence", "half");
    Spool spool = open();
    EXPECT_FALSE(fs::exists(fs::path(folder()) / "reports/.new-x"));
    EXPECT_FALSE(fs::exists(fs::path(folder()) / "cursors/.new-a"));
    EXPECT_FALSE(fs::exists(fs::path(folder()) / ".new-sequence"));
    EXPECT_THAT(spool.take_notes(), IsEmpty());
}

TEST_F(SpoolTest, DropsUnchangedPostureFirst)
{
    Spool spool = open(5000);
    ASSERT_TRUE(spool.add(make_report(1, "pass", 600)));
    ASSERT_TRUE(spool.add(make_report(2, "fail", 600)));
    ASSERT_TRUE(spool.add(make_report(3, "fail", 600)));
    ASSERT_TRUE(spool.add(make_report(4, "pass", 600)));
    ASSERT_TRUE(spool.confirm("old-sink", make_report(1).id));
    ASSERT_TRUE(spool.add(make_report(5, "fail", 600)));
    EXPECT_THAT(*spool.waiting_for("b"),
                ElementsAre(make_report(1).id, make_report(3).id, make_report(4).id, make_report(5).id));
    const auto notes = spool.take_notes();
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_THAT(notes[0], HasSubstr(make_report(2).id));
    EXPECT_THAT(notes[0], HasSubstr("\"old-sink\""));
    // Nothing is unchanged now: the oldest goes.
    ASSERT_TRUE(spool.add(make_report(6, "pass", 600)));
    EXPECT_THAT(spool.take_notes(), ElementsAre(HasSubstr(make_report(1).id)));
}

TEST_F(SpoolTest, AReportThatCanNeverFitDropsNothing)
{
    Spool spool = open(2000);
    ASSERT_TRUE(spool.add(make_report(1)));
    const Status added = spool.add(make_report(2, "pass", 4000));
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().kind, ErrorKind::Exhausted);
    EXPECT_THAT(*spool.waiting_for("a"), ElementsAre(make_report(1).id));
    EXPECT_EQ(spool.next_sequence(), 2U);
}

TEST_F(SpoolTest, CursorsOfSinksThatAreNoMoreGoAway)
{
    Spool spool = open();
    ASSERT_TRUE(spool.add(make_report(1)));
    ASSERT_TRUE(spool.confirm("gone", make_report(1).id));
    ASSERT_TRUE(spool.clean({}));
    EXPECT_TRUE(fs::exists(fs::path(folder()) / "cursors/gone"));
    ASSERT_TRUE(spool.clean({"a"}));
    EXPECT_FALSE(fs::exists(fs::path(folder()) / "cursors/gone"));
    EXPECT_THAT(*spool.waiting_for("gone"), ElementsAre(make_report(1).id));
}

TEST_F(SpoolTest, SinkNamesAreNoPaths)
{
    Spool spool = open();
    ASSERT_TRUE(spool.add(make_report(1)));
    EXPECT_FALSE(spool.confirm("../x", make_report(1).id));
    EXPECT_FALSE(spool.confirm("", make_report(1).id));
    EXPECT_FALSE(spool.confirm("a", "unknown"));
}

TEST(PostureDigest, IsOfVerdictsAndGuardNotOfTimes)
{
    const std::string base =
        R"({"id":"1","guard":{"mode":"enforce","denied":1},"checks":[{"started":1,"profile":{"id":"p"},)"
        R"("findings":[{"number":"1","verdict":"pass","took_us":1}]}]})";
    const std::string later =
        R"({"id":"2","guard":{"mode":"enforce","denied":9},"checks":[{"started":2,"profile":{"id":"p"},)"
        R"("findings":[{"number":"1","verdict":"pass","took_us":7}]}]})";
    const std::string audit =
        R"({"id":"2","guard":{"mode":"audit","denied":9},"checks":[{"started":2,"profile":{"id":"p"},)"
        R"("findings":[{"number":"1","verdict":"pass","took_us":7}]}]})";
    EXPECT_EQ(posture_digest(base), posture_digest(later));
    EXPECT_NE(posture_digest(base), posture_digest(audit));
    for (const char* odd : {"", "[]", "{\"checks\":{}}", "{\"checks\":[1,{\"findings\":[null]}],\"guard\":[]}"}) {
        EXPECT_EQ(posture_digest(odd).size(), 64U) << odd;
    }
}

} // namespace
} // namespace hostward::report
