// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/file_set.h"
#include "hardening/models/lines.h"
#include "hardening/models/pattern.h"
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 2> kExpect{"present", "absent"};
constexpr std::array<std::string_view, 2> kMissing{"pass", "fail"};
constexpr std::array kArguments{
    ArgumentSpec{"path", ValueType::List, true, "paths; * ? [ ] match within one component", {}},
    ArgumentSpec{"pattern", ValueType::Regex, true, "found anywhere in a line", {}},
    ArgumentSpec{"expect", ValueType::Text, true, "some line is like this, or none is", kExpect},
    ArgumentSpec{"ignore_case", ValueType::Flag, false, "letters of either case match", {}},
    ArgumentSpec{"comment", ValueType::Text, false, "lines that begin with one of these characters do not count", {}},
    ArgumentSpec{"missing", ValueType::Text, false, "the verdict when no file is there; fail where not given",
                 kMissing},
};
constexpr std::size_t kShownMax = 200; ///< bytes of a line kept as evidence

struct Match {
    std::string line;
    Origin origin;
};

struct Search {
    std::vector<Match> matches;
    std::vector<std::string> files;
};

Result<Search> search(const Arguments& arguments, Facts& facts)
{
    const Case letters = arguments.flag_or("ignore_case", false) ? Case::Ignore : Case::Exact;
    TRY_ASSIGN(const Pattern pattern, Pattern::compile(arguments.text("pattern"), letters));
    const std::string comment = arguments.text_or("comment", "");
    Search found;
    for (const auto& path : arguments.list("path")) {
        TRY_ASSIGN(const auto files, find_files(facts.host(), path));
        for (const auto& file : files) {
            if (file.facts.type != host::FileType::Regular) {
                continue;
            }
            TRY_ASSIGN(const std::string text, facts.host().read(file.path));
            found.files.push_back(file.path);
            for_each_line(text, [&](std::string_view line, std::uint32_t number) {
                const auto words = trimmed(line);
                const bool is_comment = !words.empty() && comment.find(words[0]) != std::string::npos;
                if (!is_comment && pattern.matches(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line)) {
                    found.matches.push_back({std::string(line.substr(0, kShownMax)), Origin{file.path, number}});
                }
            });
        }
    }
    return found;
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const Search found, search(arguments, facts));
    const bool wants = arguments.text("expect") == "present";
    const std::string expected = (wants ? "a line like " : "no line like ") + arguments.text("pattern");
    if (found.files.empty()) {
        return Outcome::pass_if(arguments.text_or("missing", "fail") == "pass",
                                {expected, "no such file", arguments.list("path").front()});
    }
    Outcome out;
    out.verdict = wants != found.matches.empty() ? Verdict::Pass : Verdict::Fail;
    for (const auto& match : found.matches) {
        out.add({expected, match.line, match.origin.text()});
    }
    if (found.matches.empty()) {
        out.add({expected, "no such line in " + std::to_string(found.files.size()) + " files", found.files.front()});
    }
    return out;
}

} // namespace

const Primitive kFileLinesPrimitive{"file-lines", "Some line, or no line, of the files is like a pattern.", kArguments,
                                    evaluate};

} // namespace hostward::hardening
