// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sshd_effective.h"

#include "hardening/models/sshd_keywords.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array<const char*, 3> kVersionedLists{"ciphers", "macs", "kexalgorithms"};

/// One pass of sshd over its configuration: without a connection at start, with one for what Match blocks set.
class Pass {
public:
    Pass(const SshdConnection* connection, SshdEffective& out) : connection_(connection), out_(out) {}

    void run(const SshdConfig& config)
    {
        bool is_active = connection_ == nullptr;
        if (is_active) {
            // The command line is read before the file.
            walk(config.command_line, is_active, false);
        }
        walk(config.file, is_active, false);
    }

private:
    /// `is_dead`: within an include of a block that does not match, where nothing can.
    void walk(const SshdFile& file, bool& is_active, bool is_dead)
    {
        // Before the first Match of a file read for a connection, inactive says nothing about a block.
        bool is_before_match = connection_ != nullptr && !is_dead;
        for (const auto& line : file.lines) {
            if (!line.problem.empty()) {
                refuse(line, line.problem);
            } else if (line.keyword == "match") {
                const SshdMatch match = match_sshd(line.arguments, is_dead ? nullptr : connection_);
                if (match == SshdMatch::Refused) {
                    refuse(line, "a Match line that sshd does not take");
                }
                is_active = !is_dead && match == SshdMatch::Yes;
                is_before_match = false;
            } else if (line.keyword == "include") {
                for (const auto& included : line.included) {
                    bool is_active_there = is_active;
                    walk(included, is_active_there, is_before_match ? false : !is_active);
                }
            } else {
                set(line, is_active);
            }
        }
    }

    void set(const SshdLine& line, bool is_active)
    {
        const SshdKeyword* keyword = find_sshd_keyword(line.keyword);
        if (keyword == nullptr) {
            refuse(line, "an unknown keyword");
            return;
        }
        if (!is_active && !keyword->may_match) {
            if (connection_ == nullptr) {
                refuse(line, "not allowed in a Match block");
            }
            return;
        }
        const auto value = normal_sshd_value(*keyword, line.arguments, line.rest);
        if (!value) {
            refuse(line, "a value that sshd does not take");
        } else if (is_active) {
            put(*keyword, line, *value);
        }
    }

    void put(const SshdKeyword& keyword, const SshdLine& line, const std::string& value)
    {
        if (keyword.kind == SshdKind::Ignored) {
            return;
        }
        auto& values = out_.values[std::string(keyword.name)];
        if (keyword.kind == SshdKind::Collected) {
            // A subsystem and a host key are one value with blanks in it, the others are one per argument.
            const bool is_whole = keyword.name == "subsystem" || keyword.name == "listenaddress";
            for (const auto& argument : is_whole ? std::vector{value} : line.arguments) {
                values.push_back({argument, line.origin});
            }
        } else if (values.empty()) {
            values.push_back({value, line.origin});
        } else if (keyword.kind == SshdKind::Octal || keyword.kind == SshdKind::Startups || keyword.name == "ipqos" ||
                   keyword.name == "fingerprinthash") {
            values = {{value, line.origin}}; // sshd does not look whether it has one
        }
    }

    void refuse(const SshdLine& line, const std::string& why)
    {
        if (connection_ == nullptr) { // the other pass meets the same lines
            out_.problems.push_back({line.keyword + ": " + why, line.origin});
        }
    }

    const SshdConnection* connection_;
    SshdEffective& out_;
};

void add_defaults(const SshdConfig& config, SshdEffective& out)
{
    for (const auto* name : kVersionedLists) {
        const std::string defaults = sshd_algorithms(name, config.version);
        auto& values = out.values[name];
        if (values.empty()) {
            values.push_back({defaults, {}});
        } else if (values[0].text.find_first_of("+-^") == 0) {
            // Without the default there is nothing to change.
            values[0].text = defaults.empty() ? "" : assemble_algorithms(values[0].text, defaults);
        }
        if (values[0].text.empty()) {
            out.values.erase(name);
        }
    }
    for (const auto& [name, text] : sshd_defaults()) {
        auto& values = out.values[std::string(name)];
        if (values.empty()) {
            values.push_back({std::string(text), {}});
        }
    }
}

/// Collects what stands in Match blocks.
class Overrides {
public:
    explicit Overrides(std::vector<SshdOverride>& out) : out_(out) {}

    void walk(const SshdFile& file, const SshdLine* match)
    {
        std::size_t first = out_.size();
        for (const auto& line : file.lines) {
            if (line.keyword == "match") {
                match = &line;
                first = out_.size();
            }
            for (const auto& included : line.included) {
                walk(included, match);
            }
            const SshdKeyword* keyword = find_sshd_keyword(line.keyword);
            if (match != nullptr && keyword != nullptr && keyword->may_match) {
                add(line, *keyword, *match, first);
            }
        }
    }

private:
    void add(const SshdLine& line, const SshdKeyword& keyword, const SshdLine& match, std::size_t first)
    {
        const auto value = normal_sshd_value(keyword, line.arguments, line.rest);
        bool is_new = value.has_value() && keyword.kind != SshdKind::Ignored;
        for (std::size_t i = first; i < out_.size() && keyword.kind != SshdKind::Collected; ++i) {
            is_new = is_new && out_[i].keyword != keyword.name;
        }
        if (is_new) {
            out_.push_back({match.origin, match.arguments, std::string(keyword.name), {*value, line.origin}});
        }
    }

    std::vector<SshdOverride>& out_;
};

} // namespace

SshdEffective evaluate_sshd(const SshdConfig& config, const SshdConnection* connection)
{
    SshdEffective out;
    Pass(nullptr, out).run(config);
    if (connection != nullptr) {
        SshdEffective matched;
        Pass(connection, matched).run(config);
        for (auto& [keyword, values] : matched.values) {
            if (find_sshd_keyword(keyword)->may_match) { // the rest is of the whole server
                out.values[keyword] = std::move(values);
            }
        }
    }
    add_defaults(config, out);
    return out;
}

std::vector<SshdOverride> sshd_overrides(const SshdConfig& config)
{
    std::vector<SshdOverride> out;
    Overrides(out).walk(config.file, nullptr);
    return out;
}

bool may_match_user(const std::vector<std::string>& criteria, const std::string& user)
{
    for (std::size_t i = 0; i + 1 < criteria.size(); i += 2) {
        if (lower(criteria[i]) == "user" && match_pattern_list(user, criteria[i + 1]) != 1) {
            return false;
        }
    }
    return true;
}

} // namespace hostward::hardening
