// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/report/self_made_cms.h"

#include "agent/report/cms.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <gtest/gtest.h>

#include <memory>

namespace hostward::report {

namespace {

template <auto release> struct Release {
    template <typename T> void operator()(T* object) const { release(object); }
};
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Cms = std::unique_ptr<CMS_ContentInfo, Release<CMS_ContentInfo_free>>;

constexpr long kLifeS = 3600;

Certificate make_certificate(EVP_PKEY* key, const Forgery& forgery)
{
    Certificate out(X509_new());
    (void)ASN1_INTEGER_set(X509_get_serialNumber(out.get()), forgery.serial);
    (void)X509_gmtime_adj(X509_getm_notBefore(out.get()), 0);
    (void)X509_gmtime_adj(X509_getm_notAfter(out.get()), kLifeS);
    if (!forgery.names_of.empty()) {
        const Bio file(BIO_new_file(forgery.names_of.c_str(), "r"));
        const Certificate model(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
        EXPECT_NE(model, nullptr);
        EXPECT_EQ(X509_set_subject_name(out.get(), X509_get_subject_name(model.get())), 1);
        EXPECT_EQ(X509_set_issuer_name(out.get(), X509_get_issuer_name(model.get())), 1);
        EXPECT_EQ(X509_set_serialNumber(out.get(), X509_get_serialNumber(model.get())), 1);
    }
    EXPECT_EQ(X509_set_pubkey(out.get(), key), 1);
    EXPECT_GT(X509_sign(out.get(), key, EVP_sha256()), 0);
    return out;
}

Bio reader(std::string_view bytes) { return Bio(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))); }

std::string encode(std::string_view bytes)
{
    std::string out((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int length =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(length));
    return out;
}

std::string base64(const CMS_ContentInfo* cms)
{
    unsigned char* der = nullptr;
    const int size = i2d_CMS_ContentInfo(cms, &der);
    EXPECT_GT(size, 0);
    const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    return encode(bytes);
}

} // namespace

std::string self_made_cms(std::string_view document, const Forgery& forgery)
{
    const Key key(EVP_RSA_gen(2048));
    const Certificate certificate = make_certificate(key.get(), forgery);
    const Bio content = reader(document);
    const unsigned flags = CMS_BINARY | (forgery.carries_certificate ? 0U : unsigned{CMS_NOCERTS});
    const Cms cms(CMS_sign(certificate.get(), key.get(), nullptr, content.get(), flags));
    EXPECT_NE(cms, nullptr);
    return base64(cms.get());
}

std::string detached_cms(std::string_view text)
{
    const auto der = decode_base64(text);
    EXPECT_TRUE(der.ok());
    const Bio source = reader(*der);
    const Cms cms(d2i_CMS_bio(source.get(), nullptr));
    EXPECT_EQ(CMS_set_detached(cms.get(), 1), 1);
    return base64(cms.get());
}

std::string with_bytes_behind(std::string_view text)
{
    const auto der = decode_base64(text);
    EXPECT_TRUE(der.ok());
    return encode(*der + "abc");
}

std::string data_cms(std::string_view document)
{
    const Bio content = reader(document);
    const Cms cms(CMS_data_create(content.get(), CMS_BINARY));
    return base64(cms.get());
}

} // namespace hostward::report
