// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_rule_builder.h"

#include "agent/base/text.h"
#include "hardening/models/audit_kernel_rules.h"
#include "hardening/models/audit_names.h"
#include "hardening/models/login_defs.h"

#include <linux/audit.h>

#include <algorithm>
#include <array>
#include <climits>

namespace hostward::hardening {

namespace {

constexpr char kKeySeparator = '\x01';

struct Split {
    std::string_view name;
    std::uint32_t op = 0;
    std::string value;
};

struct Operator {
    std::string_view text;
    std::uint32_t op;
};
/// In the order in which auditctl looks for them: the first that is anywhere in the text is it.
constexpr std::array kOperators{
    Operator{"!=", AUDIT_NOT_EQUAL},
    Operator{">=", AUDIT_GREATER_THAN_OR_EQUAL},
    Operator{"<=", AUDIT_LESS_THAN_OR_EQUAL},
    Operator{"&=", AUDIT_BIT_TEST},
    Operator{"=", AUDIT_EQUAL},
    Operator{">", AUDIT_GREATER_THAN},
    Operator{"<", AUDIT_LESS_THAN},
    Operator{"&", AUDIT_BIT_MASK},
};

std::optional<Split> split_at_operator(std::string_view text)
{
    for (const auto& one : kOperators) {
        const auto at = text.find(one.text);
        if (at != text.npos) {
            return Split{text.substr(0, at), one.op, std::string(text.substr(at + one.text.size()))};
        }
    }
    return std::nullopt;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// As strtol(3) with base 0, cut to 32 bits; what follows the digits does not count. Nothing: no number.
std::optional<std::uint32_t> number_at_start(const std::string& text, bool may_be_negative)
{
    const bool is_negative = text.size() >= 2 && text[0] == '-' && is_digit(text[1]);
    if (text.empty() || !(is_digit(text[0]) || (may_be_negative && is_negative))) {
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(std::strtoll(text.c_str(), nullptr, 0));
}

std::optional<std::uint32_t> file_type(std::string_view name)
{
    struct Type {
        std::string_view name;
        std::uint32_t mode;
    };
    constexpr std::array kTypes{Type{"fifo", 0010000},  Type{"character", 0020000}, Type{"dir", 0040000},
                                Type{"block", 0060000}, Type{"file", 0100000},      Type{"link", 0120000},
                                Type{"socket", 0140000}};
    const auto* found = std::ranges::find(kTypes, name, &Type::name);
    return found == kTypes.end() ? std::nullopt : std::optional(found->mode);
}

bool is_user_field(std::uint32_t field)
{
    return (field >= AUDIT_UID && field <= AUDIT_FSUID) || field == AUDIT_LOGINUID || field == AUDIT_OBJ_UID;
}

bool is_group_field(std::uint32_t field)
{
    return (field >= AUDIT_GID && field <= AUDIT_FSGID) || field == AUDIT_OBJ_GID;
}

std::string take(std::optional<std::uint32_t> value, AuditField& field, const std::string& what)
{
    field.value = value.value_or(0);
    return value ? "" : what;
}

std::optional<std::uint32_t> either(std::optional<std::uint32_t> first, std::optional<std::uint32_t> second)
{
    return first ? first : second;
}

std::optional<std::uint32_t> file_system_type(std::string_view name)
{
    constexpr std::uint32_t kDebugfs = 0x64626720;
    constexpr std::uint32_t kTracefs = 0x74726163;
    return name == "debugfs" ? std::optional(kDebugfs) : name == "tracefs" ? std::optional(kTracefs) : std::nullopt;
}

bool is_for_exclude_list(std::uint32_t field)
{
    return field == AUDIT_PID || field == AUDIT_UID || field == AUDIT_GID || field == AUDIT_LOGINUID ||
           field == AUDIT_EXE || (field >= AUDIT_MSGTYPE && field <= AUDIT_SUBJ_CLR);
}

/// auditctl's own rules about which list has which fields.
std::string misplaced(const AuditField& field, std::uint32_t list)
{
    const bool is_exit = list == AUDIT_FILTER_EXIT || list == AUDIT_FILTER_URING_EXIT;
    const std::string name = audit_field_name(field.field);
    const bool is_of_exit = field.field == AUDIT_EXIT || field.field == AUDIT_WATCH || field.field == AUDIT_DIR ||
                            (field.field >= AUDIT_OBJ_USER && field.field <= AUDIT_OBJ_LEV_HIGH) ||
                            field.field == AUDIT_PERM || field.field == AUDIT_FILETYPE || field.field == AUDIT_PPID ||
                            (field.field >= AUDIT_DEVMAJOR && field.field <= AUDIT_INODE) ||
                            field.field == AUDIT_SUCCESS;
    if (is_of_exit && !is_exit) {
        return name + " is for the exit list only";
    }
    if (field.field == AUDIT_MSGTYPE && list != AUDIT_FILTER_EXCLUDE && list != AUDIT_FILTER_USER) {
        return name + " is for the exclude and user lists only";
    }
    if (field.field == AUDIT_INODE && field.op != AUDIT_EQUAL && field.op != AUDIT_NOT_EQUAL) {
        return "inode takes = and != only";
    }
    if (list == AUDIT_FILTER_EXCLUDE && !is_for_exclude_list(field.field)) {
        return name + " is not for the exclude list";
    }
    if (field.field == AUDIT_FSTYPE && list != AUDIT_FILTER_FS) {
        return name + " is not for the " + audit_list_name(list) + " list";
    }
    return "";
}

} // namespace

std::string AuditRuleBuilder::set_list(std::string_view text)
{
    if (has_list_) {
        return "more than one list in a line";
    }
    const auto parts = split(text, ',');
    if (parts.size() != 2) {
        return "bad list and action " + std::string(text);
    }
    const bool action_first = parts[0] == "always" || parts[0] == "never" || parts[0] == "possible";
    const auto action = parts[action_first ? 0 : 1];
    const auto list = audit_list(parts[action_first ? 1 : 0]);
    if (!list || (action != "always" && action != "never")) {
        return "bad list and action " + std::string(text);
    }
    if (*list == AUDIT_FILTER_ENTRY) {
        return "the kernel has no entry list any more";
    }
    has_list_ = true;
    rule_.list = *list;
    rule_.action = action == "always" ? AUDIT_ALWAYS : AUDIT_NEVER;
    return *list == AUDIT_FILTER_TASK && has_syscalls_ ? "system calls on the task list" : "";
}

std::string AuditRuleBuilder::add_one_syscall(std::string_view name)
{
    if (name == "all") {
        rule_.syscalls.set();
        return "";
    }
    const std::uint32_t arch = arch_ != 0 ? arch_ : audit_arch(surroundings_.machine, true);
    const auto number = either(syscall_number(arch, lower(name)), number_at_start(std::string(name), false));
    if (!number) {
        return std::string(name) + " is no system call of this machine";
    }
    if (*number >= kAuditSyscallsMax) {
        return "system call " + std::string(name) + " is out of range";
    }
    rule_.syscalls.set(*number);
    return "";
}

std::string AuditRuleBuilder::add_syscalls(std::string_view text)
{
    if (has_list_ && rule_.list != AUDIT_FILTER_EXIT) {
        return "system calls are for the exit list only";
    }
    for (const auto name : split(text, ',')) {
        if (auto problem = name.empty() ? std::string() : add_one_syscall(name); !problem.empty()) {
            return problem;
        }
    }
    has_syscalls_ = true;
    may_have_key_ = true;
    return "";
}

std::string AuditRuleBuilder::read_arch(AuditField& field, const std::string& value)
{
    if (has_syscalls_) {
        return "arch after system calls";
    }
    if (field.op != AUDIT_EQUAL && field.op != AUDIT_NOT_EQUAL) {
        return "arch takes = and != only";
    }
    auto arch = either(audit_arch(surroundings_.machine, value), number_at_start(value, false));
    if (arch && *arch != kArchX86_64 && *arch != kArchI386 && *arch != kArchAarch64 && *arch != kArchArm) {
        arch = std::nullopt;
    }
    arch_ = arch.value_or(0);
    return take(arch, field, "unknown architecture " + value);
}

std::string AuditRuleBuilder::read_text(AuditField& field, const std::string& value)
{
    if (field.field == AUDIT_EXE && field.op != AUDIT_EQUAL && field.op != AUDIT_NOT_EQUAL) {
        return "exe takes = and != only";
    }
    if (field.field == AUDIT_FILTERKEY && !may_have_key_) {
        return "a key needs a watch or system calls before it";
    }
    if (value.size() > PATH_MAX) {
        return "the value of " + audit_field_name(field.field) + " is too long";
    }
    if (field.field == AUDIT_WATCH || field.field == AUDIT_DIR || field.field == AUDIT_EXE) {
        may_have_key_ = true;
    }
    field.text = value;
    return "";
}

std::string AuditRuleBuilder::read_value(AuditField& field, const std::string& value)
{
    const std::string what = "bad value of " + audit_field_name(field.field) + ": " + value;
    const auto number = number_at_start(value, false);
    const auto signed_number = number_at_start(value, true);
    if (is_audit_text_field(field.field)) {
        return read_text(field, value);
    }
    if (is_user_field(field.field)) {
        const auto named = value == "unset" ? std::optional(UINT32_MAX) : surroundings_.uid_of(value);
        return take(either(signed_number, named), field, "no user " + value + " in /etc/passwd");
    }
    if (is_group_field(field.field)) {
        return take(either(number, surroundings_.gid_of(value)), field, "no group " + value + " in /etc/group");
    }
    switch (field.field) {
    case AUDIT_ARCH: return read_arch(field, value);
    case AUDIT_EXIT: {
        const auto named = audit_errno(value);
        return take(either(signed_number, named ? std::optional(static_cast<std::uint32_t>(*named)) : std::nullopt),
                    field, what);
    }
    case AUDIT_MSGTYPE: return take(either(number, audit_message(value)), field, what);
    case AUDIT_PERM:
        may_have_key_ = true;
        return field.op != AUDIT_EQUAL ? "perm takes = only" : take(audit_permissions(value), field, what);
    case AUDIT_FILETYPE: return take(file_type(value), field, what);
    case AUDIT_FSTYPE: may_have_key_ = true; return take(either(number, file_system_type(value)), field, what);
    case AUDIT_SESSIONID:
        return take(either(signed_number, value == "unset" ? std::optional(UINT32_MAX) : std::optional(0U)), field,
                    what);
    case AUDIT_ARG0:
    case AUDIT_ARG1:
    case AUDIT_ARG2:
    case AUDIT_ARG3: return take(signed_number, field, what);
    default: return take(number, field, what);
    }
}

std::string AuditRuleBuilder::add_field(std::string_view text)
{
    if (!has_list_) {
        return "a list must come before -F";
    }
    if (text.starts_with("key=")) {
        return append_key(text.substr(4));
    }
    if (rule_.fields.size() >= AUDIT_MAX_FIELDS - 1) {
        return "too many fields";
    }
    const auto parts = split_at_operator(text);
    if (!parts || parts->name.empty() || parts->value.empty()) {
        return "bad condition " + std::string(text);
    }
    const auto known = audit_field(parts->name);
    if (!known) {
        return "unknown field " + std::string(parts->name);
    }
    AuditField field{*known, parts->op, 0, ""};
    if (auto problem = misplaced(field, rule_.list); !problem.empty()) {
        return problem;
    }
    auto problem = read_value(field, parts->value);
    rule_.fields.push_back(std::move(field));
    return problem;
}

std::string AuditRuleBuilder::add_comparison(std::string_view text)
{
    const auto parts = split_at_operator(text);
    if (!has_list_ || rule_.list != AUDIT_FILTER_EXIT) {
        return "comparisons are for the exit list only";
    }
    if (rule_.fields.size() >= AUDIT_MAX_FIELDS - 1) {
        return "too many fields";
    }
    if (!parts || (parts->op != AUDIT_EQUAL && parts->op != AUDIT_NOT_EQUAL)) {
        return "bad comparison " + std::string(text);
    }
    const auto one = audit_field(parts->name);
    const auto other = audit_field(parts->value);
    const auto number = one && other ? audit_comparison(*one, *other) : std::nullopt;
    if (!number) {
        return "bad comparison " + std::string(text);
    }
    rule_.fields.push_back(AuditField{AUDIT_FIELD_COMPARE, parts->op, *number, ""});
    return "";
}

std::string AuditRuleBuilder::set_watch(std::string path)
{
    if (!path.starts_with('/')) {
        return "a watch must begin with /";
    }
    if (path.size() >= PATH_MAX || path.size() - path.rfind('/') - 1 > NAME_MAX) {
        return "the path of the watch is too long";
    }
    if (!rule_.fields.empty()) {
        return "a watch in a line that has conditions already";
    }
    while (path.size() > 2 && path.ends_with('/')) {
        path.pop_back();
    }
    has_list_ = true;
    has_syscalls_ = true;
    may_have_key_ = true;
    rule_.list = AUDIT_FILTER_EXIT;
    rule_.action = AUDIT_ALWAYS;
    rule_.syscalls.set();
    const std::uint32_t field = surroundings_.is_directory(path) ? AUDIT_DIR : AUDIT_WATCH;
    rule_.fields = {AuditField{field, AUDIT_EQUAL, 0, std::move(path)},
                    AuditField{AUDIT_PERM, AUDIT_EQUAL,
                               AUDIT_PERM_READ | AUDIT_PERM_WRITE | AUDIT_PERM_EXEC | AUDIT_PERM_ATTR, ""}};
    return "";
}

std::string AuditRuleBuilder::set_permissions(std::string_view letters)
{
    const auto permissions = audit_permissions(letters);
    if (!has_list_ || !permissions) {
        return "bad permissions " + std::string(letters);
    }
    if (rule_.fields.empty()) {
        return "permissions without a watch";
    }
    bool is_done = false;
    for (auto& field : rule_.fields) {
        if (field.field == AUDIT_PERM) {
            field.value = *permissions;
            is_done = true;
        }
    }
    if (!is_done) {
        rule_.fields.push_back(AuditField{AUDIT_PERM, AUDIT_EQUAL, *permissions, ""});
    }
    may_have_key_ = true;
    return "";
}

std::string AuditRuleBuilder::append_key(std::string_view key)
{
    if (key.size() + key_.size() + (key_.empty() ? 0 : 1) > AUDIT_MAX_KEY_LEN) {
        return "the key is too long";
    }
    key_ += (key_.empty() ? "" : std::string(1, kKeySeparator)) + std::string(key);
    return "";
}

std::string AuditRuleBuilder::add_key(std::string_view key)
{
    return !has_list_ || !may_have_key_ ? "a key needs a watch or system calls before it" : append_key(key);
}

std::string AuditRuleBuilder::finish(AuditRule& out) const
{
    out = rule_;
    if (!key_.empty()) {
        if (rule_.list == AUDIT_FILTER_EXCLUDE) {
            return "a key is not for the exclude list";
        }
        if (!may_have_key_) {
            return "a key needs a watch or system calls before it";
        }
        out.fields.push_back(AuditField{AUDIT_FILTERKEY, AUDIT_EQUAL, 0, key_});
    }
    if (!has_syscalls_ && rule_.list != AUDIT_FILTER_TASK) {
        out.syscalls.set();
    }
    return why_kernel_refuses(out);
}

} // namespace hostward::hardening
