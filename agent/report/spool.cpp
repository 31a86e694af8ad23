// SPDX-License-Identifier: Apache-2.0
#include "agent/report/spool.h"

#include "agent/base/text.h"
#include "agent/report/durable.h"
#include "agent/report/spool_file.h"

#include <fcntl.h>
#include <sys/file.h>

#include <algorithm>
#include <map>
#include <utility>

namespace hostward::report {

namespace {

constexpr std::size_t kCursorBytesMax = 128;
constexpr std::size_t kSinkNameMax = 64;
constexpr auto kSequenceFile = "sequence";

struct Entry {
    std::uint64_t sequence = 0;
    std::string id;
    std::string name; ///< of its file
    std::uint64_t bytes = 0;
    std::string posture;
};

bool is_sink_name(std::string_view name)
{
    return !name.empty() && name.size() <= kSinkNameMax && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

/// `NUMBER ID` and a line feed: half a file is never a valid one.
std::optional<std::uint64_t> parse_cursor(std::string_view text)
{
    if (text.empty() || text.back() != '\n') {
        return std::nullopt;
    }
    text.remove_suffix(1);
    const auto parts = split(text, ' ');
    if (parts.size() != 2 || !is_report_id(parts[1])) {
        return std::nullopt;
    }
    return parse_number<std::uint64_t>(parts[0]);
}

Result<UniqueFd> take_lock(const UniqueFd& folder, const std::string& path)
{
    UniqueFd lock(::openat(folder.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!lock) {
        const int error_number = errno;
        return system_error(error_number, "cannot open the lock of " + quote(path));
    }
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        const int error_number = errno;
        if (error_number == EWOULDBLOCK) {
            return Error{ErrorKind::Conflict, error_number, "another run is at work in " + quote(path)};
        }
        return system_error(error_number, "cannot lock " + quote(path));
    }
    return lock;
}

} // namespace

struct Spool::State {
    std::string path;
    std::uint64_t bytes_max = 0;
    UniqueFd root;
    UniqueFd lock;
    UniqueFd reports;
    UniqueFd cursors;
    UniqueFd damaged;
    std::uint64_t sequence = 0; ///< the highest that was given
    std::vector<Entry> entries; ///< oldest first
    std::map<std::string, std::uint64_t> confirmed;
    std::vector<std::string> notes;

    Status load();
    Status load_reports();
    Status load_cursors();
    Status load_sequence();
    Result<Entry> load_report(const std::string& name) const;
    Status set_aside(const UniqueFd& folder, const std::string& name, const std::string& why);
    Status bound_damaged();
    Status remove(std::size_t place);
    Status make_room(const Entry& next);
    [[nodiscard]] std::size_t next_to_drop(const Entry& next) const;
    void note_dropped(const Entry& entry);
    [[nodiscard]] std::uint64_t size() const;
    [[nodiscard]] const Entry* find(const std::string& id) const;
};

Status Spool::State::load()
{
    TRY_ASSIGN(reports, open_folder_in(root, "reports"));
    TRY_ASSIGN(cursors, open_folder_in(root, "cursors"));
    TRY_ASSIGN(damaged, open_folder_in(root, "damaged"));
    TRY(load_reports());
    TRY(load_cursors());
    TRY(load_sequence());
    return bound_damaged();
}

Result<Entry> Spool::State::load_report(const std::string& name) const
{
    const auto parsed = parse_spool_name(name);
    if (!parsed) {
        return invalid_error("its name is none of a report");
    }
    TRY_ASSIGN(const std::string bytes, read_whole(reports, name, kSpoolFileBytesMax));
    TRY_ASSIGN(const SpoolFile file, parse_spool_file(bytes));
    if (file.report.sequence != parsed->sequence || file.report.id != parsed->id) {
        return invalid_error("it is another report than its name says");
    }
    return Entry{parsed->sequence, parsed->id, name, bytes.size(), file.posture};
}

Status Spool::State::load_reports()
{
    TRY_ASSIGN(const auto names, names_in(reports));
    for (const auto& name : names) {
        if (name.starts_with(kAsidePrefix)) {
            TRY(remove_in(reports, name)); // a crash while writing: nobody was told that it is there
            continue;
        }
        auto entry = load_report(name);
        if (!entry && entry.error().kind != ErrorKind::Invalid) {
            return entry.error().in("the spool " + quote(path));
        }
        if (!entry) {
            // Its number was given, whatever became of the rest.
            const auto parsed = parse_spool_name(name);
            sequence = std::max(sequence, parsed ? parsed->sequence : 0);
            TRY(set_aside(reports, name, entry.error().text));
            continue;
        }
        entries.push_back(entry.take());
    }
    return success();
}

Status Spool::State::load_cursors()
{
    TRY_ASSIGN(const auto names, names_in(cursors));
    for (const auto& name : names) {
        if (name.starts_with(kAsidePrefix)) {
            TRY(remove_in(cursors, name));
            continue;
        }
        const auto text = read_whole(cursors, name, kCursorBytesMax);
        if (!text && text.error().kind != ErrorKind::Invalid) {
            return text.error().in("the spool " + quote(path));
        }
        const auto number = text && is_sink_name(name) ? parse_cursor(*text) : std::nullopt;
        if (number) {
            confirmed[name] = *number;
        } else {
            TRY(set_aside(cursors, name, "it is no cursor; that sink is sent every waiting report again"));
        }
    }
    return success();
}

Status Spool::State::load_sequence()
{
    TRY(remove_in(root, std::string(kAsidePrefix) + kSequenceFile));
    const auto text = read_whole(root, kSequenceFile, kCursorBytesMax);
    if (text) {
        const std::string_view line(*text);
        const auto number =
            line.ends_with('\n') ? parse_number<std::uint64_t>(line.substr(0, line.size() - 1)) : std::nullopt;
        if (!number) {
            TRY(set_aside(root, kSequenceFile, "it is no number; counting goes on after the highest number found"));
        }
        sequence = std::max(sequence, number.value_or(0));
    } else if (text.error().kind == ErrorKind::Invalid) {
        TRY(set_aside(root, kSequenceFile, text.error().text));
    } else if (text.error().kind != ErrorKind::NotFound) {
        return text.error().in("the spool " + quote(path));
    }
    for (const auto& entry : entries) {
        sequence = std::max(sequence, entry.sequence);
    }
    for (const auto& [sink, number] : confirmed) {
        sequence = std::max(sequence, number);
    }
    return success();
}

Status Spool::State::set_aside(const UniqueFd& folder, const std::string& name, const std::string& why)
{
    if (::renameat(folder.get(), name.c_str(), damaged.get(), name.c_str()) != 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot set the damaged file " + quote(name) + " of the spool aside");
    }
    TRY(sync_folder(damaged));
    notes.push_back("the spool's file " + quote(name) + " is damaged: " + why + "; it is in " +
                    quote(path + "/damaged"));
    return sync_folder(folder);
}

Status Spool::State::bound_damaged()
{
    TRY_ASSIGN(const auto names, names_in(damaged));
    for (std::size_t i = 0; i + kDamagedMax < names.size(); ++i) {
        const Status removed = remove_in(damaged, names[i]);
        if (!removed) {
            notes.push_back(removed.error().text + "; continuing with more damaged files than intended");
        }
    }
    return success();
}

std::uint64_t Spool::State::size() const
{
    std::uint64_t sum = 0;
    for (const auto& entry : entries) {
        sum += entry.bytes;
    }
    return sum;
}

const Entry* Spool::State::find(const std::string& id) const
{
    const auto found = std::ranges::find(entries, id, &Entry::id);
    return found == entries.end() ? nullptr : &*found;
}

Status Spool::State::remove(std::size_t place)
{
    TRY(remove_in(reports, entries[place].name));
    entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(place));
    return success();
}

std::size_t Spool::State::next_to_drop(const Entry& next) const
{
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const Entry& after = i + 1 < entries.size() ? entries[i + 1] : next;
        if (entries[i].posture == after.posture) {
            return i;
        }
    }
    return 0;
}

void Spool::State::note_dropped(const Entry& entry)
{
    std::string missing;
    for (const auto& [sink, number] : confirmed) {
        if (number < entry.sequence) {
            missing += (missing.empty() ? "" : ", ") + quote(sink);
        }
    }
    notes.push_back("the spool is full (" + std::to_string(bytes_max) + " bytes): report " + entry.id + ", number " +
                    std::to_string(entry.sequence) + ", was dropped; without it: " +
                    (missing.empty() ? "" : missing + " and ") + "every sink that never confirmed a report");
}

Status Spool::State::make_room(const Entry& next)
{
    while (!entries.empty() && size() + next.bytes > bytes_max) {
        const std::size_t place = next_to_drop(next);
        note_dropped(entries[place]);
        TRY(remove(place));
    }
    return success();
}

Spool::Spool(std::unique_ptr<State> state) : state_(std::move(state)) {}
Spool::Spool(Spool&& other) noexcept = default;
Spool& Spool::operator=(Spool&& other) noexcept = default;
Spool::~Spool() = default;

Result<Spool> Spool::open(const std::string& folder, std::uint64_t bytes_max)
{
    auto state = std::make_unique<State>();
    state->path = folder;
    state->bytes_max = bytes_max;
    TRY_ASSIGN(state->root, open_folder(folder));
    TRY_ASSIGN(state->lock, take_lock(state->root, folder));
    TRY(state->load());
    return Spool(std::move(state));
}

std::uint64_t Spool::next_sequence() const { return state_->sequence + 1; }

Status Spool::add(const Report& report)
{
    if (!is_report_id(report.id)) {
        return invalid_error(quote(report.id) + " is no id of a report");
    }
    if (report.sequence <= state_->sequence || state_->find(report.id) != nullptr) {
        return Error{ErrorKind::Conflict, 0,
                     "report " + report.id + ": number " + std::to_string(report.sequence) +
                         " or its id was given before"};
    }
    const SpoolFile file{report, posture_digest(report.bytes)};
    const std::string bytes = write_spool_file(file);
    if (bytes.size() > std::min<std::uint64_t>(state_->bytes_max, kSpoolFileBytesMax)) {
        return Error{ErrorKind::Exhausted, 0,
                     "a report of " + std::to_string(bytes.size()) + " bytes is larger than the spool may be"};
    }
    const Entry entry{report.sequence, report.id, spool_name(report), bytes.size(), file.posture};
    const std::string where = "the spool " + quote(state_->path);
    // Aside first: when the disk is full, nothing is dropped. Its number before its name: no number is given twice.
    if (const Status written = write_aside(state_->reports, entry.name, bytes); !written) {
        return written.error().in(where);
    }
    const Status counted = write_durably(state_->root, kSequenceFile, std::to_string(report.sequence) + "\n");
    if (!counted) {
        (void)remove_in(state_->reports,
                        std::string(kAsidePrefix) + entry.name); // the first failure is the one to tell
        return counted.error().in(where);
    }
    state_->sequence = report.sequence;
    TRY(state_->make_room(entry));
    if (const Status moved = move_into_place(state_->reports, entry.name); !moved) {
        return moved.error().in(where);
    }
    state_->entries.push_back(entry);
    return success();
}

Result<std::vector<std::string>> Spool::waiting_for(const std::string& sink) const
{
    const auto cursor = state_->confirmed.find(sink);
    const std::uint64_t last = cursor == state_->confirmed.end() ? 0 : cursor->second;
    std::vector<std::string> out;
    for (const auto& entry : state_->entries) {
        if (entry.sequence > last) {
            out.push_back(entry.id);
        }
    }
    return out;
}

Result<Report> Spool::read(const std::string& id) const
{
    const Entry* entry = state_->find(id);
    if (entry == nullptr) {
        return Error{ErrorKind::NotFound, 0, "no report " + quote(id) + " is in the spool"};
    }
    TRY_ASSIGN(const std::string bytes, read_whole(state_->reports, entry->name, kSpoolFileBytesMax));
    auto file = parse_spool_file(bytes);
    if (!file) {
        return file.error().in("the spool's file " + quote(entry->name) + " is damaged");
    }
    return std::move(file->report);
}

Status Spool::confirm(const std::string& sink, const std::string& id)
{
    const Entry* entry = state_->find(id);
    if (!is_sink_name(sink) || entry == nullptr) {
        return Error{ErrorKind::NotFound, 0, "no sink " + quote(sink) + " or no report " + quote(id)};
    }
    if (state_->confirmed[sink] >= entry->sequence) {
        return success();
    }
    TRY(write_durably(state_->cursors, sink, std::to_string(entry->sequence) + " " + id + "\n"));
    state_->confirmed[sink] = entry->sequence;
    return success();
}

Status Spool::clean(const std::vector<std::string>& sinks)
{
    if (sinks.empty()) {
        return success();
    }
    std::uint64_t all_have = state_->sequence;
    for (const auto& sink : sinks) {
        const auto cursor = state_->confirmed.find(sink);
        all_have = std::min(all_have, cursor == state_->confirmed.end() ? 0 : cursor->second);
    }
    while (!state_->entries.empty() && state_->entries.front().sequence <= all_have) {
        TRY(state_->remove(0));
    }
    for (auto cursor = state_->confirmed.begin(); cursor != state_->confirmed.end();) {
        if (std::ranges::find(sinks, cursor->first) == sinks.end()) {
            TRY(remove_in(state_->cursors, cursor->first));
            cursor = state_->confirmed.erase(cursor);
        } else {
            ++cursor;
        }
    }
    return sync_folder(state_->reports);
}

std::vector<std::string> Spool::take_notes() { return std::exchange(state_->notes, {}); }

} // namespace hostward::report
