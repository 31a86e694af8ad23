// SPDX-License-Identifier: Apache-2.0
// Secrets in user data, and AWS keys in files.
#include "tests/unit/hardening/primitives/ec2_ask.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using host::MemoryHost;
using testing::HasSubstr;
using testing::Not;
using List = std::vector<std::string>;

constexpr auto kCopy = "/var/lib/cloud/instance/user-data.txt";
constexpr auto kService = "metadata service, user-data";
// In two parts: what looks like a key in a repository is reported by those who look for keys.
const std::string kId = std::string("AKIA") + "Z3MSJV5WQ7XKT2RP";
const std::string kSecret = std::string("q9Vn3uPzL0tR7xWmB2yK") + "fH5cJ8dS1gA4eT6oU+/N";
const std::string kPair = "aws_access_key_id=" + kId + "\naws_secret_access_key=" + kSecret + "\n";

Outcome user_data(const MemoryHost& host, FakeSurroundings& around)
{
    return outcome_of(kUserDataPrimitive, host, around, {{"path", List{kCopy}}});
}

TEST(UserData, IsAskedOfTheServiceAndOfTheCopies)
{
    FakeSurroundings around;
    EXPECT_EQ(word_of(user_data({}, around)), "pass"); // the service says that there is none
    around.items.emplace("user-data", std::string("#!/bin/sh\nexport DB_PASSWORD=hunter22\n"));
    const auto outcome = user_data({}, around);
    EXPECT_EQ(word_of(outcome), "fail");
    EXPECT_THAT(evidence_of(outcome), HasSubstr(std::string("a value for DB_PASSWORD | ") + kService + ":2"));
    EXPECT_THAT(evidence_of(outcome), Not(HasSubstr("hunter22")));

    around.items.clear();
    MemoryHost host;
    host.file(kCopy, "password: hunter22\n");
    EXPECT_EQ(word_of(user_data(host, around)), "fail");
}

TEST(UserData, WhatCannotBeLookedAtIsNotFine)
{
    FakeSurroundings around;
    around.items.emplace("user-data", Error{ErrorKind::System, 0, "nobody there"});
    EXPECT_EQ(word_of(user_data({}, around)), "cannot-tell: nobody there");

    MemoryHost host;
    host.file(kCopy, "").broken(kCopy, {ErrorKind::Denied, 0, "no right to read"});
    EXPECT_THAT(word_of(user_data(host, around)), HasSubstr("no right to read"));

    MemoryHost copied; // what the instance was started with, where there is nobody to ask
    copied.file(kCopy, "#cloud-config\n");
    EXPECT_EQ(word_of(user_data(copied, around)), "pass");

    around.items.clear();
    around.items.emplace("user-data", std::string("\x1f\x8b compressed"));
    EXPECT_THAT(word_of(user_data({}, around)), HasSubstr("is compressed"));
}

TEST(UserData, OfAnImageIsWhatItsFilesSay)
{
    MemoryHost host;
    host.image();
    EXPECT_EQ(word_of(outcome_of(kUserDataPrimitive, host, no_surroundings(), {{"path", List{kCopy}}})),
              "not-applicable");
    host.file(kCopy, "");
    EXPECT_EQ(word_of(outcome_of(kUserDataPrimitive, host, no_surroundings(), {{"path", List{kCopy}}})), "pass");
    host.file(kCopy, "-----BEGIN RSA PRIVATE KEY-----\n");
    EXPECT_EQ(word_of(outcome_of(kUserDataPrimitive, host, no_surroundings(), {{"path", List{kCopy}}})), "fail");
}

MemoryHost with_users()
{
    MemoryHost host;
    host.file("/etc/passwd", "root:x:0:0::/root:/bin/sh\nbob:x:1000:1000::/home/b*b:/bin/sh\n"
                             "jenkins:x:999:999::/var/lib/jenkins:/bin/false\nnobody:x:65534:65534::/:/bin/false\n");
    return host;
}

Outcome keys(const MemoryHost& host)
{
    FakeSurroundings around;
    return outcome_of(kAwsKeysPrimitive, host, around,
                      {{"home", List{".aws/credentials", ".env"}},
                       {"path", List{"/etc/*", "/etc/*/*", "/opt/*/.env"}},
                       {"units", List{"/etc/systemd/system/*.service"}}});
}

TEST(AwsKeys, AreFoundWhereverProgramsKeepThem)
{
    for (const auto* path : {"/root/.aws/credentials", "/home/b*b/.env", "/var/lib/jenkins/.aws/credentials",
                             "/etc/app.conf", "/etc/default/app", "/opt/app/.env", "/etc/systemd/system/a.service"}) {
        auto host = with_users();
        host.directory("/home/bob").file(path, "\n" + kPair);
        const auto outcome = keys(host);
        EXPECT_EQ(word_of(outcome), "fail") << path;
        EXPECT_THAT(evidence_of(outcome), HasSubstr("AKIA...T2RP with its secret | " + std::string(path) + ":2"));
        EXPECT_THAT(evidence_of(outcome), Not(HasSubstr(kSecret)));
        EXPECT_THAT(evidence_of(outcome), Not(HasSubstr(kId)));
    }
}

TEST(AwsKeys, EnvironmentFilesOfUnitsAreFollowed)
{
    auto host = with_users();
    host.file("/etc/systemd/system/a.service", "[Service]\nEnvironmentFile=-/srv/app/secrets\nEnvironmentFile=/%i\n");
    EXPECT_EQ(word_of(keys(host)), "pass");
    host.file("/srv/app/secrets", kPair);
    EXPECT_EQ(word_of(keys(host)), "fail");
}

TEST(AwsKeys, OthersAreNone)
{
    EXPECT_EQ(word_of(keys(with_users())), "pass");
    for (const auto& text : {std::string(), std::string("# nothing\n"), "id=" + kId + "\n",
                             std::string("AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n")}) {
        auto host = with_users();
        host.file("/root/.aws/credentials", text);
        EXPECT_EQ(word_of(keys(host)), "pass") << text;
    }
    auto program = with_users(); // a link to a library, of any size
    program.file("/usr/lib/big.so", kPair + std::string(5U << 20, '\0'))
        .link("/etc/alternatives/big.so", "/usr/lib/big.so");
    EXPECT_EQ(word_of(keys(program)), "pass");
    auto twice = with_users(); // the same file by two patterns counts once
    twice.file("/etc/systemd/system/a.service", kPair);
    EXPECT_EQ(evidence_of(keys(twice)).find("AKIA"), evidence_of(keys(twice)).rfind("AKIA"));
}

TEST(AwsKeys, WhatCannotBeReadIsNotClean)
{
    auto host = with_users();
    host.file("/root/.aws/credentials", "")
        .broken("/root/.aws/credentials", {ErrorKind::Denied, 0, "no right to read"});
    EXPECT_THAT(word_of(keys(host)), HasSubstr("cannot-tell: 1 places could not be looked at: no right to read"));
    host.file("/etc/app.conf", kPair); // a key that was seen decides
    EXPECT_EQ(word_of(keys(host)), "fail");
    EXPECT_THAT(word_of(keys({})), HasSubstr("/etc/passwd is missing"));
    auto pipe = with_users();
    pipe.node("/root/.env", host::FileType::Fifo); // is never opened
    EXPECT_EQ(word_of(keys(pipe)), "pass");
}

} // namespace
} // namespace hostward::hardening
