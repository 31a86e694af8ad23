// SPDX-License-Identifier: Apache-2.0
// What counts as a secret, and what only looks like one. The keys here were made up for this test.
#include "hardening/models/secrets.h"

#include "agent/base/base64.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

// In two parts: what looks like a key in a repository is reported by those who look for keys.
const std::string kId = std::string("AKIA") + "Z3MSJV5WQ7XKT2RP";
const std::string kSecret = std::string("q9Vn3uPzL0tR7xWmB2yK") + "fH5cJ8dS1gA4eT6oU+/N";

std::vector<std::string> whats(const std::vector<Secret>& found)
{
    std::vector<std::string> out;
    for (const auto& one : found) {
        out.push_back(one.what + " at " + std::to_string(one.line));
        EXPECT_EQ(one.what.find(kSecret), std::string::npos);
    }
    return out;
}

TEST(AwsKeys, AnIdWithItsSecretIsFound)
{
    const std::string wanted = "long-lived AWS key AKIA...T2RP with its secret at ";
    const auto found = [](const std::string& text) { return whats(find_aws_keys(text)); };
    EXPECT_THAT(found("[default]\naws_access_key_id = " + kId + "\naws_secret_access_key = " + kSecret + "\n"),
                testing::ElementsAre(wanted + "2"));
    EXPECT_THAT(found("AWS_ACCESS_KEY_ID=" + kId + " AWS_SECRET_ACCESS_KEY=" + kSecret + " aws s3 ls"),
                testing::ElementsAre(wanted + "1"));
    EXPECT_THAT(found("# " + kId + "\n# '" + kSecret + "'"), testing::ElementsAre(wanted + "1")); // comments leak, too
    EXPECT_THAT(found(kId + ":" + kSecret), testing::ElementsAre(wanted + "1"));                  // s3fs
    EXPECT_THAT(found(kSecret + "\n" + kId), testing::ElementsAre(wanted + "2"));
    EXPECT_EQ(found(kId + "\n" + kSecret + "\n" + kId).size(), 2U);
}

TEST(AwsKeys, WhatOnlyLooksLikeOneIsNot)
{
    const std::string far(20, '\n');
    for (const auto& text : {std::string(), std::string("\n\n# AKIA\n"), kId, kSecret, kId + far + kSecret,
                             "AKIAIOSFODNN7EXAMPLE " + kSecret, kId + " wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                             kId + " 0123456789abcdef0123456789abcdef01234567",       // SHA-1 of a commit
                             kId + " " + kSecret + "x", "x" + kId + " " + kSecret,    // parts of longer words
                             kId.substr(0, 19) + " " + kSecret, kId + "A " + kSecret, //
                             "ASIA" + kId.substr(4) + " " + kSecret,                  // ends by itself
                             "AKIA0189ABCDEFGHIJKL " + kSecret}) {                    // not base32
        EXPECT_THAT(whats(find_aws_keys(text)), testing::IsEmpty()) << text;
    }
}

TEST(AwsKeys, HostileTextEnds)
{
    std::string text;
    for (int i = 0; i < 20'000; ++i) {
        text += kId + " " + kSecret + "\n";
    }
    EXPECT_LE(find_aws_keys(text).size(), kSecretsMax);
    EXPECT_THAT(find_aws_keys(std::string(1'000'000, 'A') + "AKIA"), testing::IsEmpty());
    EXPECT_THAT(find_aws_keys(std::string("AKIA\0\xff", 6)), testing::IsEmpty());
}

class Found : public testing::TestWithParam<const char*> {};
TEST_P(Found, IsASecret) { EXPECT_FALSE(find_secrets(GetParam()).empty()) << GetParam(); }
INSTANTIATE_TEST_SUITE_P(
    Secrets, Found,
    testing::Values("#cloud-config\npassword: hunter22\n", "#cloud-config\nchpasswd:\n  list: |\n    ubuntu:hunter22\n",
                    "chpasswd:\n  users:\n  - name: root\n    password: hunter22\n    type: text\n",
                    "chpasswd:\n  list:\n    - ubuntu:hunter22\n",
                    "users:\n- name: a\n  plain_text_passwd: 'hunter22'\n", "users:\n- {name: a, passwd: hunter22}\n",
                    "#!/bin/sh\necho 'root:hunter22' | chpasswd\n", "export DB_PASSWORD=hunter22\n",
                    "DB_PASSWORD=\"hunter22\" ./run\n", "api_key = \"abcdef\"\n", "{\"dbPassword\": \"hunter22\"}\n",
                    "client-secret: 1234567\n",
                    "git clone https:/"
                    "/bob:hunter22@example.com/x.git\n",
                    "GITHUB=ghp_0123456789abcdefghijklmnopqrstuvwxyz\n",
                    "cat > k <<E\n-----BEGIN OPENSSH PRIVATE KEY-----\nb3Blbn\n", "-----BEGIN RSA PRIVATE KEY-----\n",
                    "password: hunter22", "x=1\r\npassword: hunter22\r\n"));

class NotFound : public testing::TestWithParam<const char*> {};
TEST_P(NotFound, IsNoSecret)
{
    const auto found = find_secrets(GetParam());
    EXPECT_THAT(whats(found), testing::IsEmpty()) << GetParam();
}
INSTANTIATE_TEST_SUITE_P(
    Secrets, NotFound,
    testing::Values("", "\n\n", "#cloud-config\npackages:\n- nginx\n", "# password: hunter22\n", "lock_passwd: true\n",
                    "ssh_pwauth: false\n", "passwd: $6$rounds=4096$abc$defghijklmnop\n",
                    "chpasswd:\n  expire: False\n  list: |\n    ubuntu:$6$abc$def\n    root:RANDOM\n",
                    "chpasswd: { expire: false }\n", "chpasswd:\n  list: |\n    a:R\nruncmd:\n- echo a:b\n",
                    "DB_PASSWORD=$(aws secretsmanager get-secret-value --secret-id x)\n", "TOKEN=`curl -X PUT x`\n",
                    "curl -H \"X-aws-ec2-metadata-token: $TOKEN\" http://169.254.169.254/latest/meta-data/\n",
                    "-H \"X-aws-ec2-metadata-token-ttl-seconds: 21600\"\n",
                    "secret: arn:aws:secretsmanager:eu-central-1:123456789012:secret:x\n", "password: \"\"\n",
                    "password: {{ vault_password }}\n", "password: '{{resolve:ssm-secure:x}}'\n",
                    "PASSWORD=<your password>\n", "passwd: /etc/passwd\n", "https://example.com:8080/a@b\n",
                    "https://$USER:$PASSWORD@example.com/\n", "-----BEGIN CERTIFICATE-----\n",
                    "-----BEGIN PUBLIC KEY-----\n", "PasswordAuthentication no\n",
                    "echo 'root:$6$abc$def' | chpasswd -e\n", "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n"));

TEST(Secrets, PartsOfAMimeMessageAreLookedInto)
{
    const std::string head = "Content-Type: multipart/mixed; boundary=\"b\"\n\n--b\nContent-Type: text/cloud-config\n"
                             "Content-Transfer-Encoding: base64\n\n";
    // password: hunter22
    EXPECT_THAT(whats(find_secrets(head + "cGFzc3dvcmQ6\nIGh1bnRlcjIyCg==\n--b--\n")),
                testing::ElementsAre("a value for password, in the part that begins here at 7"));
    EXPECT_THAT(whats(find_secrets(head + "cGFzc3dvcmQ6\nIGh1bnRlcjIyCg==")), testing::SizeIs(1));
    EXPECT_THAT(find_secrets(head + "****\n--b--\n"), testing::IsEmpty());
    EXPECT_THAT(find_secrets(head), testing::IsEmpty());
}

TEST(Secrets, TheirValueIsNeverShown)
{
    for (const auto& one : find_secrets("password: hunter22\nhttps:/"
                                        "/a:hunter22@b/\nchpasswd:\n - root:hunter22\n")) {
        EXPECT_EQ(one.what.find("hunter22"), std::string::npos);
    }
}

TEST(Base64, OnlyItsOwnAlphabet)
{
    EXPECT_EQ(decoded_base64("aGk="), "hi");
    EXPECT_EQ(decoded_base64("aGk"), "hi");
    EXPECT_EQ(decoded_base64(""), "");
    EXPECT_EQ(decoded_base64("a"), std::nullopt);
    EXPECT_EQ(decoded_base64("aG k"), std::nullopt);
    EXPECT_EQ(decoded_base64("aG-k"), std::nullopt);
    EXPECT_EQ(decoded_base64("===="), std::nullopt);
}

} // namespace
} // namespace hostward::hardening
