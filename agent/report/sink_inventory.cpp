// SPDX-License-Identifier: Apache-2.0
// Custom inventory of Systems Manager, without credentials of our own: files that the SSM agent on this host picks up.
// https://docs.aws.amazon.com/systems-manager/latest/userguide/inventory-custom.html
#include "agent/report/durable.h"
#include "agent/report/json_read.h"
#include "agent/report/posture_view.h"
#include "agent/report/retry.h"
#include "agent/report/sinks.h"
#include "hardening/formats/wording.h"

#include <nlohmann/json.hpp>

#include <fcntl.h>

#include <map>

namespace hostward::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kValueMax = 4096; // the agent's own bounds
constexpr std::size_t kTypeBytesMax = std::size_t{3072} * 1024;
constexpr std::size_t kShortMax = 512; // ours: a list of hundreds stays small

Json typed(const char* type, Json content)
{
    return {{"SchemaVersion", "1.0"}, {"TypeName", type}, {"Content", std::move(content)}};
}

/// One row: who, when, and how many of each verdict. All values are text.
std::string posture_file(const Report& report, const PostureView& view)
{
    std::map<std::string, std::size_t> counts{
        {"pass", 0}, {"fail", 0}, {"cannot-tell", 0}, {"manual", 0}, {"not-applicable", 0}};
    std::size_t waived = 0;
    for (const auto& result : view.results) {
        if (const auto count = counts.find(result.verdict); count != counts.end()) {
            ++count->second;
        }
        waived += result.verdict == "fail" && result.is_waived() ? 1U : 0U;
    }
    const auto all = Json::parse(view.summary, nullptr, false);
    const auto guard = all.contains("guard") && all["guard"].is_object() ? all["guard"] : Json::object();
    const auto flag = [&](const char* name) {
        return guard.contains(name) && guard[name].is_boolean() ? (guard[name].get<bool>() ? "true" : "false")
                                                                : "unknown";
    };
    const bool has_mode = guard.contains("mode") && guard["mode"].is_string();
    Json row{{"Report", report.id},
             {"CreatedAt", hardening::iso_time(report.created_s)},
             {"Failed", std::to_string(counts["fail"])},
             {"Waived", std::to_string(waived)},
             {"CannotTell", std::to_string(counts["cannot-tell"])},
             {"Passed", std::to_string(counts["pass"])},
             {"Manual", std::to_string(counts["manual"])},
             {"NotApplicable", std::to_string(counts["not-applicable"])},
             {"GuardLoaded", flag("loaded")},
             {"GuardSealed", flag("sealed")},
             {"GuardMode", has_mode ? cut_text(guard["mode"].get<std::string>(), kValueMax) : "unknown"}};
    return json_line(typed("Custom:HostwardPosture", std::move(row)));
}

/// A row for each result that needs attention; what does not fit is left out, and the last row says how many.
std::string findings_file(const PostureView& view)
{
    Json rows = Json::array();
    std::size_t bytes = 0;
    std::size_t left_out = 0;
    for (const auto& result : view.results) {
        if (!result.needs_attention()) {
            continue;
        }
        Json row{{"Profile", cut_text(result.profile, kShortMax)},   {"Number", cut_text(result.number, kShortMax)},
                 {"Title", cut_text(result.title, kShortMax)},       {"Verdict", cut_text(result.verdict, kShortMax)},
                 {"Severity", cut_text(result.severity, kShortMax)}, {"Waived", result.is_waived() ? "true" : "false"}};
        bytes += json_line(row).size() + 1;
        if (bytes + 4 * kShortMax > kTypeBytesMax) {
            ++left_out;
        } else {
            rows.push_back(std::move(row));
        }
    }
    if (left_out > 0) {
        rows.push_back({{"Title", std::to_string(left_out) + " more results are left out here"}});
    }
    return json_line(typed("Custom:HostwardFinding", std::move(rows)));
}

class InventorySink : public Sink {
public:
    explicit InventorySink(config::SinkConfig config) : config_(std::move(config)) {}
    [[nodiscard]] const std::string& name() const override { return config_.name; }

    [[nodiscard]] DeliveryResult deliver(const Report& report) override
    {
        const std::string& instance = report.identity.instance_id;
        if (instance.empty() || instance.find('/') != std::string::npos || instance.starts_with('.')) {
            return refused("the report does not say which instance it is of: the SSM agent's folder has its name");
        }
        const auto view = view_posture(report.bytes);
        if (!view) {
            return refused(view.error().text);
        }
        const Status stored = store(report, *view);
        return stored ? done() : later(stored.error().text);
    }

private:
    [[nodiscard]] Status store(const Report& report, const PostureView& view) const
    {
        const std::string path = config_.path + "/" + report.identity.instance_id;
        const UniqueFd instance(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!instance) {
            const int error_number = errno;
            return system_error(error_number, "the SSM agent's folder " + path + " (is the agent registered?)");
        }
        TRY_ASSIGN(const UniqueFd inventory, open_folder_in(instance, "inventory"));
        TRY_ASSIGN(const UniqueFd custom, open_folder_in(inventory, "custom"));
        TRY(write_durably(custom, "hostward-findings.json", findings_file(view)));
        return write_durably(custom, "hostward-posture.json", posture_file(report, view));
    }

    config::SinkConfig config_;
};

} // namespace

OpenedSink open_inventory_sink(const config::SinkConfig& config, const SinkContext&)
{
    return std::unique_ptr<Sink>(std::make_unique<InventorySink>(config));
}

} // namespace hostward::report
