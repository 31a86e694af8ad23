// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_load.h"

#include <linux/audit.h>

#include <algorithm>

namespace hostward::hardening {

namespace {

constexpr std::uint32_t kLocked = 2;

class Loader {
public:
    explicit Loader(const AuditSurroundings& surroundings) : surroundings_(surroundings) {}

    AuditState load(const std::vector<AuditLine>& lines)
    {
        for (const auto& line : lines) {
            const AuditCommand command = parse_audit_line(line.text, surroundings_);
            goes_on_ = goes_on_ || command.goes_on_after_errors;
            std::string why = apply(command, line.where);
            if (why.empty()) {
                why = command.refused;
            }
            if (why.empty()) {
                continue;
            }
            state_.refused.push_back({line.where, std::move(why)});
            if (!goes_on_) {
                state_.stops_at = line.where;
                break;
            }
        }
        return std::move(state_);
    }

private:
    std::string apply(const AuditCommand& command, const Origin& where)
    {
        const bool changes_flags = command.enabled || command.failure || command.backlog;
        const bool changes_rules = command.adds || command.deletes || (command.deletes_all && !state_.rules.empty());
        if ((changes_flags || changes_rules) && state_.enabled && state_.enabled->value == kLocked) {
            return "the rules are locked by " + state_.enabled->where.text();
        }
        set(state_.failure, command.failure, where);
        set(state_.backlog, command.backlog, where);
        set(state_.enabled, command.enabled, where);
        if (command.deletes_all) {
            delete_all(command.deletes_key);
        }
        if (command.deletes) {
            return remove(*command.deletes);
        }
        return command.adds ? add(*command.adds, command.in_front, where) : "";
    }

    static void set(std::optional<AuditFlag>& flag, const std::optional<std::uint32_t>& value, const Origin& where)
    {
        if (value) {
            flag = AuditFlag{*value, where};
        }
    }

    /// auditctl deletes the rules whose key begins with what was given.
    void delete_all(const std::string& key)
    {
        std::erase_if(state_.rules, [&](const AuditRule& rule) {
            const auto* has = rule.find(AUDIT_FILTERKEY);
            return key.empty() || (has != nullptr && has->text.find(key) != std::string::npos);
        });
    }

    std::string remove(const AuditRule& rule)
    {
        const auto found = std::ranges::find_if(state_.rules, [&](const auto& one) { return is_same_rule(one, rule); });
        if (found == state_.rules.end()) {
            return "there is no such rule to delete";
        }
        state_.rules.erase(found);
        return "";
    }

    std::string add(AuditRule rule, bool in_front, const Origin& where)
    {
        rule.where = where;
        const auto same = std::ranges::find_if(state_.rules, [&](const auto& one) { return is_same_rule(one, rule); });
        if (same != state_.rules.end() && !in_front) {
            return "the kernel has this rule already, from " + same->where.text();
        }
        for (const auto& field : rule.fields) {
            if (const auto folder = folder_of(field); !folder.empty() && !surroundings_.may_exist(folder)) {
                return "there is no " + folder;
            }
        }
        if (state_.rules.size() >= kAuditRulesMax) {
            return "more than " + std::to_string(kAuditRulesMax) + " rules";
        }
        state_.rules.insert(in_front ? state_.rules.begin() : state_.rules.end(), std::move(rule));
        return "";
    }

    /// What must be there for the kernel to take the path; empty: nothing.
    static std::string folder_of(const AuditField& field)
    {
        if (field.field == AUDIT_DIR) {
            return field.text;
        }
        if (field.field != AUDIT_WATCH && field.field != AUDIT_EXE) {
            return "";
        }
        const auto slash = field.text.rfind('/');
        return slash == 0 || slash == std::string::npos ? "/" : field.text.substr(0, slash);
    }

    const AuditSurroundings& surroundings_;
    AuditState state_;
    bool goes_on_ = false;
};

} // namespace

AuditState load_audit_lines(const std::vector<AuditLine>& lines, const AuditSurroundings& surroundings)
{
    return Loader(surroundings).load(lines);
}

} // namespace hostward::hardening
