// SPDX-License-Identifier: Apache-2.0
// systemd's units as the files and links of a host say, without asking systemd: what `systemctl is-enabled` prints, and
// what a boot would reach. systemd.unit(5), systemctl(1).
#pragma once

#include "agent/base/result.h"
#include "hardening/models/facts.h"
#include "hardening/models/lines.h"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::hardening {

enum class UnitState {
    Absent, ///< no such unit file
    Enabled,
    EnabledRuntime,
    Linked,
    LinkedRuntime,
    Alias,
    Masked,
    MaskedRuntime,
    Static,
    Disabled,
    Indirect,
    Generated,
    Transient,
};

/// The word that systemctl uses: "enabled-runtime". "not-found" for Absent.
[[nodiscard]] std::string_view name_of(UnitState state);

/// What a unit file and its drop-ins say that matters for how it starts.
struct UnitText {
    std::vector<std::string> aliases;
    std::vector<std::string> also;
    std::vector<std::string> wanted_by;
    std::vector<std::string> required_by;
    std::vector<std::string> upheld_by;
    std::string default_instance;
    std::vector<std::string> starts; ///< Service= of a socket, Unit= of a timer or path
};

/// Adds the assignments of `text` to `out`, as a unit file or one of its drop-ins.
void apply_unit_text(std::string_view text, UnitText& out);

/// One folder of the search path.
struct UnitFolder {
    enum class Kind { Config, RuntimeConfig, Generator, Transient, Vendor };
    struct Entry {
        bool is_link = false;
        std::string target; ///< of a link, as written
    };
    std::string path;
    Kind kind = Kind::Vendor;
    std::map<std::string, Entry> entries;                      ///< files and links
    std::map<std::string, std::map<std::string, Entry>> pulls; ///< folders *.wants, *.requires, *.upholds
    std::map<std::string, std::vector<std::string>> drop_ins;  ///< NAME.d -> its *.conf
};

struct Units {
    static Result<Units> read(Facts& facts);

    /// As `systemctl is-enabled NAME`. `name` with its suffix. Error: a file that cannot be read or leads in a circle.
    [[nodiscard]] Result<UnitState> state(Facts& facts, const std::string& name) const;

    /// The file or link that makes a unit masked, installed or linked; empty where there is none.
    [[nodiscard]] std::string path_of(const std::string& name) const;

    /// Every link by which another unit starts this one at boot or later (paths). Masked units are never started.
    [[nodiscard]] std::vector<std::string> pulled_by(const std::string& name) const;

    /// Other units (sockets, timers, paths) that start this one when something happens, and that are pulled in
    /// themselves: a disabled service behind one of them is not off.
    [[nodiscard]] Result<std::vector<std::string>> activated_by(Facts& facts, const std::string& name) const;

    /// Names of all units with this suffix (".socket").
    [[nodiscard]] std::vector<std::string> names(std::string_view suffix) const;

    std::vector<UnitFolder> folders; ///< in the order of the search path
};

/// What runs now, asked once from systemd over its own program.
struct RunningUnits {
    struct State {
        std::string load;   ///< loaded, not-found, masked, ...
        std::string active; ///< active, inactive, failed, activating, ...
        std::string sub;
    };
    /// Unsupported: an image, or systemd is not what runs this host.
    static Result<RunningUnits> read(Facts& facts);

    /// Nothing: systemd has not loaded it, so it is not running.
    [[nodiscard]] std::optional<State> find(const std::string& name) const;

    std::map<std::string, State> all;
};

/// The table that `systemctl list-units --plain --no-legend` prints.
[[nodiscard]] std::map<std::string, RunningUnits::State> parse_list_units(std::string_view text);

} // namespace hostward::hardening
