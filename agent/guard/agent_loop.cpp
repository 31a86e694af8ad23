// SPDX-License-Identifier: Apache-2.0
// The resident agent: one sd-event loop, no timer while nothing happens but that of the metrics, if they are wanted.
#include "agent/base/log.h"
#include "agent/base/text.h"
#include "agent/guard/event_output.h"
#include "agent/guard/guard.h"
#include "agent/guard/metrics_file.h"
#include "agent/guard/policy.h"
#include "agent/host/users.h"

#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <malloc.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <map>
#include <optional>
#include <set>

namespace hostward::guard {

namespace {

constexpr std::uint64_t kSecond = 1'000'000;          // sd-event counts microseconds
constexpr std::uint64_t kDrainEvery = kSecond;        // at most one batch of events a second
constexpr std::uint64_t kSettle = kSecond / 5;        // files change in bursts: resolve again after the last one
constexpr std::uint64_t kFlushAfter = 11 * kSecond;   // when a flood ends, its rest is reported
constexpr std::uint64_t kMetricsEvery = 15 * kSecond; // the usual time between two scrapes
constexpr std::uint64_t kTimerSlack = kSecond / 10;
constexpr const char* kAccountDirectory = "/etc";

struct UnrefEvent {
    void operator()(sd_event* event) const { ::sd_event_unref(event); }
};
struct UnrefSource {
    void operator()(sd_event_source* source) const { ::sd_event_source_disable_unref(source); }
};
using Source = std::unique_ptr<sd_event_source, UnrefSource>;

std::uint64_t monotonic_ns()
{
    timespec now{};
    (void)::clock_gettime(CLOCK_MONOTONIC, &now); // cannot fail for this clock
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

std::int64_t wall_offset_ns()
{
    timespec now{};
    (void)::clock_gettime(CLOCK_REALTIME, &now); // cannot fail for this clock
    const auto wall = static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
    return wall - static_cast<std::int64_t>(monotonic_ns());
}

void warn(const std::string& text)
{
    if (!text.empty()) {
        log_warning(text);
    }
}

/// Nothing is allowed: what stands between a broken policy file at boot and an open metadata service.
config::GuardConfig deny_all()
{
    config::GuardConfig config;
    config.endpoints = config::default_endpoints();
    return config;
}

class Agent {
public:
    Agent(const Options& options, PolicyPlace place, LiveOutput live)
        : options_(options), place_(std::move(place)), live_(std::move(live)), metrics_(options)
    {
    }

    Status run();

private:
    Status start();
    Status first_policy();
    Status add_sources();
    Status add_signal(int number);
    Status watch_links();
    void reload();
    void watch_files(const std::vector<std::string>& files);
    void report_applied(const Applied& applied);
    void drain();
    void write(const std::vector<Flow>& flows);
    void arm(Source& timer, std::uint64_t after_us);
    Names names();
    void keep_metrics(const std::string& path);
    void write_metrics();

    static int on_signal(sd_event_source* source, const signalfd_siginfo* info, void* self);
    static int on_wake(sd_event_source* source, int fd, std::uint32_t events, void* self);
    static int on_drain(sd_event_source* source, std::uint64_t now, void* self);
    static int on_settled(sd_event_source* source, std::uint64_t now, void* self);
    static int on_flush(sd_event_source* source, std::uint64_t now, void* self);
    static int on_metrics(sd_event_source* source, std::uint64_t now, void* self);
    static int on_link(sd_event_source* source, int fd, std::uint32_t events, void* self);
    static int on_file(sd_event_source* source, const inotify_event* event, void* self);

    Options options_;
    PolicyPlace place_;
    LiveOutput live_;
    std::unique_ptr<sd_event, UnrefEvent> event_;
    std::unique_ptr<Guard> guard_;
    std::optional<EventOutput> events_;
    host::Users users_;
    Reporter reporter_;
    UniqueFd links_;
    std::set<std::string> watched_names_; ///< base names whose change matters
    std::vector<Source> fixed_;
    std::map<std::string, Source> directories_;
    Source wake_;
    Source drain_timer_;
    Source settle_timer_;
    Source flush_timer_;
    Source metrics_timer_;
    MetricsFile metrics_;
    AgentFacts facts_;
    std::uint64_t drained_at_ = 0;
};

Status Agent::run()
{
    TRY(start());
    const int code = ::sd_event_loop(event_.get());
    drain(); // what came after the last batch
    write(reporter_.flush());
    warn(metrics_.move_to(""));
    if (code < 0) {
        return system_error(-code, "the agent's loop failed");
    }
    return success();
}

Status Agent::start()
{
    sd_event* event = nullptr;
    if (const int error = ::sd_event_new(&event); error < 0) {
        return system_error(-error, "cannot start the agent's loop");
    }
    event_.reset(event);
    facts_.started_at = ::time(nullptr);
    // Before anything is enforced: a signal during the start must end us in the ordinary way.
    for (const int number : {SIGTERM, SIGINT, SIGHUP}) {
        TRY(add_signal(number));
    }
    TRY_ASSIGN(guard_, Guard::open(options_));
    TRY_ASSIGN(events_, EventOutput::open(options_.run_dir, live_));
    TRY(first_policy());
    TRY(add_sources());
    (void)::sd_notify(0, "READY=1"); // not run by systemd: nobody to tell
    log_info("guard ready");
    return success();
}

/// A policy that cannot be read must not leave the metadata service open: what was loaded before stays, and if
/// nothing was, everything is denied until the file is right and reloaded.
Status Agent::first_policy()
{
    auto config = config::load(place_.path, place_.preset_dir);
    if (config) {
        auto applied = guard_->apply(*config);
        if (applied) {
            report_applied(*applied);
            keep_metrics(config->metrics_file);
            return success();
        }
        if (applied.error().kind != ErrorKind::Invalid) {
            return applied.error();
        }
        config = applied.error();
    }
    log_error("the policy is not usable: " + config.error().text);
    if (guard_->has_policy()) {
        log_error("the policy that was loaded before stays in force");
        return success();
    }
    log_error("nothing was loaded before: every access is denied until the policy is corrected and reloaded");
    TRY_ASSIGN(const Applied applied, guard_->apply(deny_all()));
    report_applied(applied);
    return success();
}

Status Agent::add_signal(int number)
{
    sigset_t mask;
    (void)::sigemptyset(&mask);
    (void)::sigaddset(&mask, number);
    (void)::sigprocmask(SIG_BLOCK, &mask, nullptr); // valid arguments cannot fail
    sd_event_source* source = nullptr;
    if (const int error = ::sd_event_add_signal(event_.get(), &source, number, on_signal, this); error < 0) {
        return system_error(-error, "cannot watch a signal");
    }
    fixed_.emplace_back(source);
    return success();
}

Status Agent::add_sources()
{
    sd_event_source* source = nullptr;
    if (const int error = ::sd_event_add_io(event_.get(), &source, guard_->wake_fd(), EPOLLIN, on_wake, this);
        error < 0) {
        return system_error(-error, "cannot watch the kernel's events");
    }
    wake_.reset(source);
    return watch_links();
}

Status Agent::watch_links()
{
    links_.reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = RTMGRP_LINK;
    if (!links_ || ::bind(links_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) < 0) {
        return system_error(errno, "cannot watch the network interfaces");
    }
    sd_event_source* source = nullptr;
    if (const int error = ::sd_event_add_io(event_.get(), &source, links_.get(), EPOLLIN, on_link, this); error < 0) {
        return system_error(-error, "cannot watch the network interfaces");
    }
    fixed_.emplace_back(source);
    return success();
}

void Agent::report_applied(const Applied& applied)
{
    for (const auto& warning : applied.warnings) {
        log_warning(warning);
    }
    if (const std::string notes = notes_summary(applied.notes); applied.changed && !notes.empty()) {
        log_info(notes);
    }
    if (applied.changed) {
        log_info("policy generation " + std::to_string(applied.generation) + " with " + std::to_string(applied.rules) +
                 " rules is in force; connections ended: " + std::to_string(applied.destroyed));
    }
    auto users = host::Users::read();
    users_ = users ? users.take() : host::Users{}; // events then show numbers
    watch_files(applied.watched_files);
    (void)::malloc_trim(0); // reading and compiling a policy takes several times what is kept of it
}

/// Watches directories: a package upgrade replaces a file by renaming another over it.
void Agent::watch_files(const std::vector<std::string>& files)
{
    std::map<std::string, Source> wanted;
    watched_names_ = {"passwd", "group"};
    std::set<std::string> directories{kAccountDirectory};
    for (const auto& file : files) {
        const auto slash = file.rfind('/');
        directories.insert(slash == 0 ? "/" : file.substr(0, slash));
        watched_names_.insert(file.substr(slash + 1));
    }
    for (const auto& directory : directories) {
        if (auto known = directories_.find(directory); known != directories_.end()) {
            wanted.emplace(directory, std::move(known->second));
            continue;
        }
        constexpr std::uint32_t kChanges =
            IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CLOSE_WRITE | IN_ATTRIB;
        sd_event_source* source = nullptr;
        const int error = ::sd_event_add_inotify(event_.get(), &source, directory.c_str(), kChanges, on_file, this);
        if (error < 0) {
            log_warning(system_error(-error, "cannot watch " + quote(directory) +
                                                 ", continuing without: changes there count after a reload")
                            .text);
            continue;
        }
        wanted.emplace(directory, source);
    }
    directories_ = std::move(wanted);
}

void Agent::reload()
{
    (void)::sd_notify(0, "RELOADING=1"); // not run by systemd: nobody to tell
    const auto config = config::load(place_.path, place_.preset_dir);
    if (!config) {
        log_error("the policy in force stays, the new one is not usable: " + config.error().text);
    } else if (auto applied = guard_->apply(*config); !applied) {
        log_error("the policy in force stays: " + applied.error().text);
    } else {
        report_applied(*applied);
        keep_metrics(config->metrics_file);
    }
    (void)::sd_notify(0, "READY=1"); // as above
}

Names Agent::names()
{
    const auto name_of = [](const std::map<std::uint32_t, std::string>& names, std::uint32_t id) {
        const auto found = names.find(id);
        return found == names.end() ? std::string() : found->second;
    };
    return Names{
        [this, name_of](std::uint32_t id) { return name_of(users_.users.name_of, id); },
        [this, name_of](std::uint32_t id) { return name_of(users_.groups.name_of, id); },
        [this](std::uint32_t rule, std::uint64_t generation) { return guard_->rule_name(rule, generation); },
        [this](std::uint32_t endpoint, std::uint64_t generation) {
            return guard_->endpoint_name(endpoint, generation);
        },
    };
}

void Agent::write(const std::vector<Flow>& flows)
{
    const Names name = names();
    const std::int64_t offset = wall_offset_ns();
    for (const auto& flow : flows) {
        for (const auto& text : events_->write(event_line(flow, name, offset), monotonic_ns())) {
            log_warning(text);
        }
    }
}

void Agent::drain()
{
    guard_->consume_wake();
    drained_at_ = monotonic_ns();
    auto flows = guard_->drain();
    if (!flows) {
        log_error("cannot read the kernel's events: " + flows.error().text);
        return;
    }
    write(reporter_.take(flows.take(), drained_at_));
    if (const auto held = reporter_.suppressed(); held > 0) {
        facts_.decisions_suppressed += held;
        log_warning(std::to_string(held) + " decisions are counted and not listed: too many identities at once");
    }
    arm(flush_timer_, kFlushAfter);
}

void Agent::keep_metrics(const std::string& path)
{
    warn(metrics_.move_to(path));
    metrics_timer_.reset();
    write_metrics();
}

void Agent::write_metrics()
{
    if (metrics_.is_wanted()) {
        facts_.lines_lost = events_->lost_in_file();
        facts_.live_lines_lost = events_->lost_live();
        warn(metrics_.write(facts_));
        arm(metrics_timer_, kMetricsEvery);
    }
}

void Agent::arm(Source& timer, std::uint64_t after_us)
{
    if (::sd_event_get_state(event_.get()) == SD_EVENT_FINISHED) {
        return; // the last batch, behind the loop: it is written whole, and nothing is due later
    }
    sd_event_source* source = nullptr;
    const auto handler = &timer == &drain_timer_     ? on_drain
                         : &timer == &settle_timer_  ? on_settled
                         : &timer == &metrics_timer_ ? on_metrics
                                                     : on_flush;
    const int error =
        ::sd_event_add_time_relative(event_.get(), &source, CLOCK_MONOTONIC, after_us, kTimerSlack, handler, this);
    if (error < 0) {
        log_error(system_error(-error, "cannot set a timer").text);
        return;
    }
    timer.reset(source);
}

int Agent::on_signal(sd_event_source* /*source*/, const signalfd_siginfo* info, void* self)
{
    auto* agent = static_cast<Agent*>(self);
    if (info->ssi_signo == SIGHUP) {
        agent->reload();
        return 0;
    }
    log_info("the agent ends, the guard stays");
    return ::sd_event_exit(agent->event_.get(), 0);
}

int Agent::on_wake(sd_event_source* source, int /*fd*/, std::uint32_t /*events*/, void* self)
{
    auto* agent = static_cast<Agent*>(self);
    // Off until the batch is read: the ring stays readable, and its content is only that there is something.
    (void)::sd_event_source_set_enabled(source, SD_EVENT_OFF); // a valid source cannot fail
    const std::uint64_t since_us = (monotonic_ns() - agent->drained_at_) / 1000;
    agent->arm(agent->drain_timer_, since_us >= kDrainEvery ? 0 : kDrainEvery - since_us);
    return 0;
}

int Agent::on_drain(sd_event_source* /*source*/, std::uint64_t /*now*/, void* self)
{
    auto* agent = static_cast<Agent*>(self);
    agent->drain();
    (void)::sd_event_source_set_enabled(agent->wake_.get(), SD_EVENT_ON); // as above
    return 0;
}

int Agent::on_flush(sd_event_source* /*source*/, std::uint64_t /*now*/, void* self)
{
    auto* agent = static_cast<Agent*>(self);
    const auto due = agent->reporter_.take({}, monotonic_ns());
    agent->write(due);
    if (!due.empty()) { // more than one batch was held back
        agent->arm(agent->flush_timer_, kFlushAfter);
    }
    return 0;
}

int Agent::on_metrics(sd_event_source* /*source*/, std::uint64_t /*now*/, void* self)
{
    static_cast<Agent*>(self)->write_metrics();
    return 0;
}

int Agent::on_settled(sd_event_source* /*source*/, std::uint64_t /*now*/, void* self)
{
    static_cast<Agent*>(self)->reload();
    return 0;
}

int Agent::on_link(sd_event_source* /*source*/, int fd, std::uint32_t /*events*/, void* self)
{
    std::array<char, 8192> buffer{};
    while (::recv(fd, buffer.data(), buffer.size(), 0) > 0) {
        // Which interface it was does not matter: all are looked at.
    }
    for (const auto& warning : static_cast<Agent*>(self)->guard_->cover_interfaces()) {
        log_warning(warning);
    }
    return 0;
}

int Agent::on_file(sd_event_source* /*source*/, const inotify_event* event, void* self)
{
    auto* agent = static_cast<Agent*>(self);
    const bool overflow = (event->mask & (IN_Q_OVERFLOW | IN_IGNORED)) != 0;
    if (overflow || (event->len > 0 && agent->watched_names_.contains(static_cast<const char*>(event->name)))) {
        agent->arm(agent->settle_timer_, kSettle);
    }
    return 0;
}

} // namespace

Status run_agent(const Options& options, const PolicyPlace& place, const LiveOutput& live)
{
    return Agent(options, place, live).run();
}

} // namespace hostward::guard
