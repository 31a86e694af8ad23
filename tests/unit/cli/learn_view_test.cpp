// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/learn_view.h"

#include "agent/base/text.h"
#include "agent/cli/output_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace hostward::cli {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

guard::Learned sample(const std::string& text)
{
    guard::Learned out;
    guard::Sighting seen;
    seen.count = 2;
    seen.imdsv1 = 1;
    seen.users = seen.exes = seen.places = {text};
    guard::LearnedRule rule;
    rule.rule.name = "learned-x";
    rule.rule.action = config::Action::Allow;
    rule.rule.users = {{"1000", {}}};
    rule.seen = seen;
    rule.remarks = {"Look."};
    out.rules = {rule};
    out.refused = {{"it is " + quote(text), seen, "learned-x"}};
    out.events = out.decisions = 4;
    return out;
}

TEST(LearnView, NoTextLeavesItsComment)
{
    std::mt19937 random(3); // NOLINT: the same texts each time
    for (int i = 0; i < 3000; ++i) {
        std::string text(1 + random() % 16, ' ');
        for (auto& c : text) {
            c = random() % 2 == 0 ? "\n\r\"\\#[]='\t\x7f\0\xe2\x80\xa8"[random() % 14] : static_cast<char>(random());
        }
        const auto parsed = config::parse(learn_toml(sample(text)), "l");
        ASSERT_TRUE(parsed.ok()) << quote(text) << ": " << parsed.error().text;
        ASSERT_EQ(parsed->rules.size(), 1U);
        ASSERT_EQ(parsed->rules[0].name, "learned-x");
        ASSERT_EQ(parsed->rules[0].exes.size(), 0U);
    }
}

TEST(LearnView, JsonIsOneLine)
{
    const std::string json = learn_json(sample("a\nb\xff"));
    EXPECT_EQ(std::ranges::count(json, '\n'), 1);
    EXPECT_THAT(json, HasSubstr(R"("users":["a\\x0ab\\xff"])"));
}

TEST(LearnView, SaysWhatIsMissing)
{
    guard::Learned learned;
    EXPECT_THAT(learn_toml(learned), HasSubstr("nothing to propose"));
    learned.too_many = 9;
    learned.allowed_already = 4;
    EXPECT_THAT(learn_toml(learned), HasSubstr("INCOMPLETE: 9 "));
    EXPECT_THAT(learn_toml(learned), HasSubstr("allows 4 of them"));
}

class OutputFile : public testing::Test {
protected:
    OutputFile()
    {
        std::string name = (fs::temp_directory_path() / "hostward-learn-XXXXXX").string();
        dir_ = ::mkdtemp(name.data()) == nullptr ? "" : name;
    }
    ~OutputFile() override { fs::remove_all(dir_); }
    [[nodiscard]] std::string text() const
    {
        std::ostringstream out;
        out << std::ifstream(path()).rdbuf();
        return out.str();
    }
    [[nodiscard]] std::string path() const { return (dir_ / "rules.toml").string(); }
    [[nodiscard]] auto files() const { return std::distance(fs::directory_iterator(dir_), fs::directory_iterator()); }
    fs::path dir_;
};

TEST_F(OutputFile, IsNeverReplacedUnasked)
{
    ASSERT_TRUE(write_new_file(path(), "one\n", false).ok());
    EXPECT_EQ(text(), "one\n");
    const auto again = write_new_file(path(), "two\n", false);
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().kind, ErrorKind::Conflict);
    EXPECT_EQ(text(), "one\n");
    ASSERT_TRUE(write_new_file(path(), "three\n", true).ok());
    EXPECT_EQ(text(), "three\n");
    EXPECT_EQ(files(), 1) << "no draft stays";
    EXPECT_EQ(fs::status(path()).permissions(), fs::perms(0644));
}

TEST_F(OutputFile, ALinkIsNotFollowed)
{
    std::ofstream(dir_ / "other") << "mine\n";
    fs::create_symlink(dir_ / "other", path());
    EXPECT_FALSE(write_new_file(path(), "x", false).ok());
    ASSERT_TRUE(write_new_file(path(), "x", true).ok());
    EXPECT_FALSE(fs::is_symlink(path()));
    EXPECT_EQ(fs::file_size(dir_ / "other"), 5U);
}

TEST_F(OutputFile, TellsThatItCannot)
{
    EXPECT_FALSE(write_new_file((dir_ / "no" / "such").string(), "x", true).ok());
    fs::create_directory(path());
    EXPECT_FALSE(write_new_file(path(), "x", true).ok());
    EXPECT_EQ(files(), 1);
}

} // namespace
} // namespace hostward::cli
