// SPDX-License-Identifier: Apache-2.0
// Envelopes as files in a folder of this host: ID.json, at most `keep` of them.
#include "agent/report/durable.h"
#include "agent/report/retry.h"
#include "agent/report/sinks.h"
#include "agent/report/spool_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace hostward::report {

namespace {

constexpr std::string_view kSuffix = ".json";
constexpr unsigned kMode = 0640;

class FileSink : public Sink {
public:
    FileSink(config::SinkConfig config, const SinkContext& context) : config_(std::move(config)), context_(context) {}
    [[nodiscard]] const std::string& name() const override { return config_.name; }

    [[nodiscard]] DeliveryResult deliver(const Report& report) override
    {
        if (!is_report_id(report.id)) {
            return refused("the report's id is none");
        }
        const Status stored = store(report);
        return stored ? done() : later(stored.error().text);
    }

private:
    [[nodiscard]] Status store(const Report& report) const
    {
        TRY_ASSIGN(const UniqueFd folder, open_folder(config_.path));
        const std::string file = report.id + std::string(kSuffix);
        struct stat about {};
        // What is there is whole, and somebody may have read it: a resend changes nothing.
        if (::fstatat(folder.get(), file.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) {
            TRY_ASSIGN(const std::string envelope, context_.envelope(report, config_.audience));
            TRY(write_durably(folder, file, envelope, kMode));
        }
        return remove_old(folder);
    }

    /// Ids sort by time, so the first names are the oldest. Only files that are named as ours are touched.
    [[nodiscard]] Status remove_old(const UniqueFd& folder) const
    {
        if (config_.keep == 0) {
            return success();
        }
        TRY_ASSIGN(auto names, names_in(folder));
        std::erase_if(names, [](const std::string& one) {
            return !one.ends_with(kSuffix) || !is_ulid(std::string_view(one).substr(0, one.size() - kSuffix.size()));
        });
        for (std::size_t i = 0; i + config_.keep < names.size(); ++i) {
            TRY(remove_in(folder, names[i]));
        }
        return success();
    }

    static bool is_ulid(std::string_view text)
    {
        constexpr std::size_t kUlidSize = 26;
        return text.size() == kUlidSize && is_report_id(text);
    }

    config::SinkConfig config_;
    const SinkContext& context_;
};

} // namespace

OpenedSink open_file_sink(const config::SinkConfig& config, const SinkContext& context)
{
    return std::unique_ptr<Sink>(std::make_unique<FileSink>(config, context));
}

} // namespace hostward::report
