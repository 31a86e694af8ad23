// SPDX-License-Identifier: Apache-2.0
#include "agent/report/credentials.h"

#include "agent/base/text.h"
#include "agent/report/credentials_json.h"

#include <algorithm>
#include <optional>

namespace hostward::report {

namespace {

constexpr auto kIdentityPath = "meta-data/identity-credentials/ec2/security-credentials/ec2-instance";
constexpr auto kProfilePath = "meta-data/iam/security-credentials/";
constexpr std::size_t kRoleNameBytesMax = 128;

/// IAM's alphabet of role names; anything else would be another path.
bool is_role_name(std::string_view name)
{
    return !name.empty() && name.size() <= kRoleNameBytesMax && std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("_+=,.@-").find(c) != std::string_view::npos;
    });
}

Result<std::string> path_of(Role role, Imds& imds)
{
    if (role == Role::InstanceIdentity) {
        return std::string(kIdentityPath);
    }
    auto names = imds.get(kProfilePath);
    if (!names) {
        return names.error().kind == ErrorKind::NotFound
                   ? Error{ErrorKind::NotFound, 0, "the instance has no instance profile"}
                   : names.error();
    }
    const std::string name(split(*names, '\n').front());
    if (!is_role_name(name)) {
        return invalid_error("the metadata service names a role that is no role's name: " +
                             quote(name.substr(0, kRoleNameBytesMax)));
    }
    return kProfilePath + name;
}

/// The service is not to be had, which says nothing about the credentials that were.
bool is_outage(const Error& error)
{
    switch (error.kind) {
    case ErrorKind::System:
    case ErrorKind::Exhausted: return true;
    case ErrorKind::Invalid:
    case ErrorKind::NotFound:
    case ErrorKind::Denied:
    case ErrorKind::Unsupported:
    case ErrorKind::Conflict: return false;
    }
    return false;
}

class ImdsCredentials final : public CredentialSource {
public:
    explicit ImdsCredentials(Imds& imds) : imds_(imds) {}

    Result<Credentials> get(Role role, std::int64_t now_s) override
    {
        Kept& kept = role == Role::InstanceIdentity ? identity_ : profile_;
        if (kept.credentials && now_s < kept.ask_again_s) {
            kept.credentials->is_expired = kept.credentials->expires_s <= now_s;
            return *kept.credentials;
        }
        auto fresh = fetch(role);
        return fresh ? keep(kept, fresh.take(), now_s) : without_fresh(kept, fresh.error(), now_s);
    }

private:
    struct Kept {
        std::optional<Credentials> credentials;
        std::int64_t ask_again_s = 0;
    };

    Result<Credentials> fetch(Role role)
    {
        TRY_ASSIGN(const std::string path, path_of(role, imds_));
        TRY_ASSIGN(const std::string json, imds_.get(path));
        return parse_credentials(json);
    }

    static Result<Credentials> keep(Kept& kept, Credentials fresh, std::int64_t now_s)
    {
        fresh.is_expired = fresh.expires_s <= now_s;
        // Short-lived ones are asked for a minute later at the earliest, not with every call.
        kept.ask_again_s = fresh.is_expired ? now_s + kStaleRetryS
                                            : std::max(fresh.expires_s - kRefreshBeforeS,
                                                       std::min(now_s + kFailureRetryS, fresh.expires_s));
        kept.credentials = std::move(fresh);
        return *kept.credentials;
    }

    static Result<Credentials> without_fresh(Kept& kept, const Error& error, std::int64_t now_s)
    {
        const bool lasts = kept.credentials && now_s < kept.credentials->expires_s;
        if (!lasts && !(kept.credentials && is_outage(error))) {
            kept = {};
            return error;
        }
        kept.ask_again_s = now_s + kFailureRetryS;
        kept.credentials->is_expired = !lasts;
        return *kept.credentials;
    }

    Imds& imds_;
    Kept identity_;
    Kept profile_;
};

} // namespace

std::unique_ptr<CredentialSource> credentials_from(Imds& imds) { return std::make_unique<ImdsCredentials>(imds); }

} // namespace hostward::report
