// SPDX-License-Identifier: Apache-2.0
// Any bytes as rules files, as auditd.conf and as messages of the kernel's audit.
#include "hardening/models/audit_kernel.h"
#include "hardening/models/auditd_conf.h"
#include "hardening/models/augenrules.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string_view>

namespace {

using namespace hostward::hardening;

AuditSurroundings surroundings(bool is_arm)
{
    AuditSurroundings out;
    out.machine = is_arm ? AuditMachine::Aarch64 : AuditMachine::X86_64;
    out.is_directory = [](const std::string& path) { return path.size() % 2 == 0; };
    out.may_exist = [](const std::string& path) { return path.size() % 8 != 0; };
    out.uid_of = [](std::string_view name) { return name == "root" ? std::optional(0U) : std::nullopt; };
    out.gid_of = out.uid_of;
    return out;
}

void look_at_files(std::string_view text)
{
    const auto half = text.size() / 2;
    const std::vector<AuditFile> files{{"a", std::string(text.substr(0, half))}, {"b", std::string(text.substr(half))}};
    const auto lines = augenrules_lines(files, text.size() % 2 == 0);
    const auto state = load_audit_lines(lines, surroundings(half % 2 == 0));
    FUZZ_CHECK(state.rules.size() <= lines.size());
    FUZZ_CHECK(!state.stops_at || !state.refused.empty());
    for (const auto& rule : state.rules) {
        FUZZ_CHECK(is_same_meaning(rule, rule) && rule.where.line > 0);
        FUZZ_CHECK(!audit_rule_text(rule).empty());
    }
    for (const auto& setting : parse_auditd_conf(text, "f").settings) {
        FUZZ_CHECK(!setting.name.empty() && !setting.value.empty());
    }
    const auto one = text.substr(0, half);
    const auto other = text.substr(half);
    FUZZ_CHECK(!(version_less(one, other) && version_less(other, one)));
}

void look_at_messages(std::string_view bytes)
{
    if (const auto rule = decode_audit_rule(bytes)) {
        std::size_t text = 0;
        for (const auto& field : rule->fields) {
            text += field.text.size();
        }
        FUZZ_CHECK(text <= bytes.size());
        (void)audit_rule_text(*rule);
    }
    (void)decode_audit_status(bytes);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    look_at_files(text);
    look_at_messages(text);
    return 0;
}
