// SPDX-License-Identifier: Apache-2.0
// A folder of the test's own, gone with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace hostward::e2e {

class Folder {
public:
    Folder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "hostward-models-XXXXXX").string();
        path_ = ::mkdtemp(name.data()) == nullptr ? "" : name;
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder()
    {
        std::error_code ignored; // the system cleans its temporary folder too
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] const std::string& path() const { return path_; }

    /// Folders on the way are made.
    void write(const std::string& name, const std::string& text) const
    {
        const std::filesystem::path file = std::filesystem::path(path_) / name;
        std::filesystem::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
    }

private:
    std::string path_;
};

} // namespace hostward::e2e
