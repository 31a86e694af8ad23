// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/resolver.h"

#include "agent/guard/exe_facts.h"
#include "agent/guard/interpreters.h"
#include "agent/host/path_trust.h"
#include "agent/host/users.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <string_view>
#include <utility>

namespace hostward::guard {

namespace {

bool is_interpreter(int fd)
{
    std::array<char, PATH_MAX> target{};
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
    std::string_view name(target.data(), static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
    name.remove_prefix(name.rfind('/') + 1); // npos + 1 is 0
    return is_interpreter_name(name);
}

class HostResolver : public Resolver {
public:
    explicit HostResolver(host::Users users) : users_(std::move(users)) {}

    std::optional<std::uint32_t> user(const std::string& name) override { return users_.user(name); }
    std::optional<std::uint32_t> group(const std::string& name) override { return users_.group(name); }

    Result<ExeInfo> exe(const std::string& path) override
    {
        TRY_ASSIGN(const host::PathTrust trust, host::path_trust("/", path));
        ExeInfo info;
        info.writable_by = trust.writable_by;
        if (!trust.exists) {
            return info;
        }
        auto fact = file_fact(trust.file.get());
        if (!fact) {
            return fact.error().in("cannot identify the program file " + path);
        }
        info.fact = ExeFact{fact->inode, fact->device, fact->generation};
        info.interpreter = is_interpreter(trust.file.get());
        return info;
    }

private:
    host::Users users_;
};

} // namespace

Result<std::unique_ptr<Resolver>> make_resolver()
{
    TRY_ASSIGN(host::Users users, host::Users::read());
    return std::unique_ptr<Resolver>(std::make_unique<HostResolver>(std::move(users)));
}

} // namespace hostward::guard
