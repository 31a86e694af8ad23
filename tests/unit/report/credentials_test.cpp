// SPDX-License-Identifier: Apache-2.0
// When credentials are asked for, kept, used past their end, and refused.
#include "agent/report/credentials.h"

#include "agent/report/credentials_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace hostward::report {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1792000000;
constexpr auto kIdentityPath = "meta-data/identity-credentials/ec2/security-credentials/ec2-instance";
constexpr auto kProfilePath = "meta-data/iam/security-credentials/";

std::string iso(std::int64_t time)
{
    std::string text = amz_date(time); // 20261121T090000Z
    for (const std::size_t at : {std::size_t{4}, std::size_t{7}}) {
        text.insert(at, "-");
    }
    text.insert(13, ":");
    text.insert(16, ":");
    return text;
}

std::string answer(std::int64_t expires, const std::string& id = "ASIAEXAMPLE", const std::string& code = "Success")
{
    return R"({"Code":")" + code + R"(","Type":"AWS-HMAC","AccessKeyId":")" + id +
           R"(","SecretAccessKey":"SECRETKEY","Token":"SECRETTOKEN","Expiration":")" + iso(expires) + "\"}";
}

class FakeImds final : public Imds {
public:
    Result<std::string> get(const std::string& path) override
    {
        ++asked;
        const auto found = items.find(path);
        return found == items.end() ? Error{ErrorKind::NotFound, 0, "404"} : found->second;
    }
    std::map<std::string, Result<std::string>> items;
    int asked = 0;
    void set(const std::string& path, Result<std::string> item) { items.insert_or_assign(path, std::move(item)); }
};

class CredentialsTest : public testing::Test {
protected:
    FakeImds imds_;
    std::unique_ptr<CredentialSource> source_ = credentials_from(imds_);
    Result<Credentials> get(std::int64_t now) { return source_->get(Role::InstanceIdentity, now); }
};

TEST_F(CredentialsTest, KeptUntilTenMinutesBeforeTheirEnd)
{
    imds_.set(kIdentityPath, answer(kNow + 3600, "FIRST"));
    ASSERT_TRUE(get(kNow).ok());
    imds_.set(kIdentityPath, answer(kNow + 7200, "SECOND"));
    EXPECT_EQ(get(kNow + 2999)->keys.access_key_id, "FIRST");
    EXPECT_EQ(imds_.asked, 1);
    const auto second = get(kNow + 3000);
    EXPECT_EQ(second->keys.access_key_id, "SECOND");
    EXPECT_EQ(second->expires_s, kNow + 7200);
    EXPECT_FALSE(second->is_expired);
}

TEST_F(CredentialsTest, ShortLivedOnesAreNotAskedForEveryTime)
{
    imds_.set(kIdentityPath, answer(kNow + 300));
    for (int i = 0; i < 60; ++i) {
        EXPECT_TRUE(get(kNow + i).ok());
    }
    EXPECT_EQ(imds_.asked, 1);
    EXPECT_TRUE(get(kNow + 60).ok());
    EXPECT_EQ(imds_.asked, 2);
}

TEST_F(CredentialsTest, ExpiredOnesAreUsedAndTheServiceIsLeftAlone)
{
    imds_.set(kIdentityPath, answer(kNow - 10));
    EXPECT_TRUE(get(kNow)->is_expired);
    EXPECT_TRUE(get(kNow + kStaleRetryS - 1)->is_expired);
    EXPECT_EQ(imds_.asked, 1);
    imds_.set(kIdentityPath, answer(kNow + 7200));
    EXPECT_FALSE(get(kNow + kStaleRetryS)->is_expired);
}

TEST_F(CredentialsTest, OutageOfTheServiceIsOutlived)
{
    imds_.set(kIdentityPath, answer(kNow + 3600));
    ASSERT_TRUE(get(kNow).ok());
    imds_.set(kIdentityPath, Error{ErrorKind::System, 0, "down"});
    EXPECT_FALSE(get(kNow + 3100)->is_expired);
    EXPECT_EQ(imds_.asked, 2);
    EXPECT_FALSE(get(kNow + 3159)->is_expired);
    EXPECT_EQ(imds_.asked, 2);
    EXPECT_TRUE(get(kNow + 5000)->is_expired); // they may still work
    EXPECT_EQ(imds_.asked, 3);
}

TEST_F(CredentialsTest, RefusalCountsOnceTheKeptOnesAreOver)
{
    imds_.set(kIdentityPath, answer(kNow + 3600));
    ASSERT_TRUE(get(kNow).ok());
    imds_.set(kIdentityPath, answer(kNow + 9000, "X", "AssumeRoleUnauthorizedAccess"));
    EXPECT_TRUE(get(kNow + 3500).ok());
    const auto over = get(kNow + 3601);
    ASSERT_FALSE(over.ok());
    EXPECT_EQ(over.error().kind, ErrorKind::Denied);
    EXPECT_THAT(over.error().text, HasSubstr("AssumeRoleUnauthorizedAccess"));
}

TEST_F(CredentialsTest, ProfileIsFoundByItsRole)
{
    const auto profile = [this] { return source_->get(Role::InstanceProfile, kNow); };
    EXPECT_EQ(profile().error().kind, ErrorKind::NotFound);
    EXPECT_THAT(profile().error().text, HasSubstr("no instance profile"));
    imds_.set(kProfilePath, std::string("fleet-role+x@y\n"));
    imds_.set(std::string(kProfilePath) + "fleet-role+x@y", answer(kNow + 3600, "PROFILE"));
    EXPECT_EQ(profile()->keys.access_key_id, "PROFILE");
    EXPECT_FALSE(get(kNow).ok()); // the other role is another thing
}

TEST_F(CredentialsTest, RoleNamesArePartOfAPath)
{
    for (const std::string name : {"", "../x", "a b", "a?b", "a%2f", "a\r\nb: c"}) {
        imds_.set(kProfilePath, name);
        EXPECT_EQ(source_->get(Role::InstanceProfile, kNow).error().kind, ErrorKind::Invalid) << name;
    }
}

TEST(CredentialsJson, EveryPartIsNeeded)
{
    const std::string good = answer(kNow);
    ASSERT_TRUE(parse_credentials(good).ok());
    EXPECT_EQ(parse_credentials(good)->expires_s, kNow);
    for (const std::string part : {"Code", "AccessKeyId", "SecretAccessKey", "Token", "Expiration"}) {
        for (const std::string to : {"other", ""}) {
            auto text = good;
            const auto at = text.find("\"" + part + "\":\"");
            if (to.empty()) { // an empty value
                const auto value = at + part.size() + 4;
                text.erase(value, text.find('"', value) - value);
            } else {
                text.replace(at + 1, part.size(), to);
            }
            const auto result = parse_credentials(text);
            ASSERT_FALSE(result.ok()) << text;
            EXPECT_THAT(result.error().text, Not(HasSubstr("SECRET")));
        }
    }
}

TEST(CredentialsJson, GarbageIsRefusedWithoutShowingIt)
{
    for (const std::string text : {"", "SECRET", "[]", "\"SECRET\"", "{\"Code\":1}", "{\"Code\":\"Success\"", "null",
                                   "{\"Code\":\"Success\",\"Token\":[\"SECRET\"]}", "\xff\xfe"}) {
        const auto result = parse_credentials(text);
        ASSERT_FALSE(result.ok());
        EXPECT_THAT(result.error().text, Not(HasSubstr("SECRET")));
    }
    auto injected = answer(kNow);
    injected.replace(injected.find("SECRETTOKEN"), 11, "a\\r\\nx: y");
    EXPECT_FALSE(parse_credentials(injected).ok());
}

TEST(UtcTime, OneFormOnly)
{
    EXPECT_EQ(parse_utc_time("2015-08-30T12:36:00Z"), 1440938160);
    for (const auto* text : {"2015-08-30T12:36:00", "2015-08-30 12:36:00Z", "20150830T123600Z", "2015-02-30T12:36:00Z",
                             "2015-08-30T12:36:00.000Z", "2015-08-30T12:36:00+02:00", "--------------------"}) {
        EXPECT_EQ(parse_utc_time(text), std::nullopt) << text;
    }
}

} // namespace
} // namespace hostward::report
