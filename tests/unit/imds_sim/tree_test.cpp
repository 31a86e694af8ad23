// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hostward::imds_sim {
namespace {

using testing::Contains;
using testing::HasSubstr;

constexpr std::time_t kNow = 1800000000; // 2027-01-15T08:00:00Z

Tree plain() { return Tree::builtin("plain").take(); }

std::string refusal(std::string_view json)
{
    const auto tree = Tree::parse(json);
    return tree.ok() ? "accepted" : tree.error().text;
}

TEST(Tree, ListsDirectoriesWithSlashesAndToleratesASlashAfterALeaf)
{
    const auto tree = Tree::parse(R"({"tree":{"a":{"leaf":"x","dir":{"y":"z"}}}})").take();
    EXPECT_EQ(tree.find("/latest/a/", kNow), "dir/\nleaf");
    EXPECT_EQ(tree.find("/latest/a", kNow), "dir/\nleaf");
    EXPECT_EQ(tree.find("/latest/a/leaf", kNow), "x");
    EXPECT_EQ(tree.find("/latest/a/leaf/", kNow), "x");
    EXPECT_EQ(tree.find("/latest/a/leaf/more", kNow), std::nullopt);
    EXPECT_EQ(tree.find("/latest//a/leaf", kNow), std::nullopt);
    EXPECT_EQ(tree.find("/latest/a/../a/leaf", kNow), std::nullopt);
}

TEST(Tree, ServesTheSameUnderEveryVersionAndNoOther)
{
    const auto tree = Tree::parse(R"({"versions":["2021-03-23"],"tree":{"a":"x"}})").take();
    EXPECT_EQ(tree.find("/", kNow), "2021-03-23\nlatest");
    EXPECT_EQ(tree.find("/2021-03-23/a", kNow), "x");
    EXPECT_EQ(tree.find("/latest/a", kNow), "x");
    EXPECT_EQ(tree.find("/1999-01-01/a", kNow), std::nullopt);
}

TEST(Tree, FillsTimesAtTheRequest)
{
    const auto tree = Tree::parse(R"({"tree":{"t":{"$template":"{{now}} {{now+3600}} {{later}} {{now+x}}"}}})").take();
    EXPECT_EQ(tree.find("/latest/t", kNow), "2027-01-15T08:00:00Z 2027-01-15T09:00:00Z {{later}} {{now+x}}");
}

TEST(Tree, JoinsLinesAndShowsIndexLines)
{
    const auto tree = Tree::parse(R"({"tree":{"k":{"$index":{"0":"0=key"},"0":{"v":["a","","b"]}}}})").take();
    EXPECT_EQ(tree.find("/latest/k/", kNow), "0=key");
    EXPECT_EQ(tree.find("/latest/k/0/v", kNow), "a\n\nb");
}

TEST(Tree, RefusesWrongFiles)
{
    EXPECT_THAT(refusal("nonsense"), HasSubstr("not a JSON object"));
    EXPECT_THAT(refusal("[]"), HasSubstr("not a JSON object"));
    EXPECT_THAT(refusal(R"({"trees":{}})"), HasSubstr("\"trees\" is unknown"));
    EXPECT_THAT(refusal(R"({"versions":[1]})"), HasSubstr("versions"));
    EXPECT_THAT(refusal(R"({"extends":"nowhere"})"), HasSubstr("no built-in tree"));
    EXPECT_THAT(refusal(R"({"tree":{"a":1}})"), HasSubstr("tree/a: text must be"));
    EXPECT_THAT(refusal(R"({"tree":{"a":["x",1]}})"), HasSubstr("tree/a: text must be"));
    EXPECT_THAT(refusal(R"({"tree":{"a/b":"x"}})"), HasSubstr("no item name"));
    EXPECT_THAT(refusal(R"({"tree":{"$magic":"x"}})"), HasSubstr("no item name"));
    EXPECT_THAT(refusal(R"({"tree":{"$index":{"gone":"x"}}})"), HasSubstr("no child"));
    EXPECT_THAT(refusal(R"({"tree":{"a":{"$template":"x","b":"c"}}})"), HasSubstr("stands alone"));
    std::string deep = "\"x\"";
    for (std::size_t i = 0; i < kMaxTreeDepth + 3; ++i) {
        deep.insert(0, "{\"a\":").append("}");
    }
    EXPECT_THAT(refusal("{\"tree\":" + deep + "}"), HasSubstr("deeper than"));
    EXPECT_THAT(refusal(std::string(kMaxTreeBytes + 1, ' ')), HasSubstr("larger than"));
}

TEST(Tree, SetsALeaf)
{
    Tree tree = plain();
    ASSERT_TRUE(tree.set_leaf("user-data", "new").ok());
    ASSERT_TRUE(tree.set_leaf("meta-data/a/b", "deep").ok());
    EXPECT_EQ(tree.find("/latest/user-data", kNow), "new");
    EXPECT_EQ(tree.find("/latest/meta-data/a/", kNow), "b");
    EXPECT_FALSE(tree.set_leaf("", "x").ok());
    EXPECT_FALSE(tree.set_leaf("a//b", "x").ok());
    EXPECT_FALSE(tree.set_leaf("user-data/below", "x").ok());
    EXPECT_FALSE(tree.set_leaf("meta-data", "x").ok());
}

/// Every leaf of a tree, found by following its listings as cloud-init does.
void crawl(const Tree& tree, const std::string& folder, std::map<std::string, std::string>& leaves)
{
    const std::string listing = tree.find(folder, kNow).value_or("MISSING " + folder);
    std::size_t from = 0;
    while (from < listing.size()) {
        const auto end = std::min(listing.find('\n', from), listing.size());
        std::string name = listing.substr(from, end - from);
        from = end + 1;
        name = name.find('=') < name.find('/') && folder.ends_with("public-keys/") ? name.substr(0, 1) + "/" : name;
        if (name.ends_with('/')) {
            crawl(tree, folder + name, leaves);
        } else {
            const auto body = tree.find(folder + name, kNow);
            ASSERT_TRUE(body) << folder + name << " is listed and not there";
            leaves[folder + name] = *body;
        }
    }
}

TEST(Tree, EveryBuiltinTreeCanBeCrawledAndIsRealistic)
{
    for (const auto name : Tree::builtin_names()) {
        const auto tree = Tree::builtin(name);
        ASSERT_TRUE(tree.ok()) << name << ": " << (tree.ok() ? "" : tree.error().text);
        std::map<std::string, std::string> leaves;
        crawl(*tree, "/latest/meta-data/", leaves);
        crawl(*tree, "/latest/dynamic/", leaves);
        EXPECT_GT(leaves.size(), 40U) << name;
        for (const auto& [path, body] : leaves) {
            EXPECT_EQ(body.find("{{"), std::string::npos) << path << " has an unfilled template";
        }
        const auto document = nlohmann::json::parse(leaves.at("/latest/dynamic/instance-identity/document"));
        EXPECT_EQ(document.at("instanceId"), leaves.at("/latest/meta-data/instance-id")) << name;
        EXPECT_EQ(document.at("region"), leaves.at("/latest/meta-data/placement/region")) << name;
    }
    EXPECT_THAT(Tree::builtin_names(), Contains("no-role"));
    EXPECT_FALSE(Tree::builtin("nowhere").ok());
}

TEST(Tree, CredentialsExpireInTheFuture)
{
    const auto tree = plain();
    for (const std::string path :
         {"iam/security-credentials/web-server", "identity-credentials/ec2/security-credentials/ec2-instance"}) {
        const auto body = nlohmann::json::parse(tree.find("/latest/meta-data/" + path, kNow).value_or(""));
        EXPECT_EQ(body.at("Code"), "Success");
        EXPECT_EQ(body.at("LastUpdated"), "2027-01-15T08:00:00Z");
        EXPECT_EQ(body.at("Expiration"), "2027-01-15T14:00:00Z");
    }
}

TEST(Tree, DifferInWhatTheyAreFor)
{
    const auto no_role = Tree::builtin("no-role").take();
    EXPECT_EQ(no_role.find("/latest/meta-data/iam/info", kNow), std::nullopt);
    EXPECT_EQ(no_role.find("/latest/user-data", kNow), std::nullopt);
    EXPECT_TRUE(no_role.find("/latest/meta-data/identity-credentials/ec2/info", kNow));
    EXPECT_EQ(plain().find("/latest/meta-data/spot/instance-action", kNow), std::nullopt);
    EXPECT_EQ(Tree::builtin("spot").take().find("/latest/meta-data/spot/termination-time", kNow),
              "2027-01-15T08:02:00Z");
    EXPECT_EQ(plain().find("/latest/meta-data/tags/instance/Name", kNow), std::nullopt);
    EXPECT_EQ(Tree::builtin("tags").take().find("/latest/meta-data/tags/instance/Name", kNow), "web-1");
}

} // namespace
} // namespace hostward::imds_sim
