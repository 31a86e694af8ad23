// SPDX-License-Identifier: Apache-2.0
// User data: what the instance was started with. Everybody who reaches the metadata service can read it, and so can who
// may describe the instance.
#include "hardening/models/file_set.h"
#include "hardening/models/lines.h"
#include "hardening/models/secrets.h"
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"path", ValueType::List, true, "copies that cloud-init keeps; * ? [ ] match within one component", {}},
};
constexpr auto kItem = "user-data";
constexpr auto kExpected = "no secret";
constexpr std::string_view kGzip = "\x1f\x8b";

/// What was seen in all places: one that cannot be looked into leaves the rest undecided.
struct Seen {
    Outcome out{Verdict::Pass, "", {}, 0};
    std::string unknown;

    void cannot(const std::string& why) { unknown += (unknown.empty() ? "" : "; ") + why; }

    void look(const std::string& text, const std::string& where)
    {
        if (text.starts_with(kGzip)) {
            cannot(where + " is compressed");
            return;
        }
        const auto secrets = find_secrets(text);
        for (const auto& secret : secrets) {
            out.verdict = Verdict::Fail;
            out.add({kExpected, secret.what, Origin{where, secret.line}.text()});
        }
        if (secrets.empty()) {
            out.add({kExpected, "none in " + std::to_string(text.size()) + " bytes", where});
        }
    }
};

void look_at_files(const std::string& pattern, const host::Host& host, Seen& seen)
{
    const auto files = find_files(host, pattern);
    if (!files) {
        seen.cannot(files.error().text);
        return;
    }
    for (const auto& file : *files) {
        if (file.facts.type != host::FileType::Regular) {
            continue;
        }
        if (const auto text = host.read(file.path)) {
            seen.look(*text, file.path);
        } else {
            seen.cannot(text.error().text);
        }
    }
}

/// The service's own answer where there is a service to ask; a copy says what it was at the last start.
void look_at_service(Facts& facts, Seen& seen)
{
    const auto text = facts.surroundings().metadata(kItem);
    if (text) {
        seen.look(*text, std::string("metadata service, ") + kItem);
    } else if (text.error().kind == ErrorKind::NotFound) {
        seen.out.add({kExpected, "there is no user data", std::string("metadata service, ") + kItem});
    } else if (seen.out.evidence.empty()) {
        seen.cannot(text.error().text);
    }
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    Seen seen;
    for (const auto& pattern : arguments.list("path")) {
        look_at_files(pattern, facts.host(), seen);
    }
    if (facts.host().is_running()) {
        look_at_service(facts, seen);
    } else if (seen.out.evidence.empty() && seen.unknown.empty()) {
        return Outcome::not_applicable("this image has no user data: it was not started, or was cleaned");
    }
    if (seen.out.verdict != Verdict::Fail && !seen.unknown.empty()) {
        seen.out.verdict = Verdict::CannotTell;
        seen.out.reason = seen.unknown;
    }
    return seen.out;
}

} // namespace

const Primitive kUserDataPrimitive{
    "user-data", "The instance's user data has no secret: asked of the metadata service, and in cloud-init's copies.",
    kArguments, evaluate};

} // namespace hostward::hardening
