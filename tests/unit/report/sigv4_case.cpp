// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/report/sigv4_case.h"

#include "agent/base/text.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <sstream>

namespace hostward::report {

namespace {

using nlohmann::json;

Result<std::string> read_text(const std::filesystem::path& path)
{
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file.is_open() || file.bad()) {
        return invalid_error("cannot read " + path.filename().string());
    }
    return text.str();
}

std::string without_last_line_feeds(std::string text)
{
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

/// The text up to `end`, which is taken off `rest` too.
std::string take_until(std::string_view& rest, std::string_view end)
{
    const auto at = rest.find(end);
    std::string part(rest.substr(0, at));
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + end.size());
    return part;
}

Status parse_request_line(const std::string& line, SigningCase& out)
{
    const auto first = line.find(' ');
    const auto last = line.rfind(" HTTP/1.1"); // a target of this suite may hold spaces
    if (first == std::string::npos || last == std::string::npos || first >= last) {
        return invalid_error("request.txt: no request line");
    }
    out.request.method = line.substr(0, first);
    out.target = line.substr(first + 1, last - first - 1);
    return success();
}

Status parse_request(std::string_view text, SigningCase& out)
{
    TRY(parse_request_line(take_until(text, "\n"), out));
    auto& headers = out.request.headers;
    while (!text.empty()) {
        const std::string line = take_until(text, "\n");
        if (line.empty()) {
            break;
        }
        const auto colon = line.find(':');
        if ((line.front() == ' ' || line.front() == '\t') && !headers.empty()) {
            headers.back().value.append("\n").append(line);
        } else if (colon != std::string::npos) {
            headers.push_back({line.substr(0, colon), line.substr(colon + 1)});
        } else {
            return invalid_error("request.txt: neither header nor continuation: " + quote(line));
        }
    }
    out.request.body = text;
    const HttpResponse view{0, headers, {}};
    out.request.url = "https://" + std::string(view.header("host").value_or("example.com")) + out.target;
    return success();
}

/// "2015-08-30T12:36:00Z"
std::optional<std::int64_t> parse_time(std::string text)
{
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return parse_amz_date(text);
}

std::string text_at(const json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

bool flag_at(const json& object, const char* key, bool otherwise)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_boolean() ? found->get<bool>() : otherwise;
}

Status parse_context(const std::string& text, SigningCase& out)
{
    const auto context = json::parse(text, nullptr, false);
    const auto credentials = context.is_object() ? context.value("credentials", json::object()) : json();
    if (!credentials.is_object()) {
        return invalid_error("context.json: no object with credentials");
    }
    out.keys = {text_at(credentials, "access_key_id"), text_at(credentials, "secret_access_key"),
                text_at(credentials, "token")};
    const auto time = parse_time(text_at(context, "timestamp"));
    const auto expires = context.find("expiration_in_seconds");
    if (!time || expires == context.end() || !expires->is_number_integer()) {
        return invalid_error("context.json: no timestamp or no expiration_in_seconds");
    }
    out.scope = {text_at(context, "region"), text_at(context, "service"), *time};
    out.expires_s = expires->get<int>();
    out.rules.normalizes_path = flag_at(context, "normalize", true);
    out.rules.adds_content_sha256 = flag_at(context, "sign_body", false);
    out.rules.signs_session_token = !flag_at(context, "omit_session_token", false);
    return success();
}

std::string request_text(const HttpRequest& request, const std::string& target)
{
    std::string out = request.method + " " + target + " HTTP/1.1\n";
    for (const auto& header : request.headers) {
        out += header.name + ":" + header.value + "\n";
    }
    return out + "\n" + request.body;
}

class Comparer {
public:
    explicit Comparer(std::filesystem::path folder) : folder_(std::move(folder)) {}

    void note(std::string text) { out_.differences.push_back(std::move(text)); }

    void compare(const std::string& name, const std::string& ours)
    {
        ++out_.compared;
        const auto theirs = read_text(folder_ / name);
        if (!theirs) {
            note(theirs.error().text);
        } else if (without_last_line_feeds(*theirs) != without_last_line_feeds(ours)) {
            note(name + ": expected " + quote(*theirs) + ", found " + quote(ours));
        }
    }

    void compare(const std::string& way, const SigningSteps& steps, const std::string& signed_request)
    {
        compare(way + "-canonical-request.txt", steps.canonical_request);
        compare(way + "-string-to-sign.txt", steps.string_to_sign);
        compare(way + "-signature.txt", steps.signature);
        compare(way + "-signed-request.txt", signed_request);
    }

    [[nodiscard]] Comparison take() { return std::move(out_); }

private:
    std::filesystem::path folder_;
    Comparison out_;
};

void compare_headers(const SigningCase& one, Comparer& comparer)
{
    const auto done = sign_headers_in_steps(one.request, one.keys, one.scope, one.rules);
    if (!done) {
        return comparer.note("headers: " + done.error().text);
    }
    comparer.compare("header", done->steps, request_text(done->request, one.target));
}

void compare_query(const SigningCase& one, Comparer& comparer)
{
    const auto done = presign_in_steps(one.request, one.keys, one.scope, one.rules, one.expires_s);
    if (!done) {
        return comparer.note("query: " + done.error().text);
    }
    const std::string target = done->url.substr(one.request.url.size() - one.target.size());
    comparer.compare("query", done->steps, request_text(one.request, target));
}

} // namespace

Result<SigningCase> read_signing_case(const std::filesystem::path& folder)
{
    SigningCase out;
    TRY_ASSIGN(const std::string request, read_text(folder / "request.txt"));
    TRY(parse_request(request, out));
    TRY_ASSIGN(const std::string context, read_text(folder / "context.json"));
    TRY(parse_context(context, out));
    return out;
}

Comparison compare_signing_case(const std::filesystem::path& folder)
{
    Comparer comparer(folder);
    const auto one = read_signing_case(folder);
    if (!one) {
        comparer.note(one.error().text);
        return comparer.take();
    }
    compare_headers(*one, comparer);
    compare_query(*one, comparer);
    return comparer.take();
}

} // namespace hostward::report
