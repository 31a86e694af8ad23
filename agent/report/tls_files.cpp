// SPDX-License-Identifier: Apache-2.0
#include "agent/report/tls_files.h"

#include "agent/base/text.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <memory>

namespace hostward::report {

namespace {

template <auto release> struct Release {
    template <typename T> void operator()(T* object) const { release(object); }
};
using BioHandle = std::unique_ptr<BIO, Release<BIO_free_all>>;
using X509Handle = std::unique_ptr<X509, Release<X509_free>>;
using KeyHandle = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;

/// OpenSSL would ask the terminal for a password.
int no_password(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*data*/) { return -1; }

Result<BioHandle> open_file(const std::string& path)
{
    errno = 0;
    BioHandle file(BIO_new_file(path.c_str(), "r"));
    const int error_number = errno;
    ERR_clear_error();
    if (!file) {
        Error error = system_error(error_number == 0 ? EIO : error_number, "cannot read " + quote(path));
        error.kind = ErrorKind::Invalid;
        return error;
    }
    return file;
}

Result<X509Handle> read_certificate(const std::string& path)
{
    TRY_ASSIGN(const BioHandle file, open_file(path));
    X509Handle certificate(PEM_read_bio_X509(file.get(), nullptr, no_password, nullptr));
    ERR_clear_error();
    if (!certificate) {
        return invalid_error(quote(path) + " holds no PEM certificate");
    }
    return certificate;
}

Result<KeyHandle> read_key(const std::string& path)
{
    TRY_ASSIGN(const BioHandle file, open_file(path));
    KeyHandle key(PEM_read_bio_PrivateKey(file.get(), nullptr, no_password, nullptr));
    ERR_clear_error();
    if (!key) {
        return invalid_error(quote(path) + " holds no PEM private key, or one with a password");
    }
    return key;
}

} // namespace

Status check_ca_file(const std::string& path)
{
    TRY(read_certificate(path));
    return success();
}

Status check_client_files(const std::string& certificate, const std::string& key)
{
    if (certificate.empty() || key.empty()) {
        return invalid_error("a client certificate needs both files, certificate and key");
    }
    TRY_ASSIGN(const X509Handle first, read_certificate(certificate));
    TRY_ASSIGN(const KeyHandle second, read_key(key));
    const bool fits = X509_check_private_key(first.get(), second.get()) == 1;
    ERR_clear_error();
    if (!fits) {
        return invalid_error("the key in " + quote(key) + " is not that of the certificate in " + quote(certificate));
    }
    return success();
}

} // namespace hostward::report
