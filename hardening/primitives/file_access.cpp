// SPDX-License-Identifier: Apache-2.0
#include "agent/base/text.h"
#include "hardening/models/accounts.h"
#include "hardening/models/file_set.h"
#include "hardening/models/lines.h"
#include "hardening/models/pattern.h"
#include "hardening/primitives/primitives.h"

#include <algorithm>
#include <array>
#include <optional>

namespace hostward::hardening {

namespace {

constexpr std::array<std::string_view, 2> kMissing{"pass", "fail"};
constexpr std::array<std::string_view, 3> kTypes{"any", "file", "directory"};
constexpr std::array kArguments{
    ArgumentSpec{"path", ValueType::List, true, "paths; * ? [ ] match within one component", {}},
    ArgumentSpec{"mode_max", ValueType::Mode, false, "no permission bit beyond these", {}},
    ArgumentSpec{"owner", ValueType::List, false, "users, one of whom must own each file", {}},
    ArgumentSpec{"group", ValueType::List, false, "groups, one of which each file must have", {}},
    ArgumentSpec{"type", ValueType::Text, false, "only files or only directories count; any where not given", kTypes},
    ArgumentSpec{"content", ValueType::Regex, false, "only files with a line like this count", {}},
    ArgumentSpec{"missing", ValueType::Text, false, "the verdict when nothing is there; pass where not given",
                 kMissing},
};
/// Of a file whose content decides whether it counts: keys and their like.
constexpr std::size_t kContentBytesMax = std::size_t{256} << 10;

/// Numbers of those names that exist. root is 0 even where nobody says so.
template <typename Model, typename Number>
Result<std::vector<std::uint32_t>> ids_of(const std::vector<std::string>& names, Facts& facts, Number number)
{
    std::vector<std::uint32_t> ids;
    for (const auto& name : names) {
        if (name == "root") {
            ids.push_back(0);
            continue;
        }
        const auto& model = facts.get<Model>();
        if (!model) {
            return model.error();
        }
        if (const auto* found = model->find(name)) {
            ids.push_back(number(*found));
        }
    }
    return ids;
}

struct Wanted {
    std::optional<std::uint32_t> mode_max;
    std::vector<std::uint32_t> owners; ///< empty with an owner wanted: nobody will do
    std::vector<std::uint32_t> groups;
    bool has_owner = false;
    bool has_group = false;
    std::string expected;
};

Result<Wanted> wanted_of(const Arguments& arguments, Facts& facts)
{
    Wanted wanted;
    const auto owners = arguments.list_or_none("owner");
    const auto groups = arguments.list_or_none("group");
    wanted.has_owner = !owners.empty();
    wanted.has_group = !groups.empty();
    TRY_ASSIGN(wanted.owners, ids_of<Passwd>(owners, facts, [](const User& user) { return user.uid; }));
    TRY_ASSIGN(wanted.groups, ids_of<Groups>(groups, facts, [](const Group& group) { return group.gid; }));
    if (arguments.has("mode_max")) {
        wanted.mode_max = arguments.mode("mode_max");
        wanted.expected = "mode " + octal(*wanted.mode_max) + " or less";
    }
    const auto also = [&](const std::string& text) { wanted.expected += (wanted.expected.empty() ? "" : ", ") + text; };
    if (wanted.has_owner) {
        also("owner " + joined(owners, " or "));
    }
    if (wanted.has_group) {
        also("group " + joined(groups, " or "));
    }
    return wanted;
}

bool fits(const Wanted& wanted, const host::FileFacts& facts)
{
    const auto has = [](const std::vector<std::uint32_t>& ids, std::uint32_t id) {
        return std::ranges::find(ids, id) != ids.end();
    };
    return (!wanted.mode_max || (facts.mode & ~*wanted.mode_max) == 0) &&
           (!wanted.has_owner || has(wanted.owners, facts.uid)) && (!wanted.has_group || has(wanted.groups, facts.gid));
}

bool is_of_type(const host::FileFacts& facts, const std::string& type)
{
    return type == "any" || facts.type == (type == "file" ? host::FileType::Regular : host::FileType::Directory);
}

/// Whether the file's content makes it one of those meant.
Result<bool> counts(const FoundFile& file, const std::optional<Pattern>& content, Facts& facts)
{
    if (!content) {
        return true;
    }
    if (file.facts.type != host::FileType::Regular || file.facts.size > kContentBytesMax) {
        return false;
    }
    TRY_ASSIGN(const std::string text, facts.host().read(file.path));
    bool found = false;
    for_each_line(text,
                  [&](std::string_view line, std::uint32_t /*number*/) { found = found || content->matches(line); });
    return found;
}

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const Wanted wanted, wanted_of(arguments, facts));
    std::optional<Pattern> content;
    if (arguments.has("content")) {
        TRY_ASSIGN(content, Pattern::compile(arguments.text("content")));
    }
    const std::string type = arguments.text_or("type", "any");
    Outcome out;
    out.verdict = Verdict::Pass;
    std::size_t seen = 0;
    std::vector<Evidence> good;
    for (const auto& path : arguments.list("path")) {
        TRY_ASSIGN(const auto files, find_files(facts.host(), path));
        for (const auto& file : files) {
            TRY_ASSIGN(const bool is_meant, counts(file, content, facts));
            if (!is_meant || !is_of_type(file.facts, type)) {
                continue;
            }
            ++seen;
            Evidence evidence{wanted.expected,
                              "mode " + octal(file.facts.mode) + ", owner " + std::to_string(file.facts.uid) +
                                  ", group " + std::to_string(file.facts.gid),
                              file.path};
            if (fits(wanted, file.facts)) {
                good.push_back(std::move(evidence));
            } else {
                out.verdict = Verdict::Fail;
                out.add(std::move(evidence));
            }
        }
    }
    for (auto& evidence : good) { // what is wrong comes first
        out.add(std::move(evidence));
    }
    if (seen == 0) {
        const bool is_fine = arguments.text_or("missing", "pass") == "pass";
        out = Outcome::pass_if(is_fine, {wanted.expected, "no such file", joined(arguments.list("path"), " or ")});
    }
    return out;
}

} // namespace

const Primitive kFileAccessPrimitive{
    "file-access", "Every file has an allowed owner, an allowed group and no permission beyond the mode.", kArguments,
    evaluate};

} // namespace hostward::hardening
