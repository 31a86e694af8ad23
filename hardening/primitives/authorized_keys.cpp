// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/authorized_keys.h"
#include "hardening/models/file_set.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"rsa_bits_at_least", ValueType::Number, true, "shorter RSA keys fail", {}},
};
constexpr auto kExpected = "known to a person";
constexpr std::size_t kShownMax = 120; // bytes of options and comment
constexpr auto kLaunchKey = "meta-data/public-keys/0/openssh-key";

std::string described(const AuthorizedKey& key)
{
    return key.type + (key.bits > 0 ? " of " + std::to_string(key.bits) + " bits" : "");
}

void judge_keys(const AuthorizedKeysFile& file, std::int64_t least, Outcome& out)
{
    for (const auto& key : file.keys) {
        const bool is_dsa = key.type == "ssh-dss";
        const bool is_short = key.type == "ssh-rsa" && key.bits < least;
        if (is_dsa || is_short) {
            out.verdict = Verdict::Fail;
            out.add({is_dsa ? "no DSA key" : "RSA keys of at least " + std::to_string(least) + " bits", described(key),
                     key.origin.text()});
        }
    }
}

/// The file and the folders above it up to the home: who may write one of them may add a key.
std::vector<std::string> places_of(const AuthorizedKeysFile& file)
{
    std::vector<std::string> out{file.path};
    if (file.home != "/" && file.path.starts_with(file.home + "/")) {
        std::string path = file.path;
        while (path.size() > file.home.size()) {
            path.resize(path.rfind('/'));
            out.push_back(path);
        }
    }
    return out;
}

Status judge_places(const AuthorizedKeysFile& file, const host::Host& host, Outcome& out)
{
    constexpr std::uint32_t kOthersWrite = 0022;
    for (const auto& path : places_of(file)) {
        TRY_ASSIGN(const auto facts, host.facts(path));
        if ((facts.mode & kOthersWrite) != 0 || (facts.uid != 0 && facts.uid != file.uid)) {
            out.verdict = Verdict::Fail;
            out.add({"written by " + file.user + " or root only",
                     "mode " + octal(facts.mode) + ", owner " + std::to_string(facts.uid), path});
        }
    }
    return success();
}

void add_unknown(const std::vector<std::string>& unknown, Outcome& out)
{
    if (!unknown.empty() && out.verdict != Verdict::Fail) {
        out.verdict = Verdict::CannotTell;
        out.reason = std::to_string(unknown.size()) + " files could not be looked at: " + unknown.front();
    }
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& keys = facts.get<AuthorizedKeys>();
    if (!keys) {
        return keys.error();
    }
    Outcome out{Verdict::Pass, "", {}, 0};
    std::vector<std::string> unknown = keys->unknown;
    std::size_t count = 0;
    for (const auto& file : keys->files) {
        count += file.keys.size();
        judge_keys(file, arguments.number("rsa_bits_at_least"), out);
        if (const auto judged = judge_places(file, facts.host(), out); !judged) {
            unknown.push_back(judged.error().text);
        }
    }
    out.add({"no weak key, no file that others write",
             std::to_string(count) + " keys in " + std::to_string(keys->files.size()) + " files were looked at",
             "authorized keys"});
    add_unknown(unknown, out);
    return out;
}

/// The key pair that the instance was started with. None: it was started without one, or cannot be asked.
std::string launch_key(Facts& facts, std::string& reason)
{
    const auto text = facts.surroundings().metadata(kLaunchKey);
    if (!text) {
        if (text.error().kind != ErrorKind::NotFound) {
            reason = "; EC2's own key is not known: " + text.error().text;
        }
        return "";
    }
    const auto key = parse_authorized_key(text->substr(0, text->find('\n')), {});
    return key ? key->blob : "";
}

Result<Outcome> evaluate_review(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& keys = facts.get<AuthorizedKeys>();
    if (!keys) {
        return keys.error();
    }
    Outcome out{Verdict::Pass, "", {}, 0};
    std::string reason;
    const std::string own = keys->files.empty() ? "" : launch_key(facts, reason);
    for (const auto& file : keys->files) {
        for (const auto& key : file.keys) {
            const bool is_own = !own.empty() && key.blob == own;
            if (!is_own) {
                out.verdict = Verdict::Manual;
            }
            out.add({is_own ? "the key pair that EC2 started the instance with" : kExpected,
                     described(key) + " " + key.comment.substr(0, kShownMax) +
                         (key.options.empty() ? "" : ", options " + key.options.substr(0, kShownMax)),
                     file.user + ", " + key.origin.text()});
        }
        for (const auto& line : file.unusable) {
            out.add({"a key", "a line that sshd skips", line.text()});
        }
    }
    if (out.evidence.empty()) {
        out.add({kExpected, "no keys", "authorized keys"});
    }
    if (out.verdict == Verdict::Manual) {
        out.reason = "a person must know whose keys these are" + reason;
    }
    add_unknown(keys->unknown, out);
    return out;
}

} // namespace

const Primitive kAuthorizedKeysPrimitive{
    "authorized-keys", "Keys that sshd takes are neither DSA nor short, and nobody else can write their files.",
    kArguments, evaluate};
const Primitive kAuthorizedKeysReviewPrimitive{
    "authorized-keys-review",
    "Keys that sshd takes, for a person to judge; passes where EC2's own is the only one.",
    {},
    evaluate_review};

} // namespace hostward::hardening
