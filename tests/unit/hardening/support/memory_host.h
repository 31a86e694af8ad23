// SPDX-License-Identifier: Apache-2.0
// A host that exists in memory only: files with any owner, programs with any answer. Links are followed as in a root.
#pragma once

#include "agent/host/host.h"

#include <map>
#include <set>

namespace hostward::host {

class MemoryHost final : public Host {
public:
    struct Node {
        FileFacts facts;
        std::string content; ///< text of a file, target of a link
    };

    /// Parents are made as needed: root's, 0755. The last call for a path counts.
    MemoryHost& file(const std::string& path, std::string text, std::uint32_t mode = 0644, std::uint32_t uid = 0,
                     std::uint32_t gid = 0);
    MemoryHost& directory(const std::string& path, std::uint32_t mode = 0755, std::uint32_t uid = 0,
                          std::uint32_t gid = 0);
    MemoryHost& link(const std::string& path, std::string target);
    MemoryHost& node(const std::string& path, FileType type);
    MemoryHost& image(); ///< not running
    /// What every look at this path answers.
    MemoryHost& broken(const std::string& path, Error error);
    MemoryHost& program(std::vector<std::string> argv, Finished answer);
    /// What the kernel's audit answers. Before it is told so, it refuses to.
    MemoryHost& audit(AuditQuestion question, std::vector<std::string> messages);

    [[nodiscard]] bool is_running() const override { return is_running_; }
    [[nodiscard]] Result<FileFacts> facts(const std::string& path, Links links) const override;
    [[nodiscard]] Result<std::string> read(const std::string& path, std::size_t bytes_max) const override;
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& directory) const override;
    [[nodiscard]] Result<std::string> link_target(const std::string& path) const override;
    [[nodiscard]] Result<UniqueFd> open_root() const override;
    [[nodiscard]] Result<Finished> run(const std::vector<std::string>& argv, const RunLimits& limits) const override;
    [[nodiscard]] Result<std::vector<std::string>> ask_audit(AuditQuestion question) const override;

private:
    [[nodiscard]] Result<std::string> resolve(const std::string& path, Links links) const;
    MemoryHost& put(const std::string& path, Node node);

    std::map<std::string, Node> nodes_{{"/", {FileFacts{.type = FileType::Directory, .mode = 0755}, ""}}};
    std::map<std::string, Error> broken_;
    std::map<std::vector<std::string>, Finished> programs_;
    std::map<AuditQuestion, std::vector<std::string>> audit_;
    bool is_running_ = true;
};

} // namespace hostward::host
