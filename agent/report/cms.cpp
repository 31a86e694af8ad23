// SPDX-License-Identifier: Apache-2.0
#include "agent/report/cms.h"

#include "agent/base/base64.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace hostward::report {

namespace {

template <auto release> struct Release {
    template <typename T> void operator()(T* object) const { release(object); }
};
void release_stack(STACK_OF(X509) * stack) { sk_X509_free(stack); } // not what is in it

using BioHandle = std::unique_ptr<BIO, Release<BIO_free_all>>;
using X509Handle = std::unique_ptr<X509, Release<X509_free>>;
using StackHandle = std::unique_ptr<STACK_OF(X509), Release<release_stack>>;
using CmsHandle = std::unique_ptr<CMS_ContentInfo, Release<CMS_ContentInfo_free>>;

/// OpenSSL's queue of errors belongs to the thread: nothing of ours stays in it.
class ErrorQueue {
public:
    ErrorQueue() { ERR_clear_error(); }
    ErrorQueue(const ErrorQueue&) = delete;
    ErrorQueue& operator=(const ErrorQueue&) = delete;
    ~ErrorQueue() { ERR_clear_error(); }
};

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'; }

bool is_base64(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

Result<X509Handle> parse_certificate(std::string_view pem)
{
    const BioHandle source(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    X509Handle out(source ? PEM_read_bio_X509(source.get(), nullptr, nullptr, nullptr) : nullptr);
    if (!out) {
        return Error{ErrorKind::System, 0, "OpenSSL does not read the pinned certificate"};
    }
    return out;
}

Result<CmsHandle> parse_message(std::string_view der)
{
    // Not from a BIO: that reads further than the message, and would not tell what stands behind it.
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const auto* end = at + der.size();
    CmsHandle out(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(der.size())));
    if (!out) {
        return invalid_error("the signature is no CMS message, or is cut off");
    }
    if (at != end) {
        return invalid_error("bytes stand behind the signature's CMS message");
    }
    if (OBJ_obj2nid(CMS_get0_type(out.get())) != NID_pkcs7_signed) {
        return invalid_error("the signature's CMS message is of another kind than signed data");
    }
    ASN1_OCTET_STRING** content = CMS_get0_content(out.get());
    if (content == nullptr || *content == nullptr) {
        return invalid_error("the signature carries no document (it is detached)");
    }
    const auto* signers = CMS_get0_SignerInfos(out.get());
    if (signers == nullptr || sk_CMS_SignerInfo_num(signers) != 1) {
        return invalid_error("the signature has not exactly one signer");
    }
    return out;
}

Error refusal()
{
    const auto code = ERR_peek_error();
    if (ERR_GET_LIB(code) == ERR_LIB_CMS && ERR_GET_REASON(code) == CMS_R_SIGNER_CERTIFICATE_NOT_FOUND) {
        return Error{ErrorKind::NotFound, 0,
                     "the signature names another certificate than the one AWS publishes for the region"};
    }
    return invalid_error("the signature does not fit its content: one of the two was changed, or another key signed");
}

} // namespace

Result<std::string> decode_base64(std::string_view text)
{
    std::string dense;
    std::ranges::copy_if(text, std::back_inserter(dense), [](char c) { return !is_white(c); });
    const auto padding = dense.size() - std::min(dense.find_last_not_of('=') + 1, dense.size());
    if (padding > 2 || !std::ranges::all_of(std::string_view(dense).substr(0, dense.size() - padding), is_base64)) {
        return invalid_error("the signature is no base64");
    }
    if (dense.empty() || dense.size() % 4 != 0) {
        return invalid_error("the signature's base64 is cut off: " + std::to_string(dense.size()) +
                             " characters are no multiple of four");
    }
    auto out = decoded_base64(dense);
    return out ? Result<std::string>(std::move(*out)) : invalid_error("the signature is no base64");
}

Result<std::string> verified_content(std::string_view der, std::string_view pem)
{
    const ErrorQueue queue;
    if (der.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
        return invalid_error("the signature is too large");
    }
    TRY_ASSIGN(const X509Handle certificate, parse_certificate(pem));
    TRY_ASSIGN(const CmsHandle message, parse_message(der));
    const StackHandle trusted(sk_X509_new_null());
    const BioHandle content(BIO_new(BIO_s_mem()));
    if (!trusted || !content || sk_X509_push(trusted.get(), certificate.get()) == 0) {
        return Error{ErrorKind::System, 0, "no memory to check a signature"};
    }
    ERR_clear_error();
    // The certificate is pinned, so its own signature says nothing; those in the message must not be used instead.
    if (CMS_verify(message.get(), trusted.get(), nullptr, nullptr, content.get(),
                   CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN | CMS_BINARY) != 1) {
        return refusal();
    }
    char* bytes = nullptr;
    const long size = BIO_get_mem_data(content.get(), &bytes);
    return std::string(bytes, size > 0 ? static_cast<std::size_t>(size) : 0);
}

} // namespace hostward::report
