// SPDX-License-Identifier: Apache-2.0
// Which files make up the policy of this host.
#include "agent/base/text.h"
#include "agent/config/complaints.h"
#include "agent/config/config_file.h"
#include "agent/config/policy_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

namespace hostward::config {

namespace {

std::string folder_of(const std::string& path)
{
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

class Loader {
public:
    Loader(std::string path, std::string preset_dir, Trust trust)
        : path_(std::move(path)), folder_(folder_of(path_)), preset_dir_(std::move(preset_dir))
    {
        // Others read only to look, and their files are their own.
        if (::geteuid() == 0 && trust == Trust::RootOnly) {
            owner_ = 0;
        }
    }

    Result<GuardConfig> load()
    {
        TRY_ASSIGN(const auto text, read_policy_text(path_, Mask::Refused, owner_));
        add_file(path_, text.value_or(""));
        TRY(add_drop_ins());
        TRY_ASSIGN(has_own_presets_, check_policy_folder(own_presets(), owner_));
        for (std::size_t i = 0; i < files_.size(); ++i) {
            add_presets(files_[i]);
        }
        if (!errors_.empty()) {
            return invalid_error(std::move(errors_));
        }
        TRY_ASSIGN(GuardConfig config, merge(files_, presets_));
        config.overrides.insert(config.overrides.begin(), notes_.begin(), notes_.end());
        return config;
    }

private:
    [[nodiscard]] std::string own_presets() const { return folder_ + "/" + kOwnPresetFolder; }

    void fail(const std::string& text) { errors_ += (errors_.empty() ? "" : "\n") + text; }
    void fail_at(const Place& place, const std::string& text)
    {
        Complaints one;
        one.add(place, text);
        fail(one.error().text);
    }

    void add_file(const std::string& path, const std::string& text)
    {
        auto parsed = parse_file(text, path);
        if (parsed) {
            files_.push_back(parsed.take());
        } else {
            fail(parsed.error().text);
        }
    }

    Status add_drop_ins()
    {
        const std::string folder = folder_ + "/" + kDropInFolder;
        TRY_ASSIGN(const bool exists, check_policy_folder(folder, owner_));
        if (!exists) {
            return success();
        }
        TRY_ASSIGN(const auto paths, list_policy_folder(folder));
        for (const auto& path : paths) {
            TRY_ASSIGN(const auto text, read_policy_text(path, Mask::Allowed, owner_));
            if (text) {
                add_file(path, *text);
            } else {
                notes_.push_back(escape(path) + ": masked, stands for an empty file");
            }
        }
        return success();
    }

    void add_presets(const ConfigFile& file)
    {
        for (const auto& name : file.includes) {
            add_preset(name);
        }
    }

    /// The preset, then those it includes, so that a preset's own rules come before what it is made of.
    void add_preset(const At<std::string>& name)
    {
        if (std::ranges::count(chain_, name.value) > 0) {
            fail_at(name.place, "preset " + quote(name.value) + " includes itself: " + chain_text(name.value));
            return;
        }
        if (seen_.contains(name.value)) {
            return;
        }
        if (chain_.size() == kPresetDepthMax || seen_.size() == kPresetsMax) {
            fail_at(name.place, "preset " + quote(name.value) + " is one too many: allowed are " +
                                    std::to_string(kPresetsMax) + " presets, " + std::to_string(kPresetDepthMax) +
                                    " deep");
            return;
        }
        seen_.insert(name.value);
        auto parsed = read_preset(name.value);
        if (!parsed) {
            fail(parsed.error().kind == ErrorKind::Invalid ? parsed.error().text
                                                           : name.place.text() + ": " + parsed.error().text);
            return;
        }
        presets_.push_back({name.value, parsed.take()});
        chain_.push_back(name.value);
        const auto includes = presets_.back().content.includes; // presets_ grows below
        for (const auto& next : includes) {
            add_preset(next);
        }
        chain_.pop_back();
    }

    [[nodiscard]] std::string chain_text(const std::string& last) const
    {
        std::string text;
        for (const auto& name : chain_) {
            text += name + " includes ";
        }
        return text + last;
    }

    /// The host's own preset of this name, else the installed one. A dangling link is there, and an error.
    Result<ConfigFile> read_preset(const std::string& name)
    {
        const std::string own = own_presets() + "/" + name + ".toml";
        const std::string installed = preset_dir_ + "/" + name + ".toml";
        struct stat status = {};
        if (!has_own_presets_ || (::lstat(own.c_str(), &status) != 0 && errno == ENOENT)) {
            return parse_preset(name, installed, Mask::Refused);
        }
        auto parsed = parse_preset(name, own, Mask::Allowed);
        if (parsed && ::access(installed.c_str(), F_OK) == 0) {
            notes_.push_back(escape(own) + ": stands for the installed preset " + quote(name));
        }
        return parsed;
    }

    Result<ConfigFile> parse_preset(const std::string& name, const std::string& path, Mask mask)
    {
        auto text = read_policy_text(path, mask, owner_);
        if (!text) {
            return text.error().in("preset " + quote(name));
        }
        if (!text->has_value()) {
            notes_.push_back(escape(path) + ": masked, preset " + quote(name) + " has no rules");
            ConfigFile empty;
            empty.file = path;
            return empty;
        }
        return parse_file(**text, path, FileKind::Preset);
    }

    std::string path_;
    std::string folder_;
    std::string preset_dir_;
    std::optional<unsigned> owner_;
    bool has_own_presets_ = false;
    std::vector<ConfigFile> files_;
    std::vector<NamedPreset> presets_;
    std::set<std::string> seen_;
    std::vector<std::string> chain_; ///< the presets being read, each included by the one before
    std::vector<std::string> notes_;
    std::string errors_;
};

} // namespace

Result<GuardConfig> load(const std::string& path, const std::string& preset_dir, Trust trust)
{
    return Loader(path, preset_dir, trust).load();
}

} // namespace hostward::config
