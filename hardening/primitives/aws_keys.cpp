// SPDX-License-Identifier: Apache-2.0
// Long-lived AWS keys in files where people and programs keep them.
#include "hardening/models/accounts.h"
#include "hardening/models/file_set.h"
#include "hardening/models/lines.h"
#include "hardening/models/secrets.h"
#include "hardening/primitives/primitives.h"

#include <array>
#include <set>

namespace hostward::hardening {

namespace {

constexpr std::array kArguments{
    ArgumentSpec{"home", ValueType::List, true, "names of files in every home directory of passwd(5)", {}},
    ArgumentSpec{"path", ValueType::List, true, "further files; * ? [ ] match within one component", {}},
    ArgumentSpec{"units", ValueType::List, true, "unit files, whose EnvironmentFile= are looked at, too", {}},
};
constexpr std::size_t kFileBytesMax = std::size_t{4} << 20; ///< histories grow
constexpr std::size_t kFilesMax = 20'000;
constexpr std::size_t kBytesMax = std::size_t{256} << 20; ///< of all files: an image may be made to keep us busy
constexpr std::size_t kUnknownShown = 3;
constexpr auto kExpected = "no long-lived AWS key";
constexpr std::string_view kNoConfig = "/etc/alternatives/"; ///< links to programs and libraries

/// Looks at each file once, and remembers what it could not look at.
class Search {
public:
    explicit Search(const host::Host& host) : host_(host) {}

    void cannot(const std::string& why)
    {
        ++unknown_count_;
        if (unknown_count_ <= kUnknownShown) {
            unknown_ += (unknown_.empty() ? "" : "; ") + why;
        }
    }

    void look(const std::string& path)
    {
        if (path.starts_with(kNoConfig) || !seen_.insert(path).second) {
            return;
        }
        if (seen_.size() > kFilesMax || bytes_ > kBytesMax) {
            is_full_ = true;
            return;
        }
        const auto text = host_.read(path, kFileBytesMax);
        if (text) {
            ++count_;
            bytes_ += text->size();
            for (const auto& key : find_aws_keys(*text)) {
                out_.verdict = Verdict::Fail;
                out_.add({kExpected, key.what, Origin{path, key.line}.text()});
            }
        } else if (text.error().kind != ErrorKind::NotFound && text.error().kind != ErrorKind::Invalid) {
            cannot(text.error().text);
        }
    }

    /// Regular files only: a home may have a pipe of this name.
    void look_at_all(const std::string& pattern)
    {
        const auto files = find_files(host_, pattern);
        if (!files) {
            cannot(files.error().text);
            return;
        }
        for (const auto& file : *files) {
            if (file.facts.type == host::FileType::Regular) {
                look(file.path);
            }
        }
    }

    void look_in_home(const std::string& home, const std::string& name)
    {
        // A home may have pattern characters in its name.
        const std::string path = home + "/" + name;
        const auto facts = host_.facts(path);
        if (facts && facts->type == host::FileType::Regular) {
            look(path);
        } else if (!facts && facts.error().kind != ErrorKind::NotFound) {
            cannot(facts.error().text);
        }
    }

    /// EnvironmentFile= may lie anywhere; `-` before a path means that it may be absent.
    void look_at_units(const std::string& pattern)
    {
        const auto files = find_files(host_, pattern);
        for (const auto& file : files ? *files : std::vector<FoundFile>{}) {
            const auto text = file.facts.type == host::FileType::Regular ? host::read_optional(host_, file.path)
                                                                         : std::optional<std::string>{};
            if (!text || !*text) {
                continue; // what cannot be read here is seen as a file of its own
            }
            for (const auto& path : environment_files(**text)) {
                look_at_all(path);
            }
        }
        look_at_all(pattern);
    }

    Outcome take()
    {
        out_.add({kExpected, std::to_string(count_) + " files were looked at", "home directories, /etc, units"});
        if (is_full_) {
            cannot("there are more than 20000 files, or 256 MiB, to look at");
        }
        if (unknown_count_ > 0 && out_.verdict != Verdict::Fail) {
            out_.verdict = Verdict::CannotTell;
            out_.reason = std::to_string(unknown_count_) + " places could not be looked at: " + unknown_;
        }
        return std::move(out_);
    }

private:
    static std::vector<std::string> environment_files(std::string_view unit)
    {
        constexpr std::string_view kKey = "EnvironmentFile=";
        std::vector<std::string> out;
        for_each_line(unit, [&](std::string_view line, std::uint32_t) {
            line = trimmed(line);
            if (!line.starts_with(kKey)) {
                return;
            }
            line.remove_prefix(kKey.size());
            if (line.starts_with('-')) {
                line.remove_prefix(1);
            }
            // `%` are systemd's specifiers: of units with instances, whose names are not known here.
            if (line.starts_with('/') && line.find('%') == line.npos) {
                out.emplace_back(line);
            }
        });
        return out;
    }

    const host::Host& host_;
    std::set<std::string> seen_;
    Outcome out_{Verdict::Pass, "", {}, 0};
    std::string unknown_;
    std::size_t unknown_count_ = 0;
    std::size_t count_ = 0;
    std::size_t bytes_ = 0;
    bool is_full_ = false;
};

Result<Outcome> evaluate(const Arguments& arguments, Facts& facts)
{
    const auto& passwd = facts.get<Passwd>();
    if (!passwd) {
        return passwd.error();
    }
    Search search(facts.host());
    if (!passwd->is_there) {
        search.cannot("/etc/passwd is missing: whose homes there are is not known");
    }
    std::set<std::string> homes{"/root"};
    for (const auto& user : passwd->users) {
        if (user.home.starts_with('/') && user.home != "/") {
            homes.insert(user.home);
        }
    }
    for (const auto& home : homes) {
        for (const auto& name : arguments.list("home")) {
            search.look_in_home(home, name);
        }
    }
    for (const auto& pattern : arguments.list("units")) {
        search.look_at_units(pattern);
    }
    for (const auto& pattern : arguments.list("path")) {
        search.look_at_all(pattern);
    }
    return search.take();
}

} // namespace

const Primitive kAwsKeysPrimitive{
    "aws-keys", "No file has the id of a long-lived AWS key (AKIA...) together with its secret.", kArguments, evaluate};

} // namespace hostward::hardening
