// SPDX-License-Identifier: Apache-2.0
#include "tests/e2e/models/random_folders.h"

#include <sys/mount.h>

#include <sched.h>

namespace hostward::e2e {

namespace fs = std::filesystem;

RandomFolders::RandomFolders(std::string name, std::vector<std::string> parents)
    : name_(std::move(name)), parents_(std::move(parents))
{
    for (const auto& parent : parents_) {
        tree_.directory("root" + parent + "/" + name_);
    }
}

std::string RandomFolders::folder(const std::string& parent) const { return tree_.path("root" + parent + "/" + name_); }

bool RandomFolders::enter()
{
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
        return false;
    }
    for (const auto& parent : parents_) {
        const std::string target = parent + "/" + name_;
        if (!fs::is_directory(target) &&
            (::mount("tmpfs", parent.c_str(), "tmpfs", 0, nullptr) != 0 || !fs::create_directory(target))) {
            return false;
        }
        if (::mount(folder(parent).c_str(), target.c_str(), nullptr, MS_BIND, nullptr) != 0) {
            return false;
        }
    }
    return true;
}

void RandomFolders::fill(Random& random, const std::function<std::string()>& line)
{
    static const std::vector<std::string> kNames{"10-a.conf",  "20-b.conf",    "99-z.conf", "B.conf",
                                                 "a.conf.bak", ".hidden.conf", "no-suffix"};
    shown_.clear();
    for (const auto& parent : parents_) {
        for (const auto& entry : fs::directory_iterator(folder(parent))) {
            fs::remove(entry);
        }
        const auto count = random.below(4);
        for (std::size_t file = 0; file < count; ++file) {
            const std::string name = random.of(kNames);
            const fs::path path = fs::path(folder(parent)) / name;
            if (fs::is_symlink(path)) {
                continue;
            }
            if (random.one_in(8) && !fs::exists(path)) {
                const auto target = random.of<std::string>({"/dev/null", "/nowhere/at/all"});
                fs::create_symlink(target, path);
                shown_ += "--- " + parent + "/" + name + " -> " + target + "\n";
                continue;
            }
            std::string text;
            for (auto lines = random.below(5); lines > 0; --lines) {
                text += line();
            }
            std::ofstream(path) << text;
            shown_ += "--- " + parent + "/" + name + "\n" + text;
        }
    }
}

std::string RandomFolders::shown() const { return shown_; }

} // namespace hostward::e2e
