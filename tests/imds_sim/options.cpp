// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/options.h"

#include "agent/base/text.h"

#include <algorithm>
#include <array>

namespace hostward::imds_sim {

namespace {

using Value = std::string_view;

Status set_listen(Options& options, Value value)
{
    options.listen.clear();
    for (const auto address : split(value, ',')) {
        if (address.empty()) {
            return invalid_error("--listen: an address is empty");
        }
        options.listen.emplace_back(address);
    }
    return success();
}

Status set_port(Options& options, Value value)
{
    const auto port = parse_number<std::uint16_t>(value);
    if (!port) {
        return invalid_error("--port: must be 0 to 65535");
    }
    options.port = *port;
    return success();
}

Status set_leaf_file(Options& options, Value value)
{
    const auto equals = value.find('=');
    if (equals == Value::npos || equals == 0 || equals + 1 == value.size()) {
        return invalid_error("--leaf: must be ITEM_PATH=FILE");
    }
    options.leaves.emplace_back(value.substr(0, equals), value.substr(equals + 1));
    return success();
}

Status set_ready_fd(Options& options, Value value)
{
    const auto fd = parse_number<int>(value);
    if (!fd || *fd < 0) {
        return invalid_error("--ready-fd: must be a descriptor number");
    }
    options.ready_fd = *fd;
    return success();
}

/// The option is a setting under another spelling: --hop-limit 2 is hop-limit=2.
Status set_setting(Options& options, Value name, Value value)
{
    return apply_setting(std::string(name) + "=" + std::string(value), options.settings);
}

struct OptionRow {
    Value name;
    Value argument; ///< empty: takes none
    Value help;
    Status (*apply)(Options&, Value);
};

constexpr std::array<OptionRow, 13> kOptions{{
    {"--listen", "ADDR[,ADDR]", "addresses (169.254.169.254,fd00:ec2::254)", set_listen},
    {"--port", "N", "port (80); 0 takes a free one", set_port},
    {"--builtin", "NAME", "serve a built-in tree (plain)",
     [](Options& o, Value v) { return o.builtin = v, success(); }},
    {"--tree", "FILE", "serve a tree from a JSON file", [](Options& o, Value v) { return o.tree_file = v, success(); }},
    {"--leaf", "PATH=FILE", "serve FILE's bytes at PATH, such as user-data", set_leaf_file},
    {"--http-tokens", "MODE", "required (default) or optional",
     [](Options& o, Value v) { return set_setting(o, "http-tokens", v); }},
    {"--http-endpoint", "MODE", "enabled (default) or disabled",
     [](Options& o, Value v) { return set_setting(o, "http-endpoint", v); }},
    {"--hop-limit", "N", "IP TTL of the token answer, 1 to 64 (1)",
     [](Options& o, Value v) { return set_setting(o, "hop-limit", v); }},
    {"--fault", "SETTING", "a fault from the start, repeatable",
     [](Options& o, Value v) { return apply_setting(v, o.settings); }},
    {"--control", "FILE", "settings read anew for each request",
     [](Options& o, Value v) { return o.control_file = v, success(); }},
    {"--log", "FILE", "append one JSON line per request",
     [](Options& o, Value v) { return o.log_file = v, success(); }},
    {"--ready-fd", "N", "print \"ready\" there (standard output)", set_ready_fd},
    {"--list-trees", "", "print the built-in trees' names",
     [](Options& o, Value) { return o.list_trees = true, success(); }},
}};

} // namespace

Result<Options> parse_options(std::span<const std::string_view> arguments)
{
    Options options;
    bool has_builtin = false;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
        const auto equals = arguments[i].find('=');
        const Value name = arguments[i].substr(0, equals);
        if (name == "--help" || name == "-h") {
            options.show_help = true;
            return options;
        }
        const auto* row = std::ranges::find(kOptions, name, &OptionRow::name);
        if (row == kOptions.end()) {
            return invalid_error("unknown argument " + quote(arguments[i]) + "; see --help");
        }
        const bool has_value = equals != Value::npos;
        if (row->argument.empty() && has_value) {
            return invalid_error(std::string(name) + " takes no value");
        }
        if (!row->argument.empty() && !has_value && i + 1 == arguments.size()) {
            return invalid_error(std::string(name) + " needs a value: " + std::string(row->argument));
        }
        const Value value = row->argument.empty() ? "" : has_value ? arguments[i].substr(equals + 1) : arguments[++i];
        TRY(row->apply(options, value));
        has_builtin = has_builtin || name == "--builtin";
    }
    if (has_builtin && options.tree_file) {
        return invalid_error("--builtin and --tree exclude each other");
    }
    return options;
}

std::string help_text()
{
    constexpr std::size_t kColumn = 28;
    std::string out = "Usage: imds_sim [OPTION...]\n"
                      "A strict simulator of the EC2 instance metadata service.\n\n";
    for (const auto& row : kOptions) {
        std::string line = "  " + std::string(row.name) + " " + std::string(row.argument);
        line.resize(std::max(kColumn, line.size() + 1), ' ');
        out += line + std::string(row.help) + "\n";
    }
    out += "\nSettings, for --fault and as lines of the --control file:\n"
           "  slow=MS status=400..599 throttle=PER_SECOND garbage reset hang\n"
           "  on=all|token|get (which requests the faults are for)\n"
           "  http-tokens=... http-endpoint=... hop-limit=...\n"
           "\nExit status: 0 stopped by SIGTERM or SIGINT, 1 failure, 2 wrong arguments.\n";
    return out;
}

} // namespace hostward::imds_sim
