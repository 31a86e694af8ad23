// SPDX-License-Identifier: Apache-2.0
// Folders of configuration files, filled at random and mounted over the machine's own in a mount namespace of the
// test's: the programs that read fixed paths read these.
#pragma once

#include "tests/e2e/models/random.h"
#include "tests/unit/host/temp_tree.h"

#include <functional>
#include <string>
#include <vector>

namespace hostward::e2e {

class RandomFolders {
public:
    /// NAME below each of `parents`, in the order of their precedence.
    RandomFolders(std::string name, std::vector<std::string> parents);

    /// A private mount namespace with these folders in place. Folders that the machine does not have are made
    /// on a tmpfs over their parent, never on its disk.
    [[nodiscard]] bool enter();

    /// New files: names collide between folders, some are links to /dev/null or to nothing. Lines come from `line`.
    void fill(Random& random, const std::function<std::string()>& line);

    /// All files with their text, for messages.
    [[nodiscard]] std::string shown() const;
    /// The folder in the temporary tree that stands for PARENT/NAME.
    [[nodiscard]] std::string folder(const std::string& parent) const;

private:
    std::string name_;
    std::vector<std::string> parents_;
    host::TempTree tree_;
    std::string shown_;
};

} // namespace hostward::e2e
