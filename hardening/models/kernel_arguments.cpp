// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/kernel_arguments.h"

#include "hardening/models/conf_files.h"
#include "hardening/models/shell_assignments.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kGrubConfigs = {"/boot/grub/grub.cfg", "/boot/grub2/grub.cfg"};
constexpr std::array kGrubEnvironments = {"/boot/grub2/grubenv", "/boot/grub/grubenv"};
constexpr auto kEntriesFolder = "/boot/loader/entries";
constexpr auto kEfiFolder = "/boot/efi/EFI";

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// The next argument as the kernel's next_arg() takes it.
std::string_view take_argument(std::string_view& rest)
{
    bool is_quoted = false;
    std::size_t end = 0;
    for (; end < rest.size() && (is_quoted || !is_space(rest[end])); ++end) {
        is_quoted = rest[end] == '"' ? !is_quoted : is_quoted;
    }
    const auto argument = rest.substr(0, end);
    rest.remove_prefix(end);
    while (!rest.empty() && is_space(rest.front())) {
        rest.remove_prefix(1);
    }
    return argument;
}

std::string_view unquoted(std::string_view text)
{
    if (text.starts_with('"')) {
        text.remove_prefix(1);
        text.remove_suffix(text.ends_with('"') ? 1 : 0);
    }
    return text;
}

std::string same_dashes(std::string_view name)
{
    std::string out(name);
    std::ranges::replace(out, '-', '_');
    return out;
}

bool is_name_char(char c)
{
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string value_of(const std::vector<Variable>& variables, std::string_view name)
{
    const auto found =
        std::find_if(variables.rbegin(), variables.rend(), [&](const auto& one) { return one.name == name; });
    return found == variables.rend() ? "" : found->value;
}

/// `$name` and `${name}` replaced; a name without a value is empty, as in GRUB.
std::string expanded(std::string_view text, const std::vector<Variable>& variables)
{
    std::string out;
    while (!text.empty()) {
        const auto dollar = text.find('$');
        out += text.substr(0, dollar);
        text.remove_prefix(dollar == text.npos ? text.size() : dollar + 1);
        if (dollar == text.npos) {
            break;
        }
        const bool has_brace = text.starts_with('{');
        text.remove_prefix(has_brace ? 1 : 0);
        const auto end = std::ranges::find_if_not(text, is_name_char) - text.begin();
        const auto name = text.substr(0, static_cast<std::size_t>(end));
        out += name.empty() ? "$" : value_of(variables, name);
        text.remove_prefix(name.size());
        text.remove_prefix(has_brace && text.starts_with('}') ? 1 : 0);
    }
    return out;
}

/// Words of a `linux` line without the command and the kernel's path, as text again.
std::string arguments_text(const std::vector<std::string>& words)
{
    std::string text;
    for (std::size_t at = 2; at < words.size(); ++at) {
        const bool has_blank = words[at].find_first_of(" \t") != std::string::npos;
        text += (text.empty() ? "" : " ") + (has_blank ? "\"" + words[at] + "\"" : words[at]);
    }
    return text;
}

Result<std::vector<Variable>> read_grubenv(const host::Host& host)
{
    for (const auto* path : kGrubEnvironments) {
        TRY_ASSIGN(const auto files, conf_file(host, path));
        if (!files.empty()) {
            return parse_grubenv(files.front().text);
        }
    }
    return std::vector<Variable>{};
}

Status add_grub_config(const host::Host& host, const std::string& path, std::vector<BootEntry>& entries)
{
    TRY_ASSIGN(const auto files, conf_file(host, path));
    for (const auto& file : files) {
        for (auto& entry : parse_grub_config(file.text, file.path)) {
            entries.push_back(std::move(entry));
        }
    }
    return success();
}

/// grub.cfg of each vendor on the EFI partition. Most only point to the one in /boot.
Status add_efi_configs(const host::Host& host, std::vector<BootEntry>& entries)
{
    TRY_ASSIGN(const auto vendors, host::list_optional(host, kEfiFolder));
    for (const auto& vendor : vendors) {
        TRY(add_grub_config(host, std::string(kEfiFolder) + "/" + vendor + "/grub.cfg", entries));
    }
    return success();
}

} // namespace

std::vector<KernelArgument> parse_kernel_arguments(std::string_view text)
{
    std::vector<KernelArgument> arguments;
    while (!text.empty() && is_space(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty()) {
        const auto argument = take_argument(text);
        if (argument == "--") {
            break;
        }
        const auto whole = unquoted(argument);
        const auto equals = whole.find('=');
        if (equals == whole.npos) {
            arguments.push_back({std::string(whole), std::nullopt});
        } else {
            arguments.push_back(
                {std::string(whole.substr(0, equals)), std::string(unquoted(whole.substr(equals + 1)))});
        }
    }
    return arguments;
}

const KernelArgument* find_argument(const std::vector<KernelArgument>& all, std::string_view name)
{
    const KernelArgument* last = nullptr;
    for (const auto& one : all) {
        last = same_dashes(one.name) == same_dashes(name) ? &one : last;
    }
    return last;
}

std::vector<BootEntry> parse_grub_config(std::string_view text, const std::string& file)
{
    std::vector<BootEntry> entries;
    std::vector<Variable> variables;
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto parts = shell_words(line);
        if (parts.empty()) {
            return;
        }
        const auto equals = parts.size() == 2 ? parts[1].find('=') : std::string::npos;
        if (parts[0] == "set" && equals != std::string::npos) {
            variables.push_back({parts[1].substr(0, equals), expanded(parts[1].substr(equals + 1), variables)});
        }
        if (parts[0] == "linux" || parts[0] == "linux16" || parts[0] == "linuxefi") {
            entries.push_back(
                {parse_kernel_arguments(expanded(arguments_text(parts), variables)), Origin{file, number}});
        }
    });
    return entries;
}

std::vector<Variable> parse_grubenv(std::string_view text)
{
    std::vector<Variable> variables;
    for_each_line(text, [&](std::string_view line, std::uint32_t /*number*/) {
        const auto equals = line.find('=');
        if (!line.starts_with('#') && equals != line.npos) {
            variables.push_back({std::string(line.substr(0, equals)), std::string(line.substr(equals + 1))});
        }
    });
    return variables;
}

BootEntry parse_bls_entry(std::string_view text, const std::string& file, const std::vector<Variable>& variables)
{
    BootEntry entry{{}, Origin{file, 0}};
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        const auto shown = trimmed(line);
        if (!shown.starts_with("options") || shown.size() == 7 || !is_space(shown[7])) {
            return;
        }
        for (auto& argument : parse_kernel_arguments(expanded(shown.substr(8), variables))) {
            entry.arguments.push_back(std::move(argument));
        }
        entry.where.line = number;
    });
    return entry;
}

Result<BootEntries> BootEntries::read(Facts& facts)
{
    const auto& host = facts.host();
    BootEntries found;
    for (const auto* path : kGrubConfigs) {
        TRY(add_grub_config(host, path, found.entries));
    }
    TRY(add_efi_configs(host, found.entries));
    TRY_ASSIGN(const auto variables, read_grubenv(host));
    const std::vector<std::string> folder{kEntriesFolder};
    TRY_ASSIGN(const auto files, conf_files(host, folder, ".conf"));
    for (const auto& file : files) {
        found.entries.push_back(parse_bls_entry(file.text, file.path, variables));
    }
    return found;
}

Result<RunningArguments> RunningArguments::read(Facts& facts)
{
    TRY_ASSIGN(const auto text, host::read_kernel(facts.host(), "/proc/cmdline"));
    return RunningArguments{parse_kernel_arguments(text)};
}

} // namespace hostward::hardening
