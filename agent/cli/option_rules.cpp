// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/option_rules.h"

#include "agent/config/report_values.h"
#include "agent/guard/events_time.h"

#include <algorithm>
#include <cctype>

namespace hostward::cli {

namespace {

/// Something about a caller whom nothing names.
bool describes_nobody(const ExplainOptions& explain)
{
    return !explain.names_caller() &&
           (!explain.groups.empty() || !explain.exe.empty() || !explain.unit.empty() || !explain.cgroup_path.empty() ||
            explain.container || explain.address != kImdsAddress);
}

bool is_account(std::string_view text)
{
    constexpr std::size_t kDigits = 12;
    return text.size() == kDigits && text.find_first_not_of("0123456789") == text.npos;
}

/// --list, --coverage and --explain take few of the options of a check.
std::string list_contradiction(const CheckOptions& check)
{
    const bool is_coverage = check.task == CheckTask::Coverage;
    const std::string task = is_coverage ? "--coverage" : check.task == CheckTask::List ? "--list" : "--explain";
    const bool fits = check.formats.size() <= 1 && std::ranges::all_of(check.formats, [&](const std::string& format) {
                          return format == "text" || (is_coverage && format == "json");
                      });
    if (!fits) {
        return "check " + task + " is written as " + (is_coverage ? "text or json" : "text") + " only";
    }
    if (!check.output.empty() || !check.baseline.empty()) {
        return "check " + task + " takes no " + (check.output.empty() ? "--baseline" : "--output");
    }
    return "";
}

/// A posture is of this host as it is, for whoever reads the report.
std::string posture_contradiction(const CheckOptions& check)
{
    const bool is_plain = check.root == "/" && check.formats.empty() && check.output.empty() &&
                          check.baseline.empty() && check.rules.empty() && check.explain.empty();
    return is_plain ? "" : "check --posture takes no --root, --rule, --format, --output, --baseline and --explain";
}

std::string check_contradiction(const CheckOptions& check)
{
    if (check.task == CheckTask::Posture) {
        return posture_contradiction(check);
    }
    if (check.task != CheckTask::Check || !check.explain.empty()) {
        return list_contradiction(check);
    }
    const bool asff = std::ranges::find(check.formats, "asff") != check.formats.end();
    if (asff && (!is_account(check.aws_account) || check.aws_region.empty())) {
        return "check --format asff needs --aws-account, twelve digits, and --aws-region";
    }
    if (check.formats.size() > 1 && check.output.empty()) {
        return "check with several --format needs --output: the files' name before their suffix";
    }
    return "";
}

/// The line stands before text, or alone.
std::string summary_contradiction(const CommandLine& line)
{
    if (!line.summary_line) {
        return "";
    }
    const auto& check = line.check;
    const bool is_text = check.formats.empty() || check.formats.front() == "text";
    if (line.command == Command::Check && check.output.empty() && !is_text) {
        return "--summary-line is followed by text: give other formats an --output";
    }
    if (line.command == Command::Check && (check.task != CheckTask::Check || !check.explain.empty())) {
        return "check --list, --coverage, --explain and --posture have no --summary-line";
    }
    if (line.json || line.report.dry_run) {
        return std::string("--summary-line goes without ") + (line.json ? "--json" : "--dry-run");
    }
    return line.command == Command::Report && !line.report.once ? "report --summary-line needs --once" : "";
}

std::string verify_contradiction(const VerifyOptions& verify)
{
    if (verify.file.empty() && verify.identity.empty()) {
        return "verify needs a FILE, or --identity, --rsa2048 and --region";
    }
    if (!config::parse_duration(verify.max_age)) {
        return "--max-age is a time such as 90s, 5m, 12h or 7d";
    }
    if (!verify.account.empty() && !is_account(verify.account)) {
        return "--account is twelve digits";
    }
    const auto is_https = [](const std::string& url) { return url.starts_with("https://") && !url.ends_with('/'); };
    if (!verify.issuer.empty() && !is_https(verify.issuer)) {
        return "--issuer is a URL that starts with https:// and does not end with /";
    }
    const bool is_loopback = verify.trusted_sts.starts_with("http://127.0.0.1");
    if (!verify.trusted_sts.empty() && !verify.trusted_sts.starts_with("https://") && !is_loopback) {
        return "--trusted-sts starts with https://";
    }
    return "";
}

/// A proof carries it in a header.
std::string report_contradiction(const ReportOptions& report)
{
    constexpr std::size_t kNonceBytesMax = 128;
    const auto is_allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.'; };
    const bool fits = report.nonce.size() <= kNonceBytesMax && std::ranges::all_of(report.nonce, is_allowed);
    return fits ? "" : "report --nonce is 1 to 128 letters, digits, - _ and .";
}

} // namespace

std::string contradiction(const CommandLine& line)
{
    const auto& explain = line.explain;
    const bool needs_caller = explain.policy.empty() || describes_nobody(explain);
    if (line.command == Command::GuardExplain && !explain.names_caller() && needs_caller) {
        return "guard explain needs --user, --pid or --last-denial, or --policy alone";
    }
    if (line.command == Command::GuardExplain && !explain.cgroup_path.empty() && explain.cgroup_path[0] != '/') {
        return "--cgroup-path starts with /, it is a path below the guarded cgroup";
    }
    if (!line.since.empty() && !guard::parse_since(line.since, 0)) {
        return "--since is a time like 2026-11-21, 2026-11-21T02:00:00Z, 90s, 30m, 12h, 7d or 2w";
    }
    if (std::string problem = summary_contradiction(line); !problem.empty()) {
        return problem;
    }
    if (line.command == Command::Check) {
        return check_contradiction(line.check);
    }
    if (line.command == Command::Report) {
        return report_contradiction(line.report);
    }
    if (line.command == Command::Verify) {
        return verify_contradiction(line.verify);
    }
    if (explain.unit.find('/') != std::string::npos) {
        return "--unit is a name; use --cgroup-path for a path";
    }
    return "";
}

} // namespace hostward::cli
