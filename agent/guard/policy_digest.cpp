// SPDX-License-Identifier: Apache-2.0
// Digests of a policy as it is written. What names resolve to is left out: a digest says which text decided.
#include "agent/guard/policy_tables.h"

#define OPENSSL_SUPPRESS_DEPRECATED // see Digest
#include <openssl/sha.h>

#include <array>
#include <cstring>

namespace hostward::guard {

namespace {

/// SHA-256 over texts and numbers, each preceded by its length, so that no two policies write the same bytes.
/// By the plain functions: EVP's first use reads OpenSSL's configuration and keeps megabytes of the resident agent
/// mapped.
class Digest {
public:
    Digest() { (void)::SHA256_Init(&state_); } // none of them can fail

    void add(std::string_view text)
    {
        const std::string length = std::to_string(text.size()) + ":";
        (void)::SHA256_Update(&state_, length.data(), length.size());
        (void)::SHA256_Update(&state_, text.data(), text.size());
    }
    void add(std::uint64_t number) { add(std::to_string(number)); }
    template <typename T>
    requires std::is_enum_v<T>
    void add(T value) { add(static_cast<std::uint64_t>(value)); }
    void add(const std::vector<config::At<std::string>>& list)
    {
        add(list.size());
        for (const auto& item : list) {
            add(item.value);
        }
    }

    /// Digest of everything so far; more can be added after.
    [[nodiscard]] std::array<unsigned char, SHA256_DIGEST_LENGTH> peek() const
    {
        SHA256_CTX copy = state_;
        std::array<unsigned char, SHA256_DIGEST_LENGTH> out{};
        (void)::SHA256_Final(out.data(), &copy);
        return out;
    }

private:
    SHA256_CTX state_{};
};

void add_endpoint(const config::Endpoint& endpoint, Digest& digest)
{
    digest.add(endpoint.name);
    digest.add(endpoint.default_action);
    digest.add(endpoint.addresses.size());
    for (const auto& address : endpoint.addresses) {
        // Spellings of one address are one address.
        const AddressBytes bytes = parse_address(address.value).value_or(AddressBytes{});
        digest.add(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    }
}

void add_rule_text(const config::Rule& rule, Digest& digest)
{
    digest.add(rule.name);
    digest.add(rule.action);
    digest.add(rule.users);
    digest.add(rule.groups);
    digest.add(rule.exes);
    digest.add(rule.units);
    digest.add(rule.cgroups);
    digest.add(rule.scope);
    digest.add(rule.endpoints);
}

/// The first 64 bits. 0 means "no rule" to the kernel side, so it never stands for a rule.
std::uint64_t shorten(const std::array<unsigned char, 32>& digest)
{
    std::uint64_t value = 0;
    std::memcpy(&value, digest.data(), sizeof(value));
    return value == 0 ? 1 : value;
}

} // namespace

void compile_digests(const config::GuardConfig& config, CompiledPolicy& out)
{
    Digest digest;
    digest.add("hostward policy 1");
    digest.add(config.endpoints.size());
    for (const auto& endpoint : config.endpoints) {
        add_endpoint(endpoint, digest);
    }
    for (std::size_t i = 0; i < config.rules.size(); ++i) {
        add_rule_text(config.rules[i], digest);
        out.head.digest[i] = shorten(digest.peek());
        if (config.rules[i].action == config::Action::Allow) {
            out.facts.try_emplace(fact_key(HW_FACT_DIGEST, out.head.digest[i]));
        }
    }
    digest.add("switches");
    digest.add(config.mode);
    digest.add(config.forwarded);
    digest.add(config.bypass_sockets);
    digest.add(std::uint64_t{config.seal_until_reboot});
    const auto whole = digest.peek();
    std::memcpy(out.head.policy_digest, whole.data(), whole.size());
}

} // namespace hostward::guard
