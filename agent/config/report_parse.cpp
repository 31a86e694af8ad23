// SPDX-License-Identifier: Apache-2.0
// TOML text to ReportConfig.
#include "agent/config/policy_files.h"
#include "agent/config/report_config.h"
#include "agent/config/report_values.h"
#include "agent/config/toml_reader.h"

#include <array>
#include <iterator>
#include <utility>

namespace hostward::config {

namespace {

using Item = TomlItem;

template <typename T, std::string T::*member, const TextForm* form> void read_text(const Item& item, T& out)
{
    const auto text = read_string(item);
    if (!text) {
        return;
    }
    if (form->fits(*text)) {
        out.*member = *text;
    } else {
        item.complain("is " + quote(*text) + ": allowed is " + form->allowed);
    }
}

template <typename T, std::chrono::seconds T::*member, std::int64_t least_s, std::int64_t most_s>
void read_duration(const Item& item, T& out)
{
    const auto text = read_string(item);
    if (!text) {
        return;
    }
    const auto value = parse_duration(*text);
    if (value && value->count() >= least_s && value->count() <= most_s) {
        out.*member = *value;
    } else {
        item.complain("is " + quote(*text) + ": allowed is a time like \"90s\", \"30m\", \"6h\" or \"1d\", from " +
                      std::to_string(least_s) + " to " + std::to_string(most_s) + " seconds");
    }
}

template <bool SinkConfig::*member> void read_flag(const Item& item, SinkConfig& out)
{
    if (item.node.is(TomlNode::Type::Flag)) {
        out.*member = item.node.flag;
    } else {
        item.complain("is " + item.node.type_text + ": allowed are true and false");
    }
}

constexpr std::array<Choice<SinkType>, 7> kSinkTypes{{{"file", SinkType::File},
                                                      {"https", SinkType::Https},
                                                      {"s3", SinkType::S3},
                                                      {"securityhub", SinkType::SecurityHub},
                                                      {"ssm-compliance", SinkType::SsmCompliance},
                                                      {"cloudwatch-logs", SinkType::CloudWatchLogs},
                                                      {"ssm-inventory", SinkType::SsmInventory}}};
constexpr std::array<Choice<ProofChoice>, 4> kProofs{{{"auto", ProofChoice::Auto},
                                                      {"web-identity", ProofChoice::WebIdentity},
                                                      {"document", ProofChoice::Document},
                                                      {"none", ProofChoice::None}}};

constexpr std::uint32_t kKeepMax = 10'000;
constexpr std::uint64_t kSpoolBytesMin = 1U << 20;
constexpr std::uint64_t kSpoolBytesMost = std::uint64_t{16} << 30;
constexpr std::size_t kProfilesMax = 16;
constexpr std::size_t kSinksMax = 16;

void read_keep(const Item& item, SinkConfig& out)
{
    if (item.node.is(TomlNode::Type::Integer) && item.node.integer >= 1 && item.node.integer <= kKeepMax) {
        out.keep = static_cast<std::uint32_t>(item.node.integer);
    } else {
        item.complain(
            "is " + (item.node.is(TomlNode::Type::Integer) ? std::to_string(item.node.integer) : item.node.type_text) +
            ": allowed are 1 to " + std::to_string(kKeepMax));
    }
}

constexpr unsigned bit(SinkType type) { return 1U << static_cast<unsigned>(type); }
constexpr unsigned kAws =
    bit(SinkType::S3) | bit(SinkType::SecurityHub) | bit(SinkType::SsmCompliance) | bit(SinkType::CloudWatchLogs);
constexpr unsigned kNetwork = kAws | bit(SinkType::Https);
constexpr unsigned kEveryType = kNetwork | bit(SinkType::File) | bit(SinkType::SsmInventory);

/// A key of `[sink.NAME]`, the types that take it and those that cannot do without it.
struct SinkField {
    unsigned takers;
    unsigned needers;
    TomlField<SinkConfig> field;
};

template <std::string SinkConfig::*member, const TextForm* form> constexpr auto kText =
    read_text<SinkConfig, member, form>;

const std::array<SinkField, 20> kSinkFields{{
    {kEveryType,
     kEveryType,
     {"type", true, [](const Item& item, SinkConfig& out) { read_choice(item, kSinkTypes, out.type); }}},
    {bit(SinkType::File) | bit(SinkType::SsmInventory), 0, {"path", false, kText<&SinkConfig::path, &kPathForm>}},
    {bit(SinkType::File), 0, {"keep", false, read_keep}},
    {bit(SinkType::Https), bit(SinkType::Https), {"url", false, kText<&SinkConfig::url, &kUrlForm>}},
    {kAws, 0, {"endpoint", false, kText<&SinkConfig::endpoint, &kEndpointForm>}},
    {kAws, 0, {"region", false, kText<&SinkConfig::region, &kRegionForm>}},
    {kAws, 0, {"fips", false, read_flag<&SinkConfig::fips>}},
    {kAws, 0, {"dual_stack", false, read_flag<&SinkConfig::dual_stack>}},
    {bit(SinkType::S3), bit(SinkType::S3), {"bucket", false, kText<&SinkConfig::bucket, &kBucketForm>}},
    {bit(SinkType::S3), 0, {"prefix", false, kText<&SinkConfig::prefix, &kPrefixForm>}},
    {bit(SinkType::S3), 0, {"expected_bucket_owner", false, kText<&SinkConfig::expected_bucket_owner, &kAccountForm>}},
    {bit(SinkType::CloudWatchLogs),
     bit(SinkType::CloudWatchLogs),
     {"log_group", false, kText<&SinkConfig::log_group, &kLogGroupForm>}},
    {bit(SinkType::CloudWatchLogs), 0, {"log_stream", false, kText<&SinkConfig::log_stream, &kLogStreamForm>}},
    {bit(SinkType::SsmCompliance),
     0,
     {"compliance_type", false, kText<&SinkConfig::compliance_type, &kComplianceForm>}},
    {bit(SinkType::File) | bit(SinkType::Https) | bit(SinkType::S3),
     0,
     {"audience", false, kText<&SinkConfig::audience, &kAudienceForm>}},
    {kNetwork, 0, {"proxy", false, kText<&SinkConfig::proxy, &kProxyForm>}},
    {kNetwork, 0, {"ca_file", false, kText<&SinkConfig::ca_file, &kPathForm>}},
    {bit(SinkType::Https), 0, {"client_certificate", false, kText<&SinkConfig::client_certificate, &kPathForm>}},
    {bit(SinkType::Https), 0, {"client_key", false, kText<&SinkConfig::client_key, &kPathForm>}},
    {kNetwork, 0, {"timeout", false, read_duration<SinkConfig, &SinkConfig::timeout, 1, 300>}},
}};

std::vector<TomlField<SinkConfig>> fields_of(SinkType type)
{
    std::vector<TomlField<SinkConfig>> out;
    for (const auto& [takers, needers, field] : kSinkFields) {
        if ((takers & bit(type)) != 0) {
            out.push_back({field.key, (needers & bit(type)) != 0, field.read});
        }
    }
    return out;
}

void fill_defaults(SinkConfig& sink)
{
    if (sink.type == SinkType::File) {
        sink.path = sink.path.empty() ? "/var/lib/hostward/reports" : sink.path;
        sink.keep = sink.keep == 0 ? kKeepDefault : sink.keep;
    }
    if (sink.type == SinkType::SsmInventory && sink.path.empty()) {
        sink.path = "/var/lib/amazon/ssm";
    }
    if (sink.type == SinkType::SsmCompliance && sink.compliance_type.empty()) {
        sink.compliance_type = "Custom:Hostward";
    }
}

/// `[sink.NAME]`. Its type is looked at first: it says which other keys there may be.
void read_sink(const std::string& name, const Place& place, const Item& item, std::vector<SinkConfig>& out)
{
    if (!kSinkNameForm.fits(name)) {
        item.complaints.add(place, "the sink's name is " + quote(name) + ": allowed are " + kSinkNameForm.allowed);
    }
    if (!item.node.is(TomlNode::Type::Table)) {
        item.complain("is " + item.node.type_text + ": allowed is a table, begun with [" + item.key + "]");
        return;
    }
    SinkConfig sink;
    sink.name = name;
    sink.place = place;
    const TomlNode* type = item.node.find("type");
    if (type == nullptr) {
        item.complaints.add(place, item.key + ".type is missing");
        return;
    }
    Complaints own;
    read_choice(Item{own, item.key + ".type", *type}, kSinkTypes, sink.type);
    if (!own.empty()) {
        read_choice(Item{item.complaints, item.key + ".type", *type}, kSinkTypes, sink.type);
        return;
    }
    const auto fields = fields_of(sink.type);
    read_table<SinkConfig>(item, fields, sink);
    if (sink.client_certificate.empty() != sink.client_key.empty()) {
        item.complaints.add(place, item.key + " has one of client_certificate and client_key: they go together");
    }
    fill_defaults(sink);
    out.push_back(std::move(sink));
}

void read_sinks(const Item& item, ReportConfig& out)
{
    if (!item.node.is(TomlNode::Type::Table)) {
        item.complain("is " + item.node.type_text + ": allowed are tables, each begun with [sink.NAME]");
        return;
    }
    if (item.node.entries.size() > kSinksMax) {
        item.complain("has " + std::to_string(item.node.entries.size()) + " tables: allowed are " +
                      std::to_string(kSinksMax));
        return;
    }
    for (const auto& [name, place, node] : item.node.entries) {
        read_sink(name, place, Item{item.complaints, item.key + "." + name, node}, out.sinks);
    }
}

void read_profiles(const Item& item, ReportConfig& out)
{
    if (!item.node.is(TomlNode::Type::Array) || item.node.elements.empty() ||
        item.node.elements.size() > kProfilesMax) {
        item.complain("is " + item.node.type_text + ": allowed is an array of 1 to " + std::to_string(kProfilesMax) +
                      " ids of profiles");
        return;
    }
    for (const auto& element : item.node.elements) {
        const Item one{item.complaints, "a value of " + item.key, element};
        const auto text = read_string(one);
        if (text && kProfileForm.fits(*text)) {
            out.profiles.push_back(*text);
        } else if (text) {
            one.complain("is " + quote(*text) + ": allowed is " + kProfileForm.allowed);
        }
    }
}

void read_spool_size(const Item& item, ReportConfig& out)
{
    const auto text = read_string(item);
    if (!text) {
        return;
    }
    const auto value = parse_size(*text);
    if (value && *value >= kSpoolBytesMin && *value <= kSpoolBytesMost) {
        out.spool_bytes_max = *value;
    } else {
        item.complain("is " + quote(*text) + ": allowed is a size from \"1MiB\" to \"16GiB\"");
    }
}

const std::array<TomlField<ReportConfig>, 8> kReportFields{{
    {"audience", false, read_text<ReportConfig, &ReportConfig::audience, &kAudienceForm>},
    {"proof", false, [](const Item& item, ReportConfig& out) { read_choice(item, kProofs, out.proof); }},
    {"sts_endpoint", false, read_text<ReportConfig, &ReportConfig::sts_endpoint, &kEndpointForm>},
    {"profiles", false, read_profiles},
    {"interval", false, read_duration<ReportConfig, &ReportConfig::interval, 60, 604800>},
    {"splay", false, read_duration<ReportConfig, &ReportConfig::splay, 0, 86400>},
    {"state_dir", false, read_text<ReportConfig, &ReportConfig::state_dir, &kPathForm>},
    {"spool_size", false, read_spool_size},
}};

void read_report(const Item& item, ReportConfig& out)
{
    if (item.node.is(TomlNode::Type::Table)) {
        read_table<ReportConfig>(item, kReportFields, out);
    } else {
        item.complain("is " + item.node.type_text + ": allowed is a table, begun with [report]");
    }
}

const std::array<TomlField<ReportConfig>, 2> kTopFields{{{"report", false, read_report}, {"sink", false, read_sinks}}};

/// Where nobody asked for anything, the report lies on the host itself.
void add_default_sink(ReportConfig& config)
{
    if (config.sinks.empty()) {
        SinkConfig local;
        local.name = "local";
        local.path = config.state_dir + "/reports";
        fill_defaults(local);
        config.sinks.push_back(std::move(local));
    }
}

} // namespace

Result<ReportConfig> parse_report(std::string_view toml, const std::string& file)
{
    TRY_ASSIGN(const TomlNode top, parse_toml(toml, file));
    Complaints complaints;
    ReportConfig out;
    read_table<ReportConfig>(Item{complaints, "", top}, kTopFields, out);
    if (!complaints.empty()) {
        return complaints.error();
    }
    add_default_sink(out);
    return out;
}

Result<ReportConfig> load_report(const std::string& path, std::optional<unsigned> owner)
{
    const auto text = read_policy_text(path, Mask::Refused, owner);
    if (!text) {
        if (text.error().kind != ErrorKind::NotFound) {
            return text.error();
        }
        return parse_report("", path);
    }
    return parse_report(text->value_or(""), path);
}

} // namespace hostward::config
