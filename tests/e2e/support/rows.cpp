// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/support/rows.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

namespace hostward::e2e {

namespace {

constexpr int kReached = 0;
constexpr int kRefused = 1;
constexpr int kCannotTry = 77;
constexpr int kOpenAttempts = 100;
constexpr useconds_t kOpenPauseUs = 50'000;
constexpr auto kUnloadSettles = std::chrono::seconds(5);

/// What came of one attempt, by both accounts.
struct Trial {
    Outcome outcome;
    std::uint64_t arrivals = 0;
    std::string far_text;

    [[nodiscard]] bool has_reached() const { return outcome.exit_code == kReached || arrivals > 0; }
    [[nodiscard]] std::string text() const { return outcome.text() + "far end: " + far_text; }
};

Result<Trial> try_now(Site& site, const Attempt& attempt)
{
    site.network.imds().reset();
    TRY_ASSIGN(Outcome outcome, attempt.run());
    Trial trial;
    trial.outcome = std::move(outcome);
    trial.arrivals = site.network.imds().arrivals();
    trial.far_text = site.network.imds().text();
    return trial;
}

Status prepare(const Attempt& attempt) { return attempt.prepare ? attempt.prepare() : success(); }

/// The program's verdict: the last line it printed.
std::string verdict_of(const Outcome& outcome)
{
    const std::size_t end = outcome.out.find_last_not_of('\n');
    const std::size_t before = outcome.out.rfind('\n', end);
    return end == std::string::npos ? "nothing" : outcome.out.substr(before + 1, end - before);
}

void print_trial(const char* guard, const Row& row, const Attempt& attempt, const Trial& trial)
{
    std::printf("  guard %s, %s: %s [%s]\n", guard, row.id.c_str(), attempt.name.c_str(),
                verdict_of(trial.outcome).c_str());
}

/// The attempt without a guard. It may be refused for a moment: what an earlier test unloaded ends a little later.
Result<Trial> try_unguarded(Site& site, const Attempt& attempt)
{
    const auto end = std::chrono::steady_clock::now() + kUnloadSettles;
    for (;;) {
        TRY(prepare(attempt));
        TRY_ASSIGN(Trial trial, try_now(site, attempt));
        const bool is_settled = trial.outcome.exit_code == kReached || trial.outcome.exit_code == kCannotTry;
        if (is_settled || std::chrono::steady_clock::now() > end) {
            return trial;
        }
        (void)usleep(kOpenPauseUs);
    }
}

/// The attempts that work without a guard. Those that cannot be tried here are told in `untried`.
std::vector<Attempt> proven(Site& site, const Row& row, std::string& untried)
{
    std::vector<Attempt> working;
    for (const Attempt& attempt : row.attempts) {
        const auto trial = try_unguarded(site, attempt);
        if (!trial) {
            ADD_FAILURE() << row.id << "/" << attempt.name << " with the guard off: " << trial.error().text;
            continue;
        }
        print_trial("off", row, attempt, *trial);
        if (trial->outcome.exit_code == kCannotTry) {
            untried += attempt.name + ": " + verdict_of(trial->outcome) + "; ";
        } else if (trial->outcome.exit_code != kReached || trial->arrivals == 0) {
            ADD_FAILURE() << row.id << "/" << attempt.name
                          << " is vacuous: with the guard off it must reach the service: " << trial->text();
        } else {
            working.push_back(attempt);
        }
    }
    return working;
}

/// Names of the attempts that got through the guard.
std::string got_through(Site& site, const Row& row, const std::vector<Attempt>& attempts)
{
    std::string through;
    for (const Attempt& attempt : attempts) {
        const auto trial = try_now(site, attempt);
        if (!trial) {
            ADD_FAILURE() << row.id << "/" << attempt.name << " with the guard on: " << trial.error().text;
            continue;
        }
        print_trial("on", row, attempt, *trial);
        if (trial->has_reached()) {
            through += (through.empty() ? "" : ",") + attempt.name;
            EXPECT_EQ(trial->outcome.exit_code, kReached)
                << row.id << "/" << attempt.name << " says refused, yet something arrived: " << trial->text();
        } else {
            EXPECT_EQ(trial->outcome.exit_code, kRefused) << row.id << "/" << attempt.name << ": " << trial->text();
        }
    }
    return through;
}

void check_control(Site& site, const Row& row)
{
    const auto trial = try_now(site, row.control);
    ASSERT_TRUE(trial) << trial.error().text;
    if (trial->outcome.exit_code == kCannotTry) {
        std::printf("  control of %s: %s\n", row.id.c_str(), verdict_of(trial->outcome).c_str());
        return; // what this kernel lacks it lacks for everybody
    }
    EXPECT_EQ(trial->outcome.exit_code, kReached)
        << row.id << ": whom the policy allows (" << row.control.name << ") must get through: " << trial->text();
}

/// Deleted pins let go of their links a little later: what comes next starts when it has happened.
bool is_open_again(Site& site)
{
    for (int attempt = 0; attempt < kOpenAttempts; ++attempt) {
        const auto outcome = run(site.attack({"tcp", kImds4}));
        if (outcome && outcome->exit_code == kReached) {
            return true;
        }
        (void)usleep(kOpenPauseUs);
    }
    return false;
}

void print_row(const std::string& id, const char* result, const std::string& why)
{
    std::string line = why;
    std::ranges::replace(line, '\n', ' ');
    std::printf("[ROW] id=%s result=%s why=%s\n", id.c_str(), result, line.c_str());
    (void)std::fflush(stdout);
}

/// What happened must be what status says.
void compare(const Row& row, const GuardStatus& status, const std::string& through, const std::string& untried)
{
    const auto found = status.rows.find(row.id);
    ASSERT_NE(found, status.rows.end()) << "status does not know the row " << row.id << ": " << status.text;
    const GuardStatus::Row& said = found->second;
    if (said.is_closed) {
        EXPECT_EQ(through, "") << row.id << ": status calls it closed by " << said.by << ", yet this got through";
        print_row(row.id, through.empty() ? "stopped" : "open", through.empty() ? "by " + said.by : through);
        return;
    }
    if (through.empty() && !untried.empty()) {
        print_row(row.id, "skipped", "status calls it open (" + said.why + "), not tried: " + untried);
        return;
    }
    EXPECT_NE(through, "") << row.id << ": status calls it open (" << said.why << "), yet every attempt was stopped";
    print_row(row.id, through.empty() ? "stopped" : "open", through.empty() ? said.why : through + ": " + said.why);
}

/// The guard comes, the attempts that work are tried against it.
void check_guarded(Site& site, const Row& row, const std::vector<Attempt>& attempts, const std::string& untried)
{
    for (const Attempt& attempt : attempts) {
        const Status prepared = prepare(attempt);
        ASSERT_TRUE(prepared) << prepared.error().text;
    }
    const Status loaded = site.guard.load(row.policy);
    ASSERT_TRUE(loaded) << loaded.error().text;
    const Status readied = row.on_loaded ? row.on_loaded() : success();
    ASSERT_TRUE(readied) << readied.error().text;
    const auto status = site.guard.status();
    ASSERT_TRUE(status) << status.error().text;
    check_control(site, row);
    const std::string through = got_through(site, row, attempts);
    compare(row, *status, through, untried);
}

} // namespace

std::unique_ptr<Site> AttackTest::site_;
std::string AttackTest::site_error_;

void AttackTest::SetUpTestSuite()
{
    auto made = Site::create();
    site_error_ = made ? "" : made.error().text;
    site_ = made ? made.take() : nullptr;
}

void AttackTest::TearDownTestSuite() { site_.reset(); }

void AttackTest::renew_site()
{
    site_.reset();
    SetUpTestSuite();
}

void AttackTest::SetUp() { ASSERT_NE(site_, nullptr) << site_error_; }

void AttackTest::TearDown()
{
    if (site_ != nullptr) {
        take_down();
    }
}

void AttackTest::take_down()
{
    const Status unloaded = site_->guard.unload();
    EXPECT_TRUE(unloaded) << unloaded.error().text;
    EXPECT_TRUE(is_open_again(*site_)) << "the guard is unloaded, yet nobody does not get through";
}

Attempt AttackTest::attempt(std::string name, Launch launch)
{
    return {std::move(name), [launch = std::move(launch)] { return run(launch); }, {}};
}

Attempt AttackTest::attempt(Launch launch)
{
    std::string name = launch.argv.at(0).substr(launch.argv.at(0).rfind('/') + 1);
    for (std::size_t i = 1; i < launch.argv.size(); ++i) {
        name += " " + launch.argv.at(i);
    }
    return attempt(std::move(name), std::move(launch));
}

Attempt AttackTest::allowed_unit() { return attempt("root in allowed.service", site().as_allowed({"tcp", kImds4})); }

void AttackTest::check_row(const Row& row)
{
    std::string untried;
    const std::vector<Attempt> working = proven(site(), row, untried);
    if (working.empty() && !HasFailure()) {
        print_row(row.id, "skipped", untried);
        GTEST_SKIP() << row.id << " cannot be tried here: " << untried;
    }
    if (!HasFatalFailure()) {
        check_guarded(site(), row, working, untried);
    }
}

} // namespace hostward::e2e
