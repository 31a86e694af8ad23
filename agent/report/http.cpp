// SPDX-License-Identifier: Apache-2.0
#include "agent/report/http.h"

#include "agent/base/text.h"
#include "agent/report/http_receiver.h"
#include "agent/report/http_trouble.h"
#include "agent/report/tls_files.h"

// CURLOPT_PROTOCOLS: RHEL 9's libcurl has no other.
#define CURL_DISABLE_DEPRECATION
#include <curl/curl.h>

#include <dlfcn.h>

#include <algorithm>
#include <array>

namespace hostward::report {

namespace {

constexpr auto kUserAgent = "hostward/" HOSTWARD_VERSION;
/// Of libcurl's two buffers: a report run has 16 MiB for everything.
constexpr long kBufferBytes = 16384;

constexpr auto kLibrary = "libcurl.so.4";

/// The functions of libcurl that we call. It is opened by who sends, not linked: the guard and most checks never load
/// it and the dozen libraries that it brings, and no symbol version is asked for that only Debian's has.
struct Curl {
    decltype(&curl_global_init) global_init = nullptr;
    decltype(&curl_easy_init) easy_init = nullptr;
    decltype(&curl_easy_cleanup) easy_cleanup = nullptr;
    decltype(&curl_easy_reset) easy_reset = nullptr;
    decltype(&curl_easy_setopt) easy_setopt = nullptr;
    decltype(&curl_easy_getinfo) easy_getinfo = nullptr;
    decltype(&curl_easy_perform) easy_perform = nullptr;
    decltype(&curl_easy_strerror) easy_strerror = nullptr;
    decltype(&curl_slist_append) slist_append = nullptr;
    decltype(&curl_slist_free_all) slist_free_all = nullptr;
};

template <typename Function> bool find(void* library, const char* name, Function& function)
{
    function = reinterpret_cast<Function>(::dlsym(library, name));
    return function != nullptr;
}

bool find_all(void* library, Curl& curl)
{
    return find(library, "curl_global_init", curl.global_init) && find(library, "curl_easy_init", curl.easy_init) &&
           find(library, "curl_easy_cleanup", curl.easy_cleanup) && find(library, "curl_easy_reset", curl.easy_reset) &&
           find(library, "curl_easy_setopt", curl.easy_setopt) &&
           find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
           find(library, "curl_easy_perform", curl.easy_perform) &&
           find(library, "curl_easy_strerror", curl.easy_strerror) &&
           find(library, "curl_slist_append", curl.slist_append) &&
           find(library, "curl_slist_free_all", curl.slist_free_all);
}

/// Started, and never closed: libcurl cannot be unloaded safely.
Result<Curl> load_curl()
{
    void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* why = ::dlerror();
        return Error{ErrorKind::Unsupported, 0,
                     std::string(kLibrary) + " is not installed: " + escape(why == nullptr ? "no reason given" : why)};
    }
    Curl curl;
    if (!find_all(library, curl)) {
        return Error{ErrorKind::Unsupported, 0, std::string(kLibrary) + " lacks a function that every libcurl has"};
    }
    if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return Error{ErrorKind::System, 0, "libcurl did not start"};
    }
    return curl;
}

using CurlHandle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using CurlList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

/// Of a kept connection libcurl may report no time for the steps before sending.
HttpProgress progress_of(const Curl& curl, CURL* handle)
{
    curl_off_t lookup = 0;
    curl_off_t connect = 0;
    long sent = 0;
    // None of them fails with a handle that is one.
    (void)curl.easy_getinfo(handle, CURLINFO_NAMELOOKUP_TIME_T, &lookup);
    (void)curl.easy_getinfo(handle, CURLINFO_CONNECT_TIME_T, &connect);
    (void)curl.easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &sent);
    return {.has_address = lookup > 0, .is_connected = connect > 0 || sent > 0, .has_sent = sent > 0};
}

bool is_graphic(char c) { return c > ' ' && c < 0x7f; }
bool is_value_byte(char c) { return c != '\r' && c != '\n' && c != '\0'; }

/// Anything else would let a value become a header of its own.
bool is_sendable(const HttpRequest& request)
{
    const auto is_name = [](const std::string& text) {
        return !text.empty() && std::ranges::all_of(text, is_graphic) && text.find_first_of(":;") == std::string::npos;
    };
    return is_name(request.method) && std::ranges::all_of(request.url, is_graphic) &&
           std::ranges::all_of(request.headers, [&](const HttpHeader& header) {
               return is_name(header.name) && std::ranges::all_of(header.value, is_value_byte);
           });
}

bool has_header(const HttpRequest& request, std::string_view name)
{
    return HttpResponse{0, request.headers, {}}.header(name).has_value();
}

bool append(const Curl& curl, CurlList& list, const std::string& line)
{
    curl_slist* longer = curl.slist_append(list.get(), line.c_str());
    if (longer == nullptr) {
        return false;
    }
    (void)list.release(); // `longer` is the same list or its new head
    list.reset(longer);
    return true;
}

bool add_headers(const Curl& curl, CurlList& list, const HttpRequest& request)
{
    bool ok = true;
    for (const HttpHeader& header : request.headers) {
        ok = ok && append(curl, list, header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
    }
    if (!request.body.empty()) {
        ok = ok && append(curl, list, "Expect:"); // else libcurl waits a second for a 100 before a large body
        ok = ok && (has_header(request, "Content-Type") || append(curl, list, "Content-Type:"));
    }
    return ok;
}

class CurlHttp final : public Http {
public:
    CurlHttp(HttpOptions options, const Curl& curl, CurlHandle handle)
        : options_(std::move(options)), curl_(curl), handle_(std::move(handle))
    {
    }

    HttpResult send(const HttpRequest& request) override
    {
        if (!is_sendable(request)) {
            return HttpFailure{HttpTrouble::Local, "the request holds bytes that HTTP does not carry"};
        }
        HttpReceiver receiver;
        receiver.bytes_left = options_.response_bytes_max;
        CurlList headers(nullptr, curl_.slist_free_all);
        std::array<char, CURL_ERROR_SIZE> detail{};
        curl_.easy_reset(handle_.get()); // the connection stays
        if (!add_headers(curl_, headers, request) || !set_connection() || !set_trust() ||
            !set_exchange(request, headers.get(), receiver, detail.data())) {
            return HttpFailure{HttpTrouble::Local, "libcurl refused a setting"};
        }
        const CURLcode code = curl_.easy_perform(handle_.get());
        if (code != CURLE_OK) {
            return receiver.is_too_large ? too_large(options_.response_bytes_max)
                                         : http_failure(progress_of(curl_, handle_.get()),
                                                        {code, curl_.easy_strerror(code), detail.data()});
        }
        if (receiver.is_in_headers) { // libcurl takes a connection that closes there for a whole answer
            return HttpFailure{HttpTrouble::Broken, "the answer ended within its header lines"};
        }
        long status = 0;
        (void)curl_.easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status); // cannot fail with this handle
        receiver.response.status = static_cast<int>(status);
        return std::move(receiver.response);
    }

private:
    template <typename T> [[nodiscard]] bool set(CURLoption option, T value)
    {
        return curl_.easy_setopt(handle_.get(), option, value) == CURLE_OK;
    }

    [[nodiscard]] bool set_connection()
    {
        const bool has_proxy = !options_.proxy.empty();
        return set(CURLOPT_NOSIGNAL, 1L) && set(CURLOPT_USERAGENT, kUserAgent) && set(CURLOPT_MAXCONNECTS, 1L) &&
               set(CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1}) && set(CURLOPT_HTTP09_ALLOWED, 0L) &&
               set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count())) &&
               set(CURLOPT_TIMEOUT_MS, static_cast<long>(options_.total_timeout.count())) &&
               set(CURLOPT_BUFFERSIZE, kBufferBytes) && set(CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes) &&
               set(CURLOPT_FOLLOWLOCATION, 0L) && set_protocols() &&
               // An empty string, not an unset one: the environment's variables count no more.
               set(CURLOPT_PROXY, options_.proxy.c_str()) && set(CURLOPT_NOPROXY, has_proxy ? "" : "*") &&
               set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    }

    [[nodiscard]] bool set_protocols()
    {
        const CURLcode code =
            curl_.easy_setopt(handle_.get(), CURLOPT_PROTOCOLS_STR, options_.only_https ? "https" : "http,https");
        if (code != CURLE_UNKNOWN_OPTION) {
            return code == CURLE_OK;
        }
        // libcurl before 7.85: RHEL 9's.
        return set(CURLOPT_PROTOCOLS, long{CURLPROTO_HTTPS} | (options_.only_https ? 0L : long{CURLPROTO_HTTP}));
    }

    [[nodiscard]] bool set_trust()
    {
        bool ok = set(CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2}) && set(CURLOPT_SSL_VERIFYPEER, 1L) &&
                  set(CURLOPT_SSL_VERIFYHOST, 2L);
        if (!options_.ca_file.empty()) {
            // Without the second the folder of the system's store would be believed besides.
            ok = ok && set(CURLOPT_CAINFO, options_.ca_file.c_str()) &&
                 set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
        }
        if (!options_.client_certificate.empty()) {
            ok = ok && set(CURLOPT_SSLCERT, options_.client_certificate.c_str()) &&
                 set(CURLOPT_SSLKEY, options_.client_key.c_str());
        }
        return ok;
    }

    [[nodiscard]] bool set_exchange(const HttpRequest& request, curl_slist* headers, HttpReceiver& receiver,
                                    char* detail)
    {
        bool ok = set(CURLOPT_URL, request.url.c_str()) && set(CURLOPT_PATH_AS_IS, 1L) &&
                  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) && set(CURLOPT_CUSTOMREQUEST, request.method.c_str()) &&
                  set(CURLOPT_HTTPHEADER, headers) && set(CURLOPT_HEADEROPT, long{CURLHEADER_SEPARATE}) &&
                  set(CURLOPT_ERRORBUFFER, detail) &&
                  set(CURLOPT_MAXFILESIZE_LARGE, static_cast<curl_off_t>(options_.response_bytes_max)) &&
                  set(CURLOPT_HEADERFUNCTION, on_http_header) && set(CURLOPT_HEADERDATA, &receiver) &&
                  set(CURLOPT_WRITEFUNCTION, on_http_body) && set(CURLOPT_WRITEDATA, &receiver);
        if (request.method == "HEAD") {
            return ok && set(CURLOPT_NOBODY, 1L);
        }
        if (!request.body.empty()) {
            ok = ok && set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size())) &&
                 set(CURLOPT_POSTFIELDS, request.body.data());
        }
        return ok;
    }

    HttpOptions options_;
    const Curl& curl_; ///< of the whole process
    CurlHandle handle_;
};

} // namespace

Result<std::unique_ptr<Http>> open_http(const HttpOptions& options)
{
    if (!options.ca_file.empty()) {
        TRY(check_ca_file(options.ca_file));
    }
    if (!options.client_certificate.empty() || !options.client_key.empty()) {
        TRY(check_client_files(options.client_certificate, options.client_key));
    }
    static const Result<Curl> curl = load_curl(); // once in a process, never undone
    if (!curl) {
        return curl.error();
    }
    CurlHandle handle(curl->easy_init(), curl->easy_cleanup);
    if (!handle) {
        return Error{ErrorKind::System, 0, "libcurl did not start"};
    }
    return std::unique_ptr<Http>(std::make_unique<CurlHttp>(options, *curl, std::move(handle)));
}

} // namespace hostward::report
