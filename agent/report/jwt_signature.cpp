// SPDX-License-Identifier: Apache-2.0
#include "agent/report/base64.h"
#include "agent/report/json_read.h"
#include "agent/report/jwt.h"

#include <nlohmann/json.hpp>
// OpenSSL's macros would write this file's path into the program, which then differs by the folder it is built in.
#define OPENSSL_NO_FILENAMES
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <memory>
#include <vector>

namespace hostward::report {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kJwksBytesMax = std::size_t{256} * 1024;
constexpr std::size_t kRsaBytesMin = 256;
constexpr std::size_t kRsaBytesMax = 512;
constexpr std::size_t kP384Bytes = 48;

struct FreeKey {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
struct FreeDigest {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
struct FreeNumber {
    void operator()(BIGNUM* number) const { BN_free(number); }
};
struct FreeBuilder {
    void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
};
struct FreeParameters {
    void operator()(OSSL_PARAM* parameters) const { OSSL_PARAM_free(parameters); }
};
struct FreeEcSignature {
    void operator()(ECDSA_SIG* signature) const { ECDSA_SIG_free(signature); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Number = std::unique_ptr<BIGNUM, FreeNumber>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, FreeBuilder>;

const unsigned char* data_of(std::string_view bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

Number number_of(std::string_view bytes)
{
    return Number(BN_bin2bn(data_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

Key key_from(const char* type, OSSL_PARAM_BLD* builder)
{
    const std::unique_ptr<OSSL_PARAM, FreeParameters> parameters(OSSL_PARAM_BLD_to_param(builder));
    const std::unique_ptr<EVP_PKEY_CTX, FreeContext> context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* key = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) <= 0) {
        return nullptr;
    }
    return Key(key);
}

Key rsa_key(const Json& jwk)
{
    const auto modulus = from_base64url(json_text(jwk, "n"));
    const auto exponent = from_base64url(json_text(jwk, "e"));
    // Shorter keys can be factored; of longer ones every check costs too much.
    if (!modulus || !exponent || modulus->size() < kRsaBytesMin || modulus->size() > kRsaBytesMax ||
        exponent->empty() || exponent->size() > sizeof(std::uint64_t)) {
        return nullptr;
    }
    const Builder builder(OSSL_PARAM_BLD_new());
    const Number n = number_of(*modulus);
    const Number e = number_of(*exponent);
    if (!builder || !n || !e || !BN_is_odd(e.get()) || BN_is_one(e.get()) ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return nullptr;
    }
    return key_from("RSA", builder.get());
}

Key ec_key(const Json& jwk)
{
    const auto x = from_base64url(json_text(jwk, "x"));
    const auto y = from_base64url(json_text(jwk, "y"));
    if (json_text(jwk, "crv") != "P-384" || !x || !y || x->size() != kP384Bytes || y->size() != kP384Bytes) {
        return nullptr;
    }
    const std::string point = "\x04" + *x + *y; // uncompressed
    const Builder builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-384", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
        return nullptr;
    }
    return key_from("EC", builder.get());
}

/// JWS has r and s side by side, OpenSSL wants them in DER. Empty: not possible.
std::string der_signature(std::string_view raw)
{
    if (raw.size() != 2 * kP384Bytes) {
        return "";
    }
    const std::unique_ptr<ECDSA_SIG, FreeEcSignature> signature(ECDSA_SIG_new());
    Number r = number_of(raw.substr(0, kP384Bytes));
    Number s = number_of(raw.substr(kP384Bytes));
    if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
        return "";
    }
    (void)r.release(); // the signature has them now
    (void)s.release();
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    std::string out(size > 0 ? reinterpret_cast<const char*>(der) : "", size > 0 ? static_cast<std::size_t>(size) : 0);
    OPENSSL_free(der);
    return out;
}

bool verifies(EVP_PKEY* key, const EVP_MD* digest, std::string_view signature, std::string_view message)
{
    const std::unique_ptr<EVP_MD_CTX, FreeDigest> context(EVP_MD_CTX_new());
    return context && EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
           EVP_DigestVerify(context.get(), data_of(signature), signature.size(), data_of(message), message.size()) == 1;
}

/// The only key of that id, or null.
Json key_of(std::string_view jwks, const std::string& kid)
{
    const Json set = jwks.size() <= kJwksBytesMax ? Json::parse(jwks, nullptr, false) : Json();
    Json found;
    if (!set.is_object() || !set.contains("keys") || !set["keys"].is_array()) {
        return found;
    }
    for (const auto& key : set["keys"]) {
        if (key.is_object() && json_text(key, "kid") == kid) {
            if (!found.is_null()) {
                return nullptr;
            }
            found = key;
        }
    }
    return found;
}

bool is_for_signing(const Json& jwk, const std::string& algorithm)
{
    return (!jwk.contains("use") || json_text(jwk, "use") == "sig") &&
           (!jwk.contains("alg") || json_text(jwk, "alg") == algorithm);
}

} // namespace

Check check_token_signature(const TokenParts& parts, std::string_view jwks)
{
    const Json head = Json::parse(parts.head, nullptr, false);
    const std::string algorithm = json_text(head, "alg");
    const bool is_rsa = algorithm == "RS256";
    if ((!is_rsa && algorithm != "ES384") || head.contains("crit") || head.contains("b64")) {
        return Refusal{"token-form", "the web identity token is signed by another algorithm than RS256 and ES384"};
    }
    const Json jwk = json_text(head, "kid").empty() ? Json() : key_of(jwks, json_text(head, "kid"));
    if (!jwk.is_object() || !is_for_signing(jwk, algorithm) || json_text(jwk, "kty") != (is_rsa ? "RSA" : "EC")) {
        return Refusal{"token-key", "the issuer's key set has no such key as the web identity token names"};
    }
    const Key key = is_rsa ? rsa_key(jwk) : ec_key(jwk);
    if (!key) {
        return Refusal{"token-key", "the issuer's key for the web identity token cannot be used"};
    }
    const std::string signature = is_rsa ? parts.signature : der_signature(parts.signature);
    if (signature.empty() || !verifies(key.get(), is_rsa ? EVP_sha256() : EVP_sha384(), signature, parts.signed_text)) {
        return Refusal{"token-signature", "the web identity token's signature does not fit"};
    }
    return std::nullopt;
}

} // namespace hostward::report
