// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include "hardening/models/conf_files.h"
#include "hardening/models/ini.h"
#include "hardening/models/lines.h"
#include "hardening/models/systemd_config.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kSystemdArguments{
    ArgumentSpec{"config", ValueType::Text, true, "`journald` for journald.conf and its drop-ins", {}},
    ArgumentSpec{"section", ValueType::Text, true, "without brackets", {}},
    ArgumentSpec{"key", ValueType::Text, true, "as systemd writes it", {}},
    ArgumentSpec{"values", ValueType::List, false, "one of these it must be; without: it must be set to something", {}},
    ArgumentSpec{"default", ValueType::Text, false, "what systemd takes when nothing sets it", {}},
};
constexpr std::array kKeyFileArguments{
    ArgumentSpec{"path", ValueType::Path, true, "a key file as GLib reads them; an absent one sets nothing", {}},
    ArgumentSpec{"section", ValueType::Text, true, "without brackets", {}},
    ArgumentSpec{"key", ValueType::Text, true, "as it is written", {}},
    ArgumentSpec{"values", ValueType::List, false, "one of these it must be; without: it must be set to something", {}},
    ArgumentSpec{"default", ValueType::Text, false, "what counts when nothing sets it", {}},
};

/// systemd's and GLib's words for yes and no, else the text itself.
std::string plain(std::string_view text)
{
    const std::string word = lower(text);
    constexpr std::array<std::string_view, 6> kYes{"1", "yes", "y", "true", "t", "on"};
    constexpr std::array<std::string_view, 6> kNo{"0", "no", "n", "false", "f", "off"};
    if (std::ranges::find(kYes, word) != kYes.end()) {
        return "yes";
    }
    return std::ranges::find(kNo, word) != kNo.end() ? "no" : word;
}

bool is_one_of(std::string_view value, const std::vector<std::string>& wanted)
{
    return std::ranges::any_of(wanted, [&](const auto& one) { return plain(one) == plain(value); });
}

std::string expected_of(const Arguments& arguments)
{
    std::string text;
    for (const auto& value : arguments.list_or_none("values")) {
        text += (text.empty() ? arguments.text("key") + "=" : " or ") + value;
    }
    return text.empty() ? arguments.text("key") + " is set" : text;
}

Outcome judge(const Arguments& arguments, const IniEntry* entry, const std::string& where)
{
    const std::string& key = arguments.text("key");
    const bool has_value = entry != nullptr || arguments.has("default");
    const std::string value = entry != nullptr ? entry->value : arguments.text_or("default", "");
    const bool fits = has_value && (!arguments.has("values") || is_one_of(value, arguments.list("values")));
    std::string found = key + " is not set";
    if (entry != nullptr) {
        found = key + "=" + value;
    } else if (has_value) {
        found += ", the default is " + value;
    }
    return Outcome::pass_if(fits, {expected_of(arguments), found, entry != nullptr ? entry->where.text() : where});
}

Result<Outcome> evaluate_systemd_config(const Arguments& arguments, Facts& facts)
{
    const auto& name = arguments.text("config");
    TRY_ASSIGN(const auto config, read_systemd_config(facts.host(), name));
    const auto* entry = config.ini.find(arguments.text("section"), arguments.text("key"));
    auto outcome = judge(arguments, entry, "/etc/systemd/" + name + ".conf, " + name + ".conf.d");
    if (config.ini.stops_at) {
        outcome.add({"a section header", "systemd reads nothing after this line", config.ini.stops_at->text()});
    }
    return outcome;
}

Result<Outcome> evaluate_key_file(const Arguments& arguments, Facts& facts)
{
    TRY_ASSIGN(const auto files, conf_file(facts.host(), arguments.text("path")));
    if (files.empty()) {
        return judge(arguments, nullptr, arguments.text("path"));
    }
    const Ini ini = parse_key_file(files.front().text, files.front().path);
    if (ini.stops_at) {
        return Outcome::cannot_tell(ini.stops_at->text() + " is malformed: GLib may refuse the whole file");
    }
    return judge(arguments, ini.find(arguments.text("section"), arguments.text("key")), files.front().path);
}

} // namespace

const Primitive kSystemdConfigPrimitive{
    "systemd_config", "A setting of one of systemd's own services, drop-ins included, has one of the values.",
    kSystemdArguments, evaluate_systemd_config};
const Primitive kKeyFilePrimitive{"key_file",
                                  "A setting in a key file (`[section]`, `key=value`) has one of the values.",
                                  kKeyFileArguments, evaluate_key_file};

} // namespace hostward::hardening
