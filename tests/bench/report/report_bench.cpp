// SPDX-License-Identifier: Apache-2.0
// What happens to a report on its way, step by step.
// Usage: report_bench FIXTURE LIBRARY SCRATCH IDENTITY [options of Google Benchmark]   (run.py runs it)
// IDENTITY: PATH of a genuine identity document, PATH.json and PATH.rsa2048.b64; "-": none is there, and it is left
// out.
#include "agent/base/text.h"
#include "agent/report/gzip.h"
#include "agent/report/spool.h"
#include "hardening/formats/formats.h"
#include "tests/bench/report/inputs.h"
#include "tests/unit/report/verify_world.h"

#include <benchmark/benchmark.h>

namespace {

using namespace hostward;
using namespace hostward::bench;

constexpr std::uint64_t kSpoolBytesMax = std::uint64_t{64} << 20;

struct Material {
    explicit Material(const Inputs& inputs)
        : image(inputs), results(image.check()), posture(posture_of(inputs)), report(report_of(posture, 1)),
          envelope(report::Instance{}.envelope(report.bytes, "nonce")), spool_folder(inputs.scratch + "/spool")
    {
    }

    Image image;
    hardening::Report results;
    std::string posture;
    report::Report report;
    std::string envelope;
    std::string spool_folder;
};

void write_results(benchmark::State& state, const Material& material)
{
    for (auto _ : state) {
        benchmark::DoNotOptimize(json_line_report(material.results));
    }
}

void make(benchmark::State& state, const Material& material)
{
    for (auto _ : state) {
        benchmark::DoNotOptimize(report_of(material.posture, 1));
    }
}

void compress(benchmark::State& state, const Material& material)
{
    for (auto _ : state) {
        benchmark::DoNotOptimize(must(report::gzip(material.report.bytes)));
    }
}

/// As the S3 sink: the body's digest is signed, too.
void sign(benchmark::State& state, const Material& material)
{
    const report::HttpRequest request{
        "PUT", "https://fleet.s3.eu-central-1.amazonaws.com/report", {}, material.report.bytes};
    const report::Instance sender;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            must(sign_headers(request, sender.keys, {sender.region, "s3", kNow}, report::rules_for("s3"))));
    }
}

void prove(benchmark::State& state, const Material& material)
{
    const report::Instance sender;
    for (auto _ : state) {
        benchmark::DoNotOptimize(sender.envelope(material.report.bytes, "nonce"));
    }
}

/// On disk when it returns: the time is that of the disk.
void keep(benchmark::State& state, const Material& material)
{
    auto spool = must(report::Spool::open(material.spool_folder, kSpoolBytesMax));
    for (auto _ : state) {
        state.PauseTiming();
        const auto report = report_of(material.posture, spool.next_sequence());
        state.ResumeTiming();
        must(spool.add(report));
        state.PauseTiming();
        must(spool.confirm("sink", report.id));
        must(spool.clean({"sink"}));
        state.ResumeTiming();
    }
}

/// The receiver's side but for the way to STS: what stands in for it signs the request once more.
void verify(benchmark::State& state, const Material& material)
{
    report::FakeSts sts({report::Instance{}});
    for (auto _ : state) {
        const auto found = report::verify_bytes(material.envelope, report::expectations(), &sts);
        must(found.verdict == report::Verdict::Proven, "not proven");
    }
}

void verify_document(benchmark::State& state, const report::IdentityProof& proof, const std::string& region)
{
    for (auto _ : state) {
        benchmark::DoNotOptimize(must(verify_identity(proof, region)));
    }
}

void add_document(const std::string& path)
{
    const auto own = must(host::open_host());
    const report::IdentityProof proof{must(own->read(path + ".json")), must(own->read(path + ".rsa2048.b64"))};
    const auto region = must(report::parse_identity(proof.document)).region;
    benchmark::RegisterBenchmark("verify-document", verify_document, proof, region);
}

void add_all(const Material& material)
{
    benchmark::RegisterBenchmark("write-results", write_results, std::cref(material));
    benchmark::RegisterBenchmark("make", make, std::cref(material));
    benchmark::RegisterBenchmark("compress", compress, std::cref(material));
    benchmark::RegisterBenchmark("sign", sign, std::cref(material));
    benchmark::RegisterBenchmark("prove", prove, std::cref(material));
    benchmark::RegisterBenchmark("keep", keep, std::cref(material));
    benchmark::RegisterBenchmark("verify", verify, std::cref(material));
}

} // namespace

int main(int argc, char** argv)
{
    constexpr int kOwnArguments = 4;
    must(argc > kOwnArguments, "Usage: report_bench FIXTURE LIBRARY SCRATCH IDENTITY [options of Google Benchmark]");
    const Material material({argv[1], argv[2], argv[3]});
    benchmark::AddCustomContext("report_bytes", std::to_string(material.report.bytes.size()));
    benchmark::AddCustomContext("compressed_bytes", std::to_string(must(report::gzip(material.report.bytes)).size()));
    benchmark::AddCustomContext("findings", std::to_string(material.results.findings.size()));
    add_all(material);
    if (const std::string identity = argv[kOwnArguments]; identity != "-") {
        add_document(identity);
    }
    int rest = argc - kOwnArguments;
    benchmark::Initialize(&rest, argv + kOwnArguments);
    benchmark::RunSpecifiedBenchmarks();
}
