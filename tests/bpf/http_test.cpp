// SPDX-License-Identifier: Apache-2.0
// Random streams of requests: what the kernel reads in them and what the oracle says agree. HOSTWARD_SEED repeats a
// run; HOSTWARD_QUICK and HOSTWARD_VM make it shorter.
#include "agent/base/text.h"
#include "tests/bpf/http_abi.h"
#include "tests/bpf/oracle/http_oracle.h"
#include "tests/bpf/oracle/random_http.h"

#include "http.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <random>

namespace hostward::test {
namespace {

constexpr int kStreams = 20'000;
constexpr int kStreamsShort = 2'000;

struct Destroy {
    void operator()(http_bpf* skeleton) const { ::http_bpf__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<http_bpf, Destroy>;

std::uint64_t seed()
{
    const char* given = std::getenv("HOSTWARD_SEED");
    return given == nullptr ? std::random_device{}() : parse_number<std::uint64_t>(given).value_or(0);
}

bool run(const Skeleton& kernel, const std::string& stream, std::vector<unsigned>& versions)
{
    const std::uint32_t zero = 0;
    http_question question{};
    question.length = static_cast<std::uint32_t>(stream.size());
    std::memcpy(static_cast<void*>(question.bytes), stream.data(), stream.size());
    http_answer answer{};
    const int answer_fd = ::bpf_map__fd(kernel->maps.answer);
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    if (::bpf_map_update_elem(::bpf_map__fd(kernel->maps.question), &zero, &question, BPF_ANY) < 0 ||
        ::bpf_map_update_elem(answer_fd, &zero, &answer, BPF_ANY) < 0 ||
        ::bpf_prog_test_run_opts(::bpf_program__fd(kernel->progs.read_stream), &options) < 0 ||
        ::bpf_map_lookup_elem(answer_fd, &zero, &answer) < 0) {
        return false;
    }
    versions.assign(std::begin(answer.versions), std::begin(answer.versions) + answer.count);
    return answer.answered == 1;
}

TEST(Http, KernelAndOracleAgree)
{
    const Skeleton kernel(::http_bpf__open_and_load());
    ASSERT_TRUE(kernel) << "cannot load the test's programs";
    const bool is_short = std::getenv("HOSTWARD_QUICK") != nullptr || std::getenv("HOSTWARD_VM") != nullptr;
    const std::uint64_t used_seed = seed();
    Rng rng(used_seed);
    std::array<std::size_t, HW_IMDS_COUNT> met{};
    for (int i = 0; i < (is_short ? kStreamsShort : kStreams); ++i) {
        const std::string stream = random_stream(rng);
        ASSERT_LE(stream.size(), std::size_t{HTTP_STREAM_MAX});
        std::vector<unsigned> versions;
        ASSERT_TRUE(run(kernel, stream, versions)) << "the kernel did not answer";
        ASSERT_EQ(versions, oracle_requests(stream)) << "HOSTWARD_SEED=" << used_seed << " " << escape(stream);
        for (const unsigned version : versions) {
            ++met.at(version);
        }
    }
    for (const auto version : {HW_IMDS_V1, HW_IMDS_V2, HW_IMDS_UNKNOWN}) {
        EXPECT_GT(met.at(version), 100U) << version;
    }
}

} // namespace
} // namespace hostward::test
