// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/suite/tally.h"

#include "agent/base/text.h"

#include <cerrno>
#include <string_view>

namespace hostward::e2e {

namespace {

constexpr Milliseconds kEndTimeout{30'000};

/// The number after ` NAME=` or at the start of the line.
Result<std::uint64_t> field(std::string_view line, std::string_view name)
{
    for (const std::string_view word : split(line, ' ')) {
        if (word.starts_with(name) && word.substr(name.size()).starts_with('=')) {
            if (const auto value = parse_number<std::uint64_t>(word.substr(name.size() + 1))) {
                return *value;
            }
        }
    }
    return Error{ErrorKind::Invalid, EINVAL, "no " + std::string(name) + " in: " + std::string(line)};
}

} // namespace

Result<Tally> tally_of(const Outcome& outcome)
{
    const std::size_t at = outcome.out.find("allowed=");
    if (at == std::string::npos) {
        return Error{ErrorKind::System, 0, "the hammer counted nothing: " + outcome.text()};
    }
    Tally tally;
    tally.text = outcome.out.substr(at, outcome.out.find('\n', at) - at);
    TRY_ASSIGN(tally.allowed, field(tally.text, "allowed"));
    TRY_ASSIGN(tally.denied, field(tally.text, "denied"));
    TRY_ASSIGN(tally.other, field(tally.text, "other"));
    TRY_ASSIGN(tally.median_us, field(tally.text, "median_us"));
    TRY_ASSIGN(tally.max_us, field(tally.text, "max_us"));
    TRY_ASSIGN(tally.elapsed_us, field(tally.text, "elapsed_us"));
    return tally;
}

Result<Child> start_hammer(Launch launch)
{
    // Each from an address of its own, so that none meets a port that another's interrupted connection still
    // holds at the far end.
    static int sequence = 0;
    const std::string source = std::string(kClientPrefix4) + std::to_string(kClientFirst + sequence++ % kClientSpare);
    launch.argv = {attack_path("hammer"), "tcp", kImds4, "0", "1", source};
    TRY_ASSIGN(Child child, Child::start(launch));
    TRY(child.await_line("started", launch.timeout));
    return child;
}

Result<Tally> finish_hammer(Child& hammer) { return tally_of(hammer.finish(kEndTimeout)); }

} // namespace hostward::e2e
