// SPDX-License-Identifier: Apache-2.0
#include "agent/report/http_trouble.h"

#include "agent/base/text.h"

#include <curl/curl.h>

namespace hostward::report {

namespace {

HttpTrouble of_timeout(const HttpProgress& progress)
{
    if (progress.is_connected) {
        return HttpTrouble::NoAnswer;
    }
    return progress.has_address ? HttpTrouble::Connect : HttpTrouble::Resolve;
}

/// With TLS 1.3 a server refuses our certificate after the handshake: libcurl sees a failed read.
bool is_tls_alert(std::string_view detail)
{
    return detail.find("SSL routines") != std::string_view::npos && detail.find("alert") != std::string_view::npos;
}

HttpTrouble trouble_of(int code, const HttpProgress& progress, std::string_view detail)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return HttpTrouble::Resolve;
    case CURLE_COULDNT_CONNECT: return HttpTrouble::Connect;
    case CURLE_OPERATION_TIMEDOUT: return of_timeout(progress);
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR: return HttpTrouble::Tls;
    case CURLE_FILESIZE_EXCEEDED: return HttpTrouble::TooLarge;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR: return is_tls_alert(detail) ? HttpTrouble::Tls : HttpTrouble::Broken;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
    case CURLE_WEIRD_SERVER_REPLY: return HttpTrouble::Broken;
    default: return progress.has_sent ? HttpTrouble::Broken : HttpTrouble::Local;
    }
}

/// libcurl's own sentence where it can only be about names, addresses and certificates.
bool tells_no_content(HttpTrouble trouble)
{
    switch (trouble) {
    case HttpTrouble::Resolve:
    case HttpTrouble::Connect:
    case HttpTrouble::Tls: return true;
    case HttpTrouble::NoAnswer:
    case HttpTrouble::Broken:
    case HttpTrouble::TooLarge:
    case HttpTrouble::Local: return false;
    }
    return false;
}

std::string text_of(HttpTrouble trouble, const HttpEnd& end)
{
    switch (trouble) {
    case HttpTrouble::NoAnswer: return "connected, but no complete answer came in time";
    case HttpTrouble::Broken: return "the answer broke off or is no HTTP: " + std::string(end.general);
    default: break;
    }
    return tells_no_content(trouble) && !end.detail.empty() ? escape(end.detail) : std::string(end.general);
}

} // namespace

HttpFailure http_failure(const HttpProgress& progress, const HttpEnd& end)
{
    const auto trouble = trouble_of(end.code, progress, end.detail);
    return HttpFailure{trouble, text_of(trouble, end)};
}

HttpFailure too_large(std::size_t bytes_max)
{
    return HttpFailure{HttpTrouble::TooLarge, "the answer is larger than " + std::to_string(bytes_max) + " bytes"};
}

} // namespace hostward::report
