// SPDX-License-Identifier: Apache-2.0
// One piece of hostward's work on an input that is always the same, so that its instructions can be counted.
// Usage: fixed_work NAME TIMES FIXTURE LIBRARY SCRATCH   (compare.py runs it; without arguments it lists the names)
#include "agent/base/text.h"
#include "agent/guard/decide.h"
#include "agent/report/gzip.h"
#include "agent/report/spool.h"
#include "hardening/formats/formats.h"
#include "hardening/models/sweep.h"
#include "tests/bench/report/inputs.h"
#include "tests/bpf/oracle/random_policy.h"
#include "tests/unit/report/verify_world.h"

#include <valgrind/callgrind.h>

#include <array>
#include <cstdio>
#include <functional>
#include <memory>

namespace {

using namespace hostward;
using namespace hostward::bench;
using Job = std::function<void()>;

constexpr std::uint64_t kSpoolBytesMax = std::uint64_t{64} << 20;

/// As many rules as a policy may have, as somebody would write them.
std::string policy_text()
{
    std::string out = "[guard]\nmode = \"enforce\"\n";
    for (int i = 0; i < HW_RULES_MAX; ++i) {
        const std::string n = std::to_string(i);
        out += "\n[[guard.rule]]\nname = \"service-" + n + "\"\naction = \"allow\"\nuser = [\"" +
               std::to_string(1000 + i % 300) + "\", \"" + std::to_string(2000 + i) + "\"]\nunit = [\"service-" + n +
               ".service\"]\nwhy = \"service " + n + " asks for its credentials\"\n";
    }
    return out;
}

config::GuardConfig policy_config() { return must(config::parse(policy_text(), "bench.toml")); }

Job parse_policy(const Inputs& /*inputs*/)
{
    return [text = policy_text()] { must(config::parse(text, "bench.toml").ok(), "no policy"); };
}

Job compile_policy(const Inputs& /*inputs*/)
{
    return [config = policy_config()] {
        test::World world;
        must(guard::compile(config, world).ok(), "no compiled policy");
    };
}

/// Policies and callers of the tests: every kind of condition, denied and allowed.
Job decide(const Inputs& /*inputs*/)
{
    constexpr std::size_t kCallers = 256;
    test::Rng rng(1);
    auto world = test::random_world(rng);
    const auto config = test::random_config(rng, world, HW_RULES_MAX);
    auto policy = must(guard::compile(config, world));
    std::vector<guard::Caller> callers(kCallers);
    for (auto& caller : callers) {
        caller = test::random_caller(rng, world, config);
    }
    return [policy = std::move(policy), callers = std::move(callers)] {
        unsigned allowed = 0;
        for (const auto& caller : callers) {
            allowed += guard::decide(policy, caller, 0).verdict == HW_ALLOW ? 1U : 0U;
        }
        must(allowed > 0 && allowed < callers.size(), "all decisions are alike");
    };
}

Job load_rules(const Inputs& inputs)
{
    return [inputs] { must(!load(inputs).rules.empty(), "no rules"); };
}

Job check(const Inputs& inputs)
{
    return [image = std::make_shared<Image>(inputs)] { must(!image->check().findings.empty(), "no findings"); };
}

Job sweep(const Inputs& inputs)
{
    return [host = std::shared_ptr<host::Host>(must(host::open_host(inputs.fixture)))] {
        hardening::SweepLimits limits;
        limits.threads = 1;
        must(must(hardening::sweep(*host, {}, limits)).entries > 0, "an empty sweep");
    };
}

Job write_report(const Inputs& inputs)
{
    auto image = std::make_shared<Image>(inputs);
    return [image, report = image->check()] { must(!json_line_report(report).empty(), "no text"); };
}

Job make_report(const Inputs& inputs)
{
    return [posture = posture_of(inputs)] { must(!report_of(posture, 1).bytes.empty(), "an empty report"); };
}

Job compress_report(const Inputs& inputs)
{
    return [bytes = report_of(posture_of(inputs), 1).bytes] {
        must(must(report::gzip(bytes)).size() < bytes.size(), "larger than before");
    };
}

Job sign_report(const Inputs& inputs)
{
    return [bytes = report_of(posture_of(inputs), 1).bytes] {
        must(report::Instance{}.envelope(bytes, "nonce").size() > bytes.size(), "no envelope");
    };
}

/// Kept, sent by a sink that says yes, and removed: nothing grows from one to the next.
Job spool_report(const Inputs& inputs)
{
    return [folder = inputs.scratch + "/spool", posture = posture_of(inputs)] {
        auto spool = must(report::Spool::open(folder, kSpoolBytesMax));
        const auto report = report_of(posture, spool.next_sequence());
        must(spool.add(report));
        must(must(spool.read(report.id)).bytes == report.bytes, "another report");
        must(spool.confirm("sink", report.id));
        must(spool.clean({"sink"}));
    };
}

Job verify_report(const Inputs& inputs)
{
    return [envelope = report::Instance{}.envelope(report_of(posture_of(inputs), 1).bytes, "nonce")] {
        report::FakeSts sts({report::Instance{}});
        const auto found = report::verify_bytes(envelope, report::expectations(), &sts);
        must(found.verdict == report::Verdict::Proven, found.refusal ? found.refusal->text.c_str() : "not proven");
    };
}

/// Callgrind counts what happens in here, and nothing else: what comes before runs as it is, which is much faster.
void measure(const Job& job, int times)
{
    CALLGRIND_START_INSTRUMENTATION;
    for (int i = 0; i < times; ++i) {
        job();
    }
    CALLGRIND_STOP_INSTRUMENTATION;
}

struct Work {
    std::string_view name;
    Job (*prepare)(const Inputs& inputs);
};

constexpr std::array kWorks{
    Work{"policy-parse", parse_policy},
    Work{"policy-compile", compile_policy},
    Work{"decide", decide},
    Work{"rules-load", load_rules},
    Work{"check", check},
    Work{"sweep", sweep},
    Work{"check-json", write_report},
    Work{"report-make", make_report},
    Work{"report-gzip", compress_report},
    Work{"report-sign", sign_report},
    Work{"report-spool", spool_report},
    Work{"report-verify", verify_report},
};

} // namespace

int main(int argc, char** argv)
{
    const std::string_view name = argc > 1 ? argv[1] : "";
    for (const auto& work : kWorks) {
        if (argc == 1) {
            std::puts(work.name.data());
        } else if (argc == 6 && work.name == name) {
            const auto times = parse_number<int>(argv[2]);
            must(times.has_value(), "TIMES is no number");
            measure(work.prepare({argv[3], argv[4], argv[5]}), *times);
            return 0;
        }
    }
    return argc == 1 ? 0 : 2;
}
