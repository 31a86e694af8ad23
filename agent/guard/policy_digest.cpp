// SPDX-License-Identifier: Apache-2.0
// Digests of a policy as it is written. What names resolve to is left out: a digest says which text decided.
#include "agent/guard/policy_tables.h"

#include <openssl/evp.h>

#include <cstring>
#include <memory>

namespace hostward::guard {

namespace {

struct DigestFree {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, DigestFree>;

/// SHA-256 over texts and numbers, each preceded by its length, so that no two policies write the same bytes.
class Digest {
public:
    static Result<Digest> start()
    {
        DigestContext context(EVP_MD_CTX_new());
        if (context == nullptr || EVP_DigestInit_ex(context.get(), EVP_sha256(), nullptr) != 1) {
            return failure();
        }
        return Digest(std::move(context));
    }

    void add(std::string_view text)
    {
        const std::string length = std::to_string(text.size()) + ":";
        failed_ |= EVP_DigestUpdate(context_.get(), length.data(), length.size()) != 1;
        failed_ |= EVP_DigestUpdate(context_.get(), text.data(), text.size()) != 1;
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
    [[nodiscard]] Result<std::array<unsigned char, 32>> peek() const
    {
        const DigestContext copy(EVP_MD_CTX_new());
        std::array<unsigned char, 32> out{};
        if (failed_ || copy == nullptr || EVP_MD_CTX_copy_ex(copy.get(), context_.get()) != 1 ||
            EVP_DigestFinal_ex(copy.get(), out.data(), nullptr) != 1) {
            return failure();
        }
        return out;
    }

private:
    explicit Digest(DigestContext context) : context_(std::move(context)) {}
    static Error failure() { return Error{ErrorKind::System, 0, "SHA-256 is not available from OpenSSL"}; }

    DigestContext context_;
    bool failed_ = false;
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

Status compile_digests(const config::GuardConfig& config, CompiledPolicy& out)
{
    TRY_ASSIGN(Digest digest, Digest::start());
    digest.add("hostward policy 1");
    digest.add(config.endpoints.size());
    for (const auto& endpoint : config.endpoints) {
        add_endpoint(endpoint, digest);
    }
    for (std::size_t i = 0; i < config.rules.size(); ++i) {
        add_rule_text(config.rules[i], digest);
        TRY_ASSIGN(const auto prefix, digest.peek());
        out.head.digest[i] = shorten(prefix);
        if (config.rules[i].action == config::Action::Allow) {
            out.facts.try_emplace(fact_key(HW_FACT_DIGEST, out.head.digest[i]));
        }
    }
    digest.add("switches");
    digest.add(config.mode);
    digest.add(config.forwarded);
    digest.add(config.bypass_sockets);
    digest.add(std::uint64_t{config.seal_until_reboot});
    TRY_ASSIGN(const auto whole, digest.peek());
    std::memcpy(out.head.policy_digest, whole.data(), whole.size());
    return success();
}

} // namespace hostward::guard
