// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/hardening/support/memory_host.h"

#include "agent/base/text.h"

#include <deque>

namespace hostward::host {

namespace {

constexpr int kSymlinksMax = 40; // as the kernel's

Error absent(const std::string& path) { return system_error(ENOENT, "opening " + quote(path)); }

std::string parent_of(const std::string& path)
{
    const auto slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

} // namespace

MemoryHost& MemoryHost::put(const std::string& path, Node node)
{
    if (path != "/" && !nodes_.contains(parent_of(path))) {
        directory(parent_of(path));
    }
    node.facts.inode = nodes_.size() + 2;
    node.facts.device = 1;
    nodes_.insert_or_assign(path, std::move(node));
    return *this;
}

MemoryHost& MemoryHost::file(const std::string& path, std::string text, std::uint32_t mode, std::uint32_t uid,
                             std::uint32_t gid)
{
    FileFacts facts{.type = FileType::Regular, .mode = mode, .uid = uid, .gid = gid, .size = text.size()};
    return put(path, {facts, std::move(text)});
}

MemoryHost& MemoryHost::directory(const std::string& path, std::uint32_t mode, std::uint32_t uid, std::uint32_t gid)
{
    return put(path, {FileFacts{.type = FileType::Directory, .mode = mode, .uid = uid, .gid = gid}, ""});
}

MemoryHost& MemoryHost::link(const std::string& path, std::string target)
{
    return put(path, {FileFacts{.type = FileType::Symlink, .mode = 0777}, std::move(target)});
}

MemoryHost& MemoryHost::node(const std::string& path, FileType type)
{
    return put(path, {FileFacts{.type = type, .mode = 0644}, ""});
}

MemoryHost& MemoryHost::image()
{
    is_running_ = false;
    return *this;
}

MemoryHost& MemoryHost::broken(const std::string& path, Error error)
{
    broken_.insert_or_assign(path, std::move(error));
    return *this;
}

MemoryHost& MemoryHost::program(std::vector<std::string> argv, Finished answer)
{
    programs_.insert_or_assign(std::move(argv), std::move(answer));
    return *this;
}

Result<std::string> MemoryHost::resolve(const std::string& path, Links links) const
{
    if (!path.starts_with('/')) {
        return invalid_error(quote(path) + " is not an absolute path");
    }
    std::deque<std::string> pending;
    for (const auto part : split(path, '/')) {
        pending.emplace_back(part);
    }
    std::string here = "/";
    int followed = 0;
    while (!pending.empty()) {
        const std::string part = std::move(pending.front());
        pending.pop_front();
        if (part.empty() || part == ".") {
            continue;
        }
        if (part == "..") {
            here = parent_of(here);
            continue;
        }
        const std::string next = here == "/" ? "/" + part : here + "/" + part;
        if (const auto problem = broken_.find(next); problem != broken_.end()) {
            return problem->second;
        }
        const auto found = nodes_.find(next);
        if (found == nodes_.end()) {
            return absent(path);
        }
        if (found->second.facts.type != FileType::Symlink || (pending.empty() && links == Links::Keep)) {
            here = next;
            continue;
        }
        if (++followed > kSymlinksMax) {
            return system_error(ELOOP, "opening " + quote(path));
        }
        const auto parts = split(found->second.content, '/');
        for (auto at = parts.rbegin(); at != parts.rend(); ++at) {
            pending.emplace_front(*at);
        }
        here = found->second.content.starts_with('/') ? "/" : here;
    }
    return here;
}

Result<FileFacts> MemoryHost::facts(const std::string& path, Links links) const
{
    TRY_ASSIGN(const std::string at, resolve(path, links));
    return nodes_.at(at).facts;
}

Result<std::string> MemoryHost::read(const std::string& path, std::size_t bytes_max) const
{
    TRY_ASSIGN(const std::string at, resolve(path, Links::Follow));
    const Node& node = nodes_.at(at);
    if (node.facts.type != FileType::Regular) {
        return invalid_error(quote(path) + " is not a regular file");
    }
    if (node.content.size() > bytes_max) {
        return Error{ErrorKind::Exhausted, 0, quote(path) + " is larger than allowed"};
    }
    return node.content;
}

Result<std::vector<std::string>> MemoryHost::list(const std::string& directory) const
{
    TRY_ASSIGN(const std::string at, resolve(directory, Links::Follow));
    if (nodes_.at(at).facts.type != FileType::Directory) {
        return absent(directory);
    }
    std::vector<std::string> names;
    for (const auto& [path, node] : nodes_) {
        if (path != "/" && parent_of(path) == at) {
            names.push_back(path.substr(at == "/" ? 1 : at.size() + 1));
        }
    }
    return names;
}

Result<std::string> MemoryHost::link_target(const std::string& path) const
{
    TRY_ASSIGN(const std::string at, resolve(path, Links::Keep));
    const Node& node = nodes_.at(at);
    if (node.facts.type != FileType::Symlink) {
        return system_error(EINVAL, "reading the link " + quote(path));
    }
    return node.content;
}

Result<UniqueFd> MemoryHost::open_root() const
{
    return Error{ErrorKind::Unsupported, 0, "a host in memory cannot be walked"};
}

Result<Finished> MemoryHost::run(const std::vector<std::string>& argv, const RunLimits& /*limits*/) const
{
    if (!is_running_) {
        return Error{ErrorKind::Unsupported, 0, "nothing is run in an image"};
    }
    const auto found = programs_.find(argv);
    return found == programs_.end() ? Result<Finished>(absent(argv.empty() ? "" : argv[0])) : found->second;
}

MemoryHost& MemoryHost::audit(AuditQuestion question, std::vector<std::string> messages)
{
    audit_[question] = std::move(messages);
    return *this;
}

Result<std::vector<std::string>> MemoryHost::ask_audit(AuditQuestion question) const
{
    if (!is_running_) {
        return Error{ErrorKind::Unsupported, 0, "an image has no running kernel"};
    }
    const auto found = audit_.find(question);
    return found == audit_.end() ? Result<std::vector<std::string>>(Error{ErrorKind::Denied, 0, "not allowed"})
                                 : found->second;
}

} // namespace hostward::host
