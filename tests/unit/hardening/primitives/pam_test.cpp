// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"
#include "tests/unit/hardening/primitives/outcome_of.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

const std::string kUnix = "auth [success=1 default=ignore] pam_unix.so nullok\nauth requisite pam_deny.so\n";

// The layout of pam-auth-update with faillock around pam_unix: what pattern matchers do not find.
const std::string kDebian = "auth requisite pam_faillock.so preauth\nauth [success=2 default=ignore] pam_unix.so\n"
                            "auth [default=die] pam_faillock.so authfail\nauth requisite pam_deny.so\n";

Verdict deny(const std::string& auth, const std::string& conf)
{
    host::MemoryHost host;
    host.file("/etc/pam.d/common-auth", auth).file("/etc/security/faillock.conf", conf);
    return outcome_of(kPamOptionPrimitive, host,
                      {{"module", "pam_faillock"},
                       {"services", texts({"common-auth"})},
                       {"type", "auth"},
                       {"option", "deny"},
                       {"by_default", number_of(3)},
                       {"at_least", number_of(1)},
                       {"at_most", number_of(5)}})
        .verdict;
}

TEST(PamOption, ArgumentsThenFileThenDefault)
{
    EXPECT_EQ(deny(kDebian, "deny = 3\n"), Verdict::Pass);
    EXPECT_EQ(deny(kDebian, "deny=5 # x\n"), Verdict::Pass);
    EXPECT_EQ(deny(kDebian, ""), Verdict::Pass) << "3 is what it does by itself";
    EXPECT_EQ(deny(kDebian, "deny = 0\n"), Verdict::Fail) << "0 never locks";
    EXPECT_EQ(deny(kDebian, "deny = 3\ndeny = 50\n"), Verdict::Fail) << "the last line counts";
    EXPECT_EQ(deny("auth required pam_faillock.so preauth deny=50\n", "deny = 3\n"), Verdict::Fail);
    EXPECT_EQ(deny("auth required pam_faillock.so preauth deny=3\n", "deny = 50\n"), Verdict::Pass);
    EXPECT_EQ(deny("auth required pam_faillock.so deny=x\n", ""), Verdict::Fail);
    EXPECT_EQ(deny(kUnix, "deny = 3\n"), Verdict::Fail) << "a file that no module reads";
    EXPECT_EQ(deny("# auth required pam_faillock.so deny=3\n", ""), Verdict::Fail);
    EXPECT_EQ(deny("@include gone\n", ""), Verdict::CannotTell);
    EXPECT_EQ(deny("nonsense\n", ""), Verdict::CannotTell) << "libpam refuses the service";
}

Verdict faillock(const std::string& auth, const std::string& account = "account required pam_faillock.so\n")
{
    host::MemoryHost host;
    host.file("/etc/pam.d/system-auth", auth + account);
    return outcome_of(kPamFaillockPrimitive, host,
                      {{"services", texts({"system-auth"})}, {"account_services", texts({"system-auth"})}})
        .verdict;
}

TEST(PamFaillock, BeforeAndAfterThePassword)
{
    EXPECT_EQ(faillock(kDebian), Verdict::Pass);
    EXPECT_EQ(faillock("auth required pam_faillock.so preauth silent\nauth sufficient pam_unix.so\n"
                       "auth required pam_faillock.so authfail\nauth required pam_deny.so\n"),
              Verdict::Pass);
    EXPECT_EQ(faillock(kUnix), Verdict::Fail);
    EXPECT_EQ(faillock(kDebian, ""), Verdict::Fail);
    EXPECT_EQ(faillock("auth required pam_unix.so\nauth required pam_faillock.so preauth\n"
                       "auth required pam_faillock.so authfail\n"),
              Verdict::Fail)
        << "too late to refuse";
    EXPECT_EQ(faillock("auth required pam_faillock.so preauth\nauth requisite pam_unix.so\n"
                       "auth required pam_faillock.so authfail\n"),
              Verdict::Fail)
        << "a failure never gets there";
}

Verdict module(const std::string& text, Given more)
{
    host::MemoryHost host;
    host.file("/etc/pam.d/common-password", text).file("/usr/lib/pam.d/other", text);
    more.insert({{"module", "pam_unix"}, {"services", texts({"common-password"})}, {"types", texts({"password"})}});
    return outcome_of(kPamModulePrimitive, host, std::move(more)).verdict;
}

TEST(PamModule, Arguments)
{
    const std::string line =
        "password [success=1 default=ignore] pam_unix.so obscure use_authtok try_first_pass yescrypt\n";
    EXPECT_EQ(module(line, {}), Verdict::Pass);
    EXPECT_EQ(module("password include other\npassword required /lib/security/pam_unix.so \\\n  sha512\n", {}),
              Verdict::CannotTell)
        << "it includes itself";
    EXPECT_EQ(module(line, {{"any_of", texts({"sha512", "yescrypt"})}, {"none_of", texts({"md5"})}}), Verdict::Pass);
    EXPECT_EQ(module(line, {{"none_of", texts({"obscure"})}}), Verdict::Fail);
    EXPECT_EQ(module("password required pam_unix.so md5\n", {{"any_of", texts({"sha512"})}}), Verdict::Fail);
    EXPECT_EQ(module("password required pam_unix.so remember=5\n", {{"none_of", texts({"remember"})}}), Verdict::Fail);
    EXPECT_EQ(module("auth required pam_unix.so\n", {}), Verdict::Fail);
    EXPECT_EQ(module("auth required pam_unix.so\n", {{"none_of", texts({"nullok"})}}), Verdict::Pass);
}

Verdict su(const std::string& pam)
{
    host::MemoryHost host;
    host.file("/etc/pam.d/su", pam).file("/etc/group", "none:x:5:\nsome:x:6:eve\n");
    return outcome_of(kPamSuPrimitive, host, {}).verdict;
}

TEST(PamSu, AnEmptyGroup)
{
    EXPECT_EQ(su("auth required pam_wheel.so use_uid group=none\n"), Verdict::Pass);
    EXPECT_EQ(su("auth required pam_wheel.so use_uid group=some\n"), Verdict::Fail);
    EXPECT_EQ(su("auth required pam_wheel.so use_uid group=gone\n"), Verdict::Fail);
    EXPECT_EQ(su("auth required pam_wheel.so use_uid\n"), Verdict::Fail);
    EXPECT_EQ(su("auth sufficient pam_wheel.so use_uid trust group=none\n"), Verdict::Fail);
    EXPECT_EQ(su("#auth required pam_wheel.so use_uid group=none\n"), Verdict::Fail);
}

} // namespace
} // namespace hostward::hardening
