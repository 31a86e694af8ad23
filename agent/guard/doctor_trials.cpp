// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/doctor_trials.h"

#include "agent/base/text.h"
#include "agent/guard/bpf_objects.h"
#include "agent/guard/cgroup_path.h"
#include "agent/guard/child.h"
#include "agent/guard/doctor_attempts.h"
#include "agent/guard/exe_facts.h"
#include "agent/guard/flows.h"
#include "agent/guard/links.h"
#include "agent/guard/swap.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

namespace hostward::guard {

namespace {

namespace fs = std::filesystem;
using Trials = std::map<std::string, Trial>;
using enum Trial::Outcome;

constexpr auto kCgroupPrefix = "hostward-doctor.";
constexpr std::chrono::seconds kAttemptsDeadline{30}; // they take milliseconds; an emulated kernel seconds
constexpr std::array kCgroupTrials{trial::kConnect4, trial::kConnect6, trial::kSendmsg4, trial::kSendmsg6,
                                   trial::kEgress,   trial::kTags,     trial::kEvents,   trial::kTc};

/// Nobody: the policy of the trial names no account and no file.
class EmptyResolver : public Resolver {
public:
    std::optional<std::uint32_t> user(const std::string& /*name*/) override { return std::nullopt; }
    std::optional<std::uint32_t> group(const std::string& /*name*/) override { return std::nullopt; }
    Result<ExeInfo> exe(const std::string& /*path*/) override { return ExeInfo{}; }
};

config::Endpoint endpoint(const char* name, config::Action action, const std::vector<const char*>& addresses)
{
    config::Endpoint out;
    out.name = name;
    out.default_action = action;
    for (const auto* address : addresses) {
        out.addresses.push_back({address, {}});
    }
    return out;
}

/// Refuses one pair of addresses and allows another; everything else of the host is left alone.
Result<CompiledPolicy> policy_for_cgroup()
{
    config::GuardConfig config;
    config.endpoints = {endpoint("refused", config::Action::Deny, {kRefused4, kRefused6}),
                        endpoint("allowed", config::Action::Allow, {kAllowed4})};
    EmptyResolver resolver;
    return compile(config, resolver);
}

/// For programs that the whole host meets: nobody is allowed anything worth protecting, nothing is refused.
Result<CompiledPolicy> policy_for_host()
{
    config::GuardConfig config;
    config.mode = config::Mode::Audit;
    config.bypass_sockets = config::Action::Allow;
    config.forwarded = config::Action::Allow;
    config.endpoints = {endpoint("refused", config::Action::Deny, {kRefused4})};
    EmptyResolver resolver;
    return compile(config, resolver);
}

/// A cgroup below `parent` for this process, removed at the end; those of doctors that were killed are removed, too.
class TrialCgroup {
public:
    static Result<TrialCgroup> create(const std::string& parent)
    {
        remove_leftovers(parent);
        std::string path = parent + "/" + kCgroupPrefix + std::to_string(::getpid());
        if (::mkdir(path.c_str(), 0700) != 0) {
            return system_error(errno, "cannot make the cgroup " + quote(path));
        }
        return TrialCgroup(std::move(path));
    }
    TrialCgroup(TrialCgroup&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    TrialCgroup& operator=(TrialCgroup&&) = delete;
    TrialCgroup(const TrialCgroup&) = delete;
    TrialCgroup& operator=(const TrialCgroup&) = delete;
    ~TrialCgroup()
    {
        if (!path_.empty()) {
            (void)::rmdir(path_.c_str()); // busy only if our child hangs: the next doctor removes it
        }
    }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    explicit TrialCgroup(std::string path) : path_(std::move(path)) {}

    static void remove_leftovers(const std::string& parent)
    {
        std::error_code status;
        for (fs::directory_iterator at(parent, status), end; !status && at != end; at.increment(status)) {
            const std::string name = at->path().filename().string();
            if (!name.starts_with(kCgroupPrefix)) {
                continue;
            }
            const auto pid = parse_number<pid_t>(std::string_view(name).substr(std::string_view(kCgroupPrefix).size()));
            if (pid && ::kill(*pid, 0) != 0 && errno == ESRCH) {
                (void)::rmdir(at->path().c_str()); // as above
            }
        }
    }
    std::string path_;
};

void set_all(Trials& trials, const Trial& trial)
{
    for (const auto* name : kCgroupTrials) {
        trials[name] = trial;
    }
}

bool saw(const std::vector<Flow>& flows, hw_hook hook)
{
    return std::ranges::any_of(flows,
                               [&](const Flow& flow) { return flow.key.hook == hook && flow.key.verdict == HW_DENY; });
}

struct Expected {
    const char* name;
    hw_hook hook;
};
constexpr std::array kExpected{
    Expected{trial::kConnect4, HW_HOOK_CONNECT4}, Expected{trial::kConnect6, HW_HOOK_CONNECT6},
    Expected{trial::kSendmsg4, HW_HOOK_SENDMSG4}, Expected{trial::kSendmsg6, HW_HOOK_SENDMSG6},
    Expected{trial::kEgress, HW_HOOK_EGRESS},     Expected{trial::kTc, HW_HOOK_TC},
};

/// The attempts as the child reported them: errno, or why one could not be made.
std::map<std::string, Result<int>> parse_attempts(const std::string& text)
{
    std::map<std::string, Result<int>> found;
    for (const auto line : split(text, '\n')) {
        const auto fields = split(line, '\t');
        if (fields.size() < 2) {
            continue;
        }
        const std::string name(fields[0]);
        if (const auto number = parse_number<int>(fields[1])) {
            found.emplace(name, *number);
        } else {
            const int error_number = fields[1] == kNoFamily ? EAFNOSUPPORT : 0;
            found.emplace(name,
                          Error{ErrorKind::System, error_number, std::string(fields.size() > 2 ? fields[2] : "")});
        }
    }
    return found;
}

Trial judge_refusal(const Result<int>& attempt, bool was_decided)
{
    if (!attempt) {
        // A host without IPv6 has no way over it.
        return attempt.error().error_number == EAFNOSUPPORT ? Trial{Works, ""} : Trial{Untried, attempt.error().text};
    }
    if (was_decided && *attempt != 0) {
        return {Works, ""};
    }
    const std::string end = *attempt == 0 ? "it got through" : system_error(*attempt, "it ended with").text;
    return {Fails, was_decided ? end : "the program did not see the attempt: " + end};
}

/// Refused means: the attempt failed, and the program reported that it was the one to refuse.
void judge_attempts(const std::map<std::string, Result<int>>& attempts, const std::vector<Flow>& flows, Trials& trials)
{
    const Result<int> silent = Error{ErrorKind::System, 0, "the attempt did not finish in time"};
    const auto attempt = [&](const char* name) -> const Result<int>& {
        const auto found = attempts.find(name);
        return found == attempts.end() ? silent : found->second;
    };
    for (const auto& [name, hook] : kExpected) {
        if (trials[name].outcome != Works) {
            continue; // it could not be attached
        }
        trials[name] = judge_refusal(attempt(name), saw(flows, hook));
    }
    const auto& allowed = attempt(trial::kTags);
    if (!allowed) {
        trials[trial::kTags] = {Untried, allowed.error().text};
    } else if (*allowed != 0) {
        trials[trial::kTags] = {Fails, system_error(*allowed, "an allowed packet was refused").text};
    } else {
        trials[trial::kTags] = {Works, ""};
    }
}

Result<KernelMaps> maps_of(const BpfObject& object)
{
    KernelMaps maps;
    for (std::size_t i = 0; i < static_cast<std::size_t>(MapId::Count); ++i) {
        const auto id = static_cast<MapId>(i);
        TRY_ASSIGN(UniqueFd fd, object.map_fd(map_name(id)));
        maps.set(id, std::move(fd));
    }
    return maps;
}

/// The programs of the guard with maps of their own and a policy, attached to nothing.
struct Loaded {
    BpfObject programs;
    KernelMaps maps;
};

Result<Loaded> load_programs(const std::string& cgroup)
{
    TRY_ASSIGN(BpfObject programs, BpfObject::open(ObjectId::Guard, nullptr));
    TRY(programs.load());
    TRY_ASSIGN(KernelMaps maps, maps_of(programs));
    hw_control control{};
    control.abi_version = HW_ABI_VERSION;
    TRY(maps.write(MapId::Control, 0, control));
    TRY_ASSIGN(const CompiledPolicy policy, policy_for_cgroup());
    TRY_ASSIGN(const HostFacts host, read_host_facts(cgroup));
    TRY_ASSIGN([[maybe_unused]] const auto generation, install_policy(maps, policy, host));
    return Loaded{std::move(programs), std::move(maps)};
}

/// Attaches, lets a child try everything, judges.
void try_cgroup_layers(const Loaded& loaded, const std::string& cgroup, Trials& trials)
{
    set_all(trials, {Works, ""}); // until something does not
    const UniqueFd directory(::open(cgroup.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    std::vector<UniqueFd> links;
    for (const auto& program : program_names(ObjectId::Guard)) {
        auto link = attach_for_now(loaded.programs, program, directory.get());
        if (link) {
            links.push_back(link.take());
        } else {
            trials[program] = {Fails, link.error().text};
        }
    }
    auto tc = BpfObject::open(ObjectId::Tc, &loaded.maps);
    const Status tc_loaded = tc ? tc->load() : Status(tc.error());
    if (!tc_loaded) {
        trials[trial::kTc] = {Fails, tc_loaded.error().text};
    }
    const int tc_program = tc_loaded ? tc->program_fd("guard_tc_ether") : -1;
    const std::string text = run_child([&](int out) { make_attempts(cgroup, tc_program, out); }, kAttemptsDeadline);
    const auto flows = drain_flows(loaded.maps);
    if (!flows || flows->empty()) {
        trials[trial::kEvents] = {Fails, flows ? "no decision was reported" : flows.error().text};
    }
    judge_attempts(parse_attempts(text), flows ? *flows : std::vector<Flow>{}, trials);
}

void try_security_layer(ObjectId id, const Loaded& loaded, const std::set<std::string>& attached, Trials& trials)
{
    std::vector<std::string> wanted;
    for (const auto& program : program_names(id)) {
        if (attached.contains(program)) {
            trials[program] = {Works, ""};
        } else {
            wanted.push_back(program);
        }
    }
    for (const auto& attempt : wanted.empty() ? std::vector<Attempt>{} : attach_lsm(id, wanted, loaded.maps, "")) {
        trials[attempt.program] = {attempt.problem.empty() ? Works : Fails, attempt.problem};
    }
}

void try_security_layers(const Loaded& loaded, const std::string& cgroup, const std::set<std::string>& attached,
                         Trials& trials)
{
    auto policy = policy_for_host();
    auto host = read_host_facts(cgroup);
    if (!policy || !host || !install_policy(loaded.maps, *policy, *host)) {
        return; // untried: a policy that could refuse somebody must not be met by the whole host
    }
    for (const auto id : {ObjectId::Lsm, ObjectId::Seal}) {
        try_security_layer(id, loaded, attached, trials);
    }
}

Trial try_exe_facts()
{
    const UniqueFd self(::open("/proc/self/exe", O_PATH | O_CLOEXEC));
    if (!self) {
        return {Untried, system_error(errno, "cannot open /proc/self/exe").text};
    }
    const auto fact = file_fact(self.get());
    return fact ? Trial{Works, ""} : Trial{Fails, fact.error().text};
}

} // namespace

std::map<std::string, Trial> no_trials(const std::string& why)
{
    Trials trials;
    set_all(trials, {Untried, why});
    trials[trial::kExeFacts] = {Untried, why};
    for (const auto id : {ObjectId::Lsm, ObjectId::Seal}) {
        for (const auto& program : program_names(id)) {
            trials[program] = {Untried, why};
        }
    }
    return trials;
}

std::map<std::string, Trial> run_trials(const Options& options, const std::set<std::string>& attached)
{
    Trials trials = no_trials("what comes before it did not work");
    trials[trial::kExeFacts] = try_exe_facts();
    const auto guarded = guarded_cgroup(options.cgroup);
    if (!guarded) {
        set_all(trials, {Fails, guarded.error().text});
        return trials;
    }
    const auto cgroup = TrialCgroup::create(*guarded);
    if (!cgroup) {
        set_all(trials, {Untried, cgroup.error().text});
        return trials;
    }
    const auto loaded = load_programs(cgroup->path());
    if (!loaded) {
        set_all(trials, {Fails, loaded.error().text});
        return trials;
    }
    try_cgroup_layers(*loaded, cgroup->path(), trials);
    const std::string inactive = lsm_inactive_reason();
    for (const auto id : {ObjectId::Lsm, ObjectId::Seal}) {
        for (const auto& program : program_names(id)) {
            trials[program].why = inactive.empty() ? "the policy of the trial could not be installed" : inactive;
        }
    }
    if (inactive.empty()) {
        try_security_layers(*loaded, cgroup->path(), attached, trials);
    }
    return trials;
}

} // namespace hostward::guard
