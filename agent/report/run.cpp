// SPDX-License-Identifier: Apache-2.0
#include "agent/report/run.h"

#include "agent/base/text.h"
#include "agent/report/document.h"
#include "agent/report/prover.h"
#include "agent/report/random.h"
#include "agent/report/retry.h"
#include "agent/report/spool.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace hostward::report {

namespace {

/// Stands in where there is no metadata service: what needs credentials says why it has none.
class NoCredentials : public CredentialSource {
public:
    explicit NoCredentials(std::string why) : why_(std::move(why)) {}
    Result<Credentials> get(Role /*role*/, std::int64_t /*now_s*/) override
    {
        return Error{ErrorKind::NotFound, 0, "no credentials: " + why_};
    }

private:
    std::string why_;
};

struct Myself {
    InstanceIdentity identity;
    std::optional<IdentityProof> proof;
    std::string problem;            ///< empty: known
    std::int64_t clock_ahead_s = 0; ///< of the metadata service's clock, where ours is wrong
};

Result<Myself> ask_identity(Imds& imds)
{
    Myself out;
    TRY_ASSIGN(out.proof, fetch_identity(imds));
    TRY_ASSIGN(out.identity, parse_identity(out.proof->document));
    return out;
}

/// A host without the service is reported, too: that it cannot say who it is belongs into the report.
Myself find_identity(const RunInputs& inputs)
{
    if (inputs.imds == nullptr) {
        return {{}, {}, inputs.imds_problem};
    }
    auto found = ask_identity(*inputs.imds);
    Myself out = found ? found.take() : Myself{{}, {}, found.error().text};
    const auto date = inputs.imds->last_date_s();
    const std::int64_t ahead = date ? *date - inputs.now_s() : 0;
    out.clock_ahead_s = std::abs(ahead) >= kClockSkewS ? ahead : 0;
    return out;
}

Result<Report> make_next(const RunInputs& inputs, const Myself& myself, std::uint64_t sequence)
{
    constexpr std::uint64_t kMsPerS = 1000;
    std::array<unsigned char, kUlidRandomBytes> random{};
    fill_random(random.data(), random.size());
    DocumentFacts facts;
    facts.created_s = inputs.now_s();
    facts.id = make_ulid(static_cast<std::uint64_t>(facts.created_s) * kMsPerS, random);
    facts.sequence = sequence;
    facts.identity = myself.identity;
    facts.identity_unknown = myself.problem;
    return make_report(facts, inputs.posture);
}

std::string spool_folder(const RunSettings& settings) { return settings.config.state_dir + "/spool"; }

/// Sends what waits, oldest first. A report that is refused makes way for the next: it is never taken, and would
/// keep all others back.
Status send_waiting(Spool& spool, Sink& sink, SinkOutcome& out)
{
    TRY_ASSIGN(const auto ids, spool.waiting_for(sink.name()));
    out.waiting = ids.size();
    for (const auto& id : ids) {
        TRY_ASSIGN(const Report report, spool.read(id));
        const auto result = sink.deliver(report);
        out.text = result.delivery == Delivery::Done ? out.text : result.text;
        if (result.delivery == Delivery::Later) {
            return success();
        }
        TRY(spool.confirm(sink.name(), id));
        ++(result.delivery == Delivery::Done ? out.sent : out.refused);
        --out.waiting;
    }
    return success();
}

SinkOutcome send_to(Spool& spool, const config::SinkConfig& config, const SinkContext& context)
{
    SinkOutcome out;
    out.sink = config.name;
    const auto sink = open_sink(config, context);
    const Status done = sink ? send_waiting(spool, **sink, out) : Status(sink.error());
    if (!sink) {
        const auto ids = spool.waiting_for(config.name);
        out.waiting = ids ? ids->size() : 0;
    }
    if (!done) {
        out.text = done.error().text;
    }
    return out;
}

bool is_wanted(const RunSettings& settings, const std::string& name)
{
    return settings.only_sinks.empty() || std::ranges::find(settings.only_sinks, name) != settings.only_sinks.end();
}

std::vector<std::string> names_of(const std::vector<config::SinkConfig>& sinks)
{
    std::vector<std::string> out;
    std::ranges::transform(sinks, std::back_inserter(out), &config::SinkConfig::name);
    return out;
}

} // namespace

Result<RunResult> run_report(const RunSettings& settings, const RunInputs& inputs)
{
    TRY_ASSIGN(Spool spool, Spool::open(spool_folder(settings), settings.config.spool_bytes_max));
    const Myself myself = find_identity(inputs);
    RunResult out;
    TRY_ASSIGN(out.report, make_next(inputs, myself, spool.next_sequence()));
    out.identity_problem = myself.problem;
    TRY(spool.add(out.report));

    NoCredentials none(inputs.imds_problem);
    const auto own = inputs.imds == nullptr ? nullptr : credentials_from(*inputs.imds);
    CredentialSource& credentials = own ? *own : static_cast<CredentialSource&>(none);
    const auto proof_time = [&inputs, ahead = myself.clock_ahead_s] { return inputs.now_s() + ahead; };
    Prover prover(settings.config, credentials, myself.proof, proof_time);
    prover.answer(settings.nonce);
    SinkContext context;
    context.envelope = [&prover](const Report& report, const std::string& audience) {
        return prover.envelope(report, audience);
    };
    context.credentials = &credentials;
    context.now_s = inputs.now_s;
    context.sleep = inputs.sleep;
    context.random = inputs.random;
    prover.ask_with(context);
    for (auto sink : settings.config.sinks) {
        if (is_wanted(settings, sink.name)) {
            sink.audience = sink.audience.empty() ? settings.config.audience : sink.audience;
            out.sinks.push_back(send_to(spool, sink, context));
        }
    }
    TRY(spool.clean(names_of(settings.config.sinks)));
    out.notes = spool.take_notes();
    if (myself.clock_ahead_s != 0) {
        out.notes.push_back("the clock of this host is " + std::to_string(std::abs(myself.clock_ahead_s)) + " s " +
                            (myself.clock_ahead_s > 0 ? "behind" : "ahead of") +
                            " the metadata service's, which dates the proofs now");
    }
    return out;
}

Result<Report> preview_report(const RunInputs& inputs) { return make_next(inputs, find_identity(inputs), 0); }

} // namespace hostward::report
