// SPDX-License-Identifier: Apache-2.0
// Any bytes as a main file, a drop-in and two presets, parted by NUL: one policy in which the host's own rules come
// first and no endpoint of the main file is lost, or lines that name a file.
#include "agent/base/text.h"
#include "agent/config/config_file.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <set>
#include <string>

namespace {

using namespace hostward;
using config::ConfigFile;
using config::GuardConfig;

void check_error(const Error& error)
{
    FUZZ_CHECK(!error.text.empty());
    for (const auto line : split(error.text, '\n')) {
        FUZZ_CHECK(line.starts_with("file") || line.starts_with("and "));
    }
}

/// What parses of the parts; `all` becomes false if one does not.
std::vector<ConfigFile> parse_parts(const std::vector<std::string_view>& parts, std::size_t from, std::size_t to,
                                    config::FileKind kind, bool& all)
{
    std::vector<ConfigFile> out;
    for (std::size_t i = from; i < std::min(to, parts.size()); ++i) {
        auto parsed = config::parse_file(parts[i], "file" + std::to_string(i), kind);
        if (parsed) {
            out.push_back(parsed.take());
        } else {
            check_error(parsed.error());
            all = false;
        }
    }
    return out;
}

void check_endpoints(const GuardConfig& config, const ConfigFile& main_file)
{
    std::set<std::string> names;
    for (const auto& endpoint : config.endpoints) {
        names.insert(endpoint.name);
    }
    for (const auto& endpoint : main_file.endpoints) {
        FUZZ_CHECK(names.contains(endpoint.name));
    }
    FUZZ_CHECK(!main_file.endpoints.empty() || names.contains("imds"));
}

void check_rules(const GuardConfig& config, const std::vector<ConfigFile>& files)
{
    const auto is_of_preset = [](const config::Rule& rule) { return !rule.preset.empty(); };
    FUZZ_CHECK(std::ranges::is_partitioned(config.rules, std::not_fn(is_of_preset)));
    std::set<std::string> own;
    for (const auto& file : files) {
        for (const auto& rule : file.rules) {
            own.insert(rule.name);
        }
    }
    std::set<std::string> kept;
    for (const auto& rule : config.rules) {
        FUZZ_CHECK(is_of_preset(rule) != own.contains(rule.name));
        kept.insert(rule.name);
    }
    FUZZ_CHECK(std::ranges::includes(kept, own));
}

void check_settings(const GuardConfig& config, const std::vector<ConfigFile>& files)
{
    const ConfigFile& last = files.back();
    FUZZ_CHECK(!last.mode || last.mode->value == config.mode);
    FUZZ_CHECK(!last.seal_until_reboot || last.seal_until_reboot->value == config.seal_until_reboot);
    FUZZ_CHECK(!last.forwarded || last.forwarded->value == config.forwarded);
    FUZZ_CHECK(!last.bypass_sockets || last.bypass_sockets->value == config.bypass_sockets);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto parts = split(text, '\0');
    bool all = true;
    const auto files = parse_parts(parts, 0, 2, config::FileKind::Policy, all);
    const auto presets = parse_parts(parts, 2, 4, config::FileKind::Preset, all);
    if (!all) {
        return 0;
    }
    std::vector<config::NamedPreset> named;
    for (const auto& preset : presets) {
        named.push_back({preset.file, preset});
    }
    const auto config = config::merge(files, named);
    if (!config) {
        check_error(config.error());
        return 0;
    }
    check_endpoints(*config, files.front());
    check_rules(*config, files);
    check_settings(*config, files);
    return 0;
}
