// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/path_resolver.h"

#include "agent/base/text.h"
#include "agent/guard/exe_facts.h"
#include "agent/host/path_trust.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace hostward::cli {

namespace {

bool is_refusal(const Error& error) { return error.kind == ErrorKind::Denied || error.kind == ErrorKind::Unsupported; }

class PathResolver : public guard::Resolver {
public:
    explicit PathResolver(std::unique_ptr<guard::Resolver> real) : real_(std::move(real)) {}

    std::optional<std::uint32_t> user(const std::string& name) override { return real_->user(name); }
    std::optional<std::uint32_t> group(const std::string& name) override { return real_->group(name); }

    Result<guard::ExeInfo> exe(const std::string& path) override
    {
        auto info = real_->exe(path);
        if (info || !is_refusal(info.error())) {
            return info;
        }
        TRY_ASSIGN(const host::PathTrust trust, host::path_trust("/", path));
        guard::ExeInfo out;
        out.writable_by = trust.writable_by;
        if (trust.exists) {
            TRY_ASSIGN(out.fact, identify_program(trust.file.get()));
        }
        return out;
    }

private:
    std::unique_ptr<guard::Resolver> real_;
};

} // namespace

Result<std::optional<guard::ExeFact>> identify_program(int fd)
{
    const auto fact = guard::file_fact(fd);
    if (fact) {
        return fact->unlinked != 0 ? std::nullopt
                                   : std::optional(guard::ExeFact{fact->inode, fact->device, fact->generation});
    }
    if (!is_refusal(fact.error())) {
        return fact.error();
    }
    struct stat status = {};
    if (::fstat(fd, &status) != 0) {
        const int error_number = errno;
        return system_error(error_number, "cannot look at a program file");
    }
    if (status.st_nlink == 0) {
        return std::optional<guard::ExeFact>();
    }
    const std::uint32_t device = major(status.st_dev) << 20 | minor(status.st_dev);
    return std::optional(guard::ExeFact{status.st_ino, device, 0});
}

std::unique_ptr<guard::Resolver> make_path_resolver(std::unique_ptr<guard::Resolver> real)
{
    return std::make_unique<PathResolver>(std::move(real));
}

} // namespace hostward::cli
