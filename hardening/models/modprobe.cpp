// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/modprobe.h"

#include "hardening/models/conf_files.h"
#include "hardening/models/glob.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::string_view kBlanks = "\t "; // as kmod separates words

std::string_view next_word(std::string_view& rest)
{
    const auto start = rest.find_first_not_of(kBlanks);
    rest.remove_prefix(start == rest.npos ? rest.size() : start);
    const auto end = rest.find_first_of(kBlanks);
    const auto word = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    return word;
}

/// Lines with `\` at the end joined; the number is the last one's.
void for_each_joined_line(std::string_view text, const std::function<void(std::string_view, std::uint32_t)>& each)
{
    std::string joined;
    std::uint32_t last = 0;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        joined += line;
        last = number;
        if (!joined.empty() && joined.back() == '\\') {
            joined.pop_back();
            return;
        }
        each(joined, number);
        joined.clear();
    });
    if (!joined.empty()) {
        each(joined, last);
    }
}

} // namespace

std::string module_name(std::string_view name)
{
    std::string out(name);
    bool is_in_set = false;
    for (auto& c : out) {
        is_in_set = c == '[' || (is_in_set && c != ']');
        c = c == '-' && !is_in_set ? '_' : c;
    }
    return out;
}

bool loads_nothing(std::string_view command)
{
    command = trimmed(command);
    for (const std::string_view folder : {"/usr/bin/", "/bin/"}) {
        if (command.starts_with(folder)) {
            command.remove_prefix(folder.size());
            break;
        }
    }
    return command == "true" || command == "false";
}

const InstallCommand* ModprobeConfig::install_of(std::string_view module) const
{
    const std::string name = module_name(module);
    const auto found = std::ranges::find_if(installs, [&](const auto& one) { return matches_text(one.modules, name); });
    return found == installs.end() ? nullptr : &*found;
}

const BlacklistedModule* ModprobeConfig::blacklisting(std::string_view module) const
{
    const auto found = std::ranges::find(blacklist, module_name(module), &BlacklistedModule::module);
    return found == blacklist.end() ? nullptr : &*found;
}

void ModprobeConfig::parse(std::string_view text, const std::string& file)
{
    for_each_joined_line(text, [&](std::string_view line, std::uint32_t number) {
        auto rest = line;
        const auto word = next_word(rest);
        if (word != "install" && word != "blacklist") {
            return;
        }
        const auto module = next_word(rest);
        if (word == "blacklist" && !module.empty()) {
            blacklist.push_back({module_name(module), Origin{file, number}});
        }
        if (word == "install" && !module.empty() && !rest.empty()) {
            installs.push_back({module_name(module), std::string(rest), Origin{file, number}});
        }
    });
}

Result<ModprobeConfig> ModprobeConfig::read(Facts& facts)
{
    ModprobeConfig config;
    TRY_ASSIGN(const auto files, conf_files(facts.host(), conf_folders("modprobe.d"), ".conf"));
    for (const auto& file : files) {
        config.parse(file.text, file.path);
    }
    return config;
}

} // namespace hostward::hardening
