// SPDX-License-Identifier: Apache-2.0
// A folder of files for one test, gone afterwards.
#pragma once

#include <gtest/gtest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace hostward::host {

class TempTree {
public:
    TempTree()
    {
        std::string name = testing::TempDir() + "hostward-tree-XXXXXX";
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        EXPECT_EQ(::chmod(name.c_str(), 0755), 0);
        root_ = name;
    }
    TempTree(const TempTree&) = delete;
    TempTree& operator=(const TempTree&) = delete;
    ~TempTree()
    {
        std::error_code ignored; // a folder left behind fails no test
        std::filesystem::remove_all(root_, ignored);
    }

    [[nodiscard]] const std::string& root() const { return root_; }
    [[nodiscard]] std::string path(const std::string& name) const { return root_ + "/" + name; }

    void directory(const std::string& name, mode_t mode = 0755) const
    {
        std::filesystem::create_directories(path(name));
        change_mode(name, mode);
    }
    void write(const std::string& name, const std::string& text, mode_t mode = 0644) const
    {
        std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
        std::ofstream(path(name)) << text;
        change_mode(name, mode);
    }
    void link(const std::string& target, const std::string& name) const
    {
        std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
        EXPECT_EQ(::symlink(target.c_str(), path(name).c_str()), 0);
    }
    void remove(const std::string& name) const { std::filesystem::remove_all(path(name)); }
    void change_mode(const std::string& name, mode_t mode) const { EXPECT_EQ(::chmod(path(name).c_str(), mode), 0); }

private:
    std::string root_;
};

} // namespace hostward::host
