// SPDX-License-Identifier: Apache-2.0
// The spool and the sinks without the rest of the agent, for tests in Python.
//
// Usage: driver CONFIG SETUP add ID [ID...]   adds a report with each id
//        driver CONFIG SETUP deliver          what a run of the agent does with the spool
//        driver CONFIG SETUP both ID          one after the other, with one opened spool
// CONFIG is a report.toml. SETUP is JSON: {"identity": {...}, "keys": [{"id", "secret", "token", "expires_s"}...] (one
// after the other, each time keys are asked for), "report": FILE, "created_s": N, "clock_s": N (added to ours),
// "sleeps": bool}. Prints one line for each thing that happened.
#include "agent/base/text.h"
#include "agent/config/report_config.h"
#include "agent/report/proof.h"
#include "agent/report/random.h"
#include "agent/report/sink.h"
#include "agent/report/spool.h"

#include <nlohmann/json.hpp>

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <span>
#include <thread>

namespace {

using namespace hostward;
using namespace hostward::report;
using Json = nlohmann::json;

/// Whole lines at once: a kill never leaves half of one.
void say(const std::string& line)
{
    const std::string text = line + "\n";
    if (::write(STDOUT_FILENO, text.data(), text.size()) < 0) {
        std::_Exit(1); // the test misses the line, and knows why
    }
}

std::string read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

class ScriptedCredentials : public CredentialSource {
public:
    explicit ScriptedCredentials(const Json& keys)
    {
        for (const auto& one : keys) {
            keys_.push_back({{one.at("id"), one.at("secret"), one.value("token", "")}, one.value("expires_s", kNever)});
        }
    }
    Result<Credentials> get(Role role, std::int64_t now_s) override
    {
        if (role != Role::InstanceProfile || keys_.empty()) {
            return Error{ErrorKind::NotFound, 0, "no instance profile is attached"};
        }
        while (place_ + 1 < keys_.size() && keys_[place_].expires_s <= now_s) {
            ++place_;
            say("credentials asked anew");
        }
        return keys_[place_];
    }

private:
    static constexpr std::int64_t kNever = std::int64_t{1} << 40;
    std::vector<Credentials> keys_;
    std::size_t place_ = 0;
};

struct Setup {
    Json json;
    config::ReportConfig config;
    std::unique_ptr<ScriptedCredentials> credentials;
    SinkContext context;
};

double random_part()
{
    std::uint32_t bits = 0;
    fill_random(reinterpret_cast<unsigned char*>(&bits), sizeof bits);
    return bits / 4294967296.0;
}

Result<std::string> make_envelope(const Report& report, const std::string& audience)
{
    ProofParts parts;
    parts.audience = audience.empty() ? "test" : audience;
    parts.nonce = std::string(32, 'a');
    parts.report_sha256 = sha256_hex(report.bytes);
    parts.note = "a test proves nothing";
    return write_envelope(report.bytes, parts);
}

Result<Setup> make_setup(const char* config, const char* setup)
{
    Setup out;
    TRY_ASSIGN(out.config, config::load_report(config, std::nullopt));
    out.json = Json::parse(read_file(setup));
    out.credentials = std::make_unique<ScriptedCredentials>(out.json.at("keys"));
    const std::int64_t clock_s = out.json.value("clock_s", std::int64_t{0});
    const bool sleeps = out.json.value("sleeps", false);
    out.context.envelope = make_envelope;
    out.context.credentials = out.credentials.get();
    out.context.now_s = [clock_s] { return std::time(nullptr) + clock_s; };
    out.context.sleep = [sleeps](std::chrono::milliseconds time) {
        say("slept " + std::to_string(time.count()));
        if (sleeps) {
            std::this_thread::sleep_for(time);
        }
    };
    out.context.random = random_part;
    return out;
}

Report make_report(const Setup& setup, const std::string& id, std::uint64_t sequence)
{
    const Json& who = setup.json.at("identity");
    Report out;
    out.id = id;
    out.sequence = sequence;
    out.created_s = setup.json.value("created_s", setup.context.now_s());
    Json document = Json::parse(read_file(setup.json.at("report")));
    document["id"] = id;
    document["sequence"] = sequence;
    out.bytes = document.dump();
    out.identity.account_id = who.value("account_id", "");
    out.identity.region = who.value("region", "");
    out.identity.instance_id = who.value("instance_id", "");
    return out;
}

void say_notes(Spool& spool)
{
    for (const auto& note : spool.take_notes()) {
        say("note " + note);
    }
}

Status add(const Setup& setup, Spool& spool, const std::string& id)
{
    TRY(spool.add(make_report(setup, id, spool.next_sequence())));
    say("added " + id);
    return success();
}

const char* name_of(Delivery delivery)
{
    switch (delivery) {
    case Delivery::Done: return "done";
    case Delivery::Later: return "later";
    case Delivery::Refused: break;
    }
    return "refused";
}

Status deliver_to(const config::SinkConfig& config, const Setup& setup, Spool& spool)
{
    TRY_ASSIGN(const auto sink, open_sink(config, setup.context));
    TRY_ASSIGN(const auto ids, spool.waiting_for(config.name));
    for (const auto& id : ids) {
        TRY_ASSIGN(const Report report, spool.read(id));
        const DeliveryResult result = sink->deliver(report);
        say(config.name + " " + id + " " + name_of(result.delivery) + " " + result.text);
        if (result.delivery == Delivery::Later) {
            break;
        }
        TRY(spool.confirm(config.name, id));
    }
    return success();
}

Status deliver(const Setup& setup, Spool& spool)
{
    std::vector<std::string> names;
    for (const auto& sink : setup.config.sinks) {
        names.push_back(sink.name);
        if (const Status sent = deliver_to(sink, setup, spool); !sent) {
            say("error " + sink.name + " " + sent.error().text);
        }
    }
    return spool.clean(names);
}

Status run(std::span<char*> arguments)
{
    if (arguments.size() < 4) {
        return invalid_error("usage: driver CONFIG SETUP add|deliver|both [ID...]");
    }
    TRY_ASSIGN(const Setup setup, make_setup(arguments[1], arguments[2]));
    TRY_ASSIGN(Spool spool, Spool::open(setup.config.state_dir + "/spool", setup.config.spool_bytes_max));
    say_notes(spool);
    const std::string_view what = arguments[3];
    for (const char* id : arguments.subspan(4)) {
        TRY(add(setup, spool, id));
    }
    Status done = what == "add" ? success() : deliver(setup, spool);
    say_notes(spool);
    return done;
}

} // namespace

int main(int argc, char** argv)
{
    try {
        const Status done = run({argv, static_cast<std::size_t>(argc)});
        if (!done) {
            say("error - " + done.error().text);
        }
        return done ? 0 : 1;
    } catch (const std::exception& problem) { // a setup that is none
        say(std::string("error - ") + problem.what());
        return 2;
    }
}
