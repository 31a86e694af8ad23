// SPDX-License-Identifier: Apache-2.0
// What a person who must judge wants to look at: collected, not judged.
#include "hardening/models/file_set.h"
#include "hardening/models/lines.h"
#include "hardening/models/pattern.h"
#include "hardening/models/sweep.h"
#include "hardening/primitives/primitives.h"

#include <array>
#include <optional>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"path", ValueType::List, true, "paths; * ? [ ] match within one component", {}},
    ArgumentSpec{"pattern", ValueType::Regex, false, "lines like this; the files themselves where not given", {}},
    ArgumentSpec{"question", ValueType::Text, true, "what is to be judged", {}},
};
constexpr std::array kSetIdArguments{
    ArgumentSpec{"question", ValueType::Text, true, "what is to be judged", {}},
};
constexpr std::size_t kShownMax = 200;                      ///< bytes of a line
constexpr std::size_t kFileBytesMax = std::size_t{1} << 20; ///< of a file that is looked into
constexpr auto kJudge = "a person must judge this";

/// Addresses without the name and the password before `@`.
std::string without_secrets(std::string line)
{
    for (auto at = line.find("://"); at != line.npos; at = line.find("://", at + 1)) {
        const auto end = line.find_first_of("/ \t?#\"'", at + 3);
        const auto sign = line.substr(0, end).rfind('@');
        if (sign != line.npos && sign > at) {
            line.replace(at + 3, sign - at - 3, "***");
        }
    }
    return line.substr(0, kShownMax);
}

Status add_lines(const host::Host& host, const FoundFile& file, const Pattern& pattern, const std::string& question,
                 Outcome& out)
{
    TRY_ASSIGN(const std::string text, host.read(file.path, kFileBytesMax));
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        if (pattern.matches(line)) {
            out.add({question, without_secrets(std::string(trimmed(line))), Origin{file.path, number}.text()});
        }
    });
    return success();
}

/// What cannot be looked at is said, and does not make the whole unknown: the person may look.
Result<Outcome> evaluate_files(const Arguments& arguments, Facts& facts)
{
    std::optional<Pattern> pattern;
    if (arguments.has("pattern")) {
        TRY_ASSIGN(pattern, Pattern::compile(arguments.text("pattern")));
    }
    const auto& question = arguments.text("question");
    Outcome out{Verdict::Manual, kJudge, {}, 0};
    for (const auto& path : arguments.list("path")) {
        const auto files = find_files(facts.host(), path);
        if (!files) {
            out.reason += "; not looked at: " + files.error().text;
            continue;
        }
        for (const auto& file : *files) {
            if (file.facts.type != host::FileType::Regular) {
                continue;
            }
            if (!pattern) {
                out.add({question, std::to_string(file.facts.size) + " bytes", file.path});
            } else if (const auto added = add_lines(facts.host(), file, *pattern, question, out); !added) {
                out.reason += "; not looked at: " + added.error().text;
            }
        }
    }
    if (out.evidence.empty()) {
        out.add({question, "none", joined(arguments.list("path"), ", ")});
    }
    return out;
}

Result<Outcome> evaluate_set_id(const Arguments& arguments, Facts& facts)
{
    Outcome out{Verdict::Manual, kJudge, {}, 0};
    const auto& sweep = facts.get<Sweep>();
    if (!sweep) {
        out.reason += "; not collected: " + sweep.error().text;
        return out;
    }
    for (const auto& file : sweep->set_id_files.kept) {
        out.add(
            {arguments.text("question"),
             "mode " + octal(file.mode) + ", owner " + std::to_string(file.uid) + ", group " + std::to_string(file.gid),
             file.path});
    }
    out.evidence_dropped += sweep->set_id_files.count - sweep->set_id_files.kept.size();
    for (const auto& reason : sweep->partial) {
        out.reason += "; not everything was seen: " + reason;
    }
    return out;
}

} // namespace

const Primitive kReviewFilesPrimitive{
    "review-files", "Files, or lines of files, for a person to judge. Secrets in addresses are left out.", kArguments,
    evaluate_files};
const Primitive kReviewSetIdPrimitive{"review-set-id", "Programs with SUID or SGID, for a person to judge.",
                                      kSetIdArguments, evaluate_set_id};

} // namespace hostward::hardening
