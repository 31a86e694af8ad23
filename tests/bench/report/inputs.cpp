// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/report/inputs.h"

#include "agent/cli/posture.h"
#include "agent/report/document.h"
#include "hardening/formats/formats.h"
#include "hardening/primitives/primitives.h"

#include <cstdio>
#include <cstdlib>

namespace hostward::bench {

void fail(const std::string& text)
{
    std::fprintf(stderr, "%s\n", text.c_str());
    std::exit(1);
}

void must(const Status& status)
{
    if (!status) {
        fail(status.error().text);
    }
}

void must(bool holds, const char* text)
{
    if (!holds) {
        fail(text);
    }
}

hardening::Library load(const Inputs& inputs)
{
    const auto own = must(host::open_host());
    return must(hardening::load_library(*own, inputs.library, hardening::all_primitives()));
}

Image::Image(const Inputs& inputs) : host(must(host::open_host(inputs.fixture))), library(load(inputs)) {}

hardening::Report Image::check() const
{
    hardening::Facts facts(*host, kNow, false);
    auto report = run_profile(*library.profile(kProfile), library, {}, {}, facts);
    must(report.count(hardening::Verdict::Pass) > 0 && report.count(hardening::Verdict::Fail) > 0,
         "a report without passes and failures");
    report.started_s = kNow;
    report.took = {};
    for (auto& finding : report.findings) {
        finding.took = {};
    }
    return report;
}

std::string posture_of(const Inputs& inputs)
{
    const Image image(inputs);
    cli::Posture posture;
    posture.collected_s = kNow;
    posture.host = {"host-1", "debian", "12", "Debian GNU/Linux 12 (bookworm)", "6.1.0", "x86_64"};
    posture.checks = {json_line_report(image.check())};
    return posture_json(posture);
}

report::Report report_of(const std::string& posture, std::uint64_t sequence)
{
    report::DocumentFacts facts;
    facts.created_s = kNow;
    facts.id = report::make_ulid(sequence, {});
    facts.sequence = sequence;
    facts.identity = {"123456789012",  "eu-central-1", "i-0123456789abcdef0", "ami-0123456789abcdef0", "m7i.large",
                      "eu-central-1a", "x86_64",       "2026-11-21T08:00:00Z"};
    return must(make_report(facts, posture));
}

} // namespace hostward::bench
