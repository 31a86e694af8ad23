// SPDX-License-Identifier: Apache-2.0
#include "tests/imds_sim/http_request.h"

#include "agent/base/text.h"

#include <algorithm>

namespace hostward::imds_sim {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_token_char(char c)
{
    const bool alphanumeric = (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
    return alphanumeric || (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }

bool is_visible(char c) { return c > 0x20 && c < 0x7f; }

/// Field values may hold visible ASCII, space, tab and bytes above 0x7f (char is signed on some machines).
bool is_field_char(char c) { return c == '\t' || c == ' ' || is_visible(c) || static_cast<unsigned char>(c) >= 0x80; }

std::string_view trim(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Number without sign, spaces or empty text: from_chars alone would take "-1" for a signed type.
std::optional<std::size_t> parse_size(std::string_view text, int base) { return parse_number<std::size_t>(text, base); }

bool list_has(std::string_view list, std::string_view wanted)
{
    return std::ranges::any_of(split(list, ','), [&](auto part) { return same_header_name(trim(part), wanted); });
}

} // namespace

bool same_header_name(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::string_view> Request::header(std::string_view name) const
{
    const auto found = std::ranges::find_if(headers, [&](const Header& h) { return same_header_name(h.name, name); });
    if (found == headers.end()) {
        return std::nullopt;
    }
    return found->value;
}

std::size_t Request::header_count(std::string_view name) const
{
    const auto count = std::ranges::count_if(headers, [&](const Header& h) { return same_header_name(h.name, name); });
    return static_cast<std::size_t>(count);
}

RequestParser::Progress RequestParser::consume(std::string_view& input)
{
    while (state_ != State::Done && state_ != State::Failed) {
        if (input.empty()) {
            return Progress::NeedMore;
        }
        has_started_ = true;
        if (state_ == State::FixedBody || state_ == State::ChunkData) {
            take_body(input);
        } else if (take_line(input)) {
            const std::string line = std::move(line_);
            line_.clear();
            on_line(line);
        }
    }
    return state_ == State::Done ? Progress::Ready : Progress::Failed;
}

bool RequestParser::take_continue()
{
    const bool body_due = state_ == State::FixedBody || state_ == State::ChunkSize;
    const bool take = wants_continue_ && body_due && request_.body.empty() && line_.empty();
    wants_continue_ = wants_continue_ && !take;
    return take;
}

void RequestParser::reset() { *this = RequestParser(); }

void RequestParser::fail(int status, std::string reason)
{
    malformed_ = Malformed{status, std::move(reason)};
    state_ = State::Failed;
}

/// Collects one line; true when its CRLF was seen. Bare CR or LF and control bytes fail.
bool RequestParser::take_line(std::string_view& input)
{
    while (!input.empty()) {
        const char c = input.front();
        input.remove_prefix(1);
        if (saw_cr_) {
            saw_cr_ = false;
            if (c != '\n') {
                fail(400, "carriage return without line feed");
                return false;
            }
            return true;
        }
        if (c == '\r') {
            saw_cr_ = true;
            continue;
        }
        if (!is_field_char(c)) {
            fail(400, c == '\n' ? "line feed without carriage return" : "control byte in a line");
            return false;
        }
        if (line_.size() == kMaxLineBytes) {
            const bool is_first = state_ == State::RequestLine;
            fail(is_first ? 414 : 431, is_first ? "request line too long" : "header line too long");
            return false;
        }
        line_ += c;
    }
    return false;
}

void RequestParser::take_body(std::string_view& input)
{
    const auto count = std::min(body_left_, input.size());
    request_.body.append(input.substr(0, count));
    input.remove_prefix(count);
    body_left_ -= count;
    if (body_left_ == 0) {
        state_ = state_ == State::FixedBody ? State::Done : State::ChunkEnd;
    }
}

void RequestParser::on_line(std::string_view line)
{
    switch (state_) {
    case State::RequestLine: on_request_line(line); return;
    case State::HeaderLine:
        if (line.empty()) {
            on_headers_end();
        } else {
            on_header_line(line);
        }
        return;
    case State::ChunkSize: on_chunk_size(line); return;
    case State::ChunkEnd:
        state_ = State::ChunkSize;
        if (!line.empty()) {
            fail(400, "chunk longer than its size");
        }
        return;
    case State::Trailer:
        if (line.empty()) {
            state_ = State::Done;
        } else {
            on_header_line(line);
        }
        return;
    case State::FixedBody:
    case State::ChunkData:
    case State::Done:
    case State::Failed: return; // no lines in these states
    }
}

void RequestParser::on_request_line(std::string_view line)
{
    if (line.empty() && !skipped_empty_) {
        skipped_empty_ = true; // RFC 9112 2.2: some clients end a body with one CRLF too many
        has_started_ = false;
        return;
    }
    const auto parts = split(line, ' ');
    if (parts.size() != 3) {
        fail(400, "request line is not METHOD TARGET VERSION");
        return;
    }
    if (!is_token(parts[0]) || parts[0].size() > kMaxMethodBytes) {
        fail(400, "method is not a token");
        return;
    }
    request_.method = parts[0];
    state_ = State::HeaderLine;
    on_target(parts[1]);
    on_version(parts[2]);
}

void RequestParser::on_target(std::string_view target)
{
    constexpr std::string_view kScheme = "http://";
    if (target.size() > kMaxTargetBytes) {
        fail(414, "target too long");
        return;
    }
    if (target.size() >= kScheme.size() && same_header_name(target.substr(0, kScheme.size()), kScheme)) {
        target.remove_prefix(kScheme.size());
        const auto path = target.find('/');
        target = path == std::string_view::npos ? "/" : target.substr(path);
    }
    if (target.empty() || target.front() != '/' || !std::ranges::all_of(target, is_visible)) {
        fail(400, "target is not a path");
        return;
    }
    request_.target = target;
}

void RequestParser::on_version(std::string_view version)
{
    if (state_ == State::Failed) {
        return;
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        const bool other_version = version.starts_with("HTTP/") && version.size() == 8;
        fail(other_version ? 505 : 400, "version is not HTTP/1.1 or HTTP/1.0");
        return;
    }
    is_http_1_1_ = version == "HTTP/1.1";
}

void RequestParser::on_header_line(std::string_view line)
{
    if (request_.headers.size() == kMaxHeaders) {
        fail(431, "too many headers");
        return;
    }
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        fail(400, "header without a name"); // also folded lines and a space before the colon
        return;
    }
    if (state_ == State::HeaderLine) { // trailers are counted and dropped: they must not change what was decided
        request_.headers.push_back({std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))});
    } else {
        request_.headers.push_back({"", ""});
    }
}

void RequestParser::on_headers_end()
{
    const auto hosts = request_.header_count("Host");
    if (hosts > 1 || (is_http_1_1_ && hosts == 0)) {
        fail(400, hosts == 0 ? "no Host header" : "more than one Host header");
        return;
    }
    const auto connection = request_.header("Connection").value_or("");
    request_.keep_alive = is_http_1_1_ ? !list_has(connection, "close") : list_has(connection, "keep-alive");
    if (const auto expect = request_.header("Expect")) {
        if (!same_header_name(*expect, "100-continue")) {
            fail(417, "expectation other than 100-continue");
            return;
        }
        wants_continue_ = is_http_1_1_;
    }
    choose_body();
}

void RequestParser::choose_body()
{
    const auto length = request_.header("Content-Length");
    const auto encoding = request_.header("Transfer-Encoding");
    if (encoding) {
        if (length || request_.header_count("Transfer-Encoding") > 1 || !is_http_1_1_) {
            fail(400, "Transfer-Encoding beside another length");
        } else if (!same_header_name(*encoding, "chunked")) {
            fail(501, "transfer encoding other than chunked");
        } else {
            state_ = State::ChunkSize;
        }
        return;
    }
    if (!length) {
        state_ = State::Done;
        return;
    }
    const auto size = parse_size(*length, 10);
    if (!size || request_.header_count("Content-Length") > 1) {
        fail(400, "Content-Length is not one number");
        return;
    }
    if (*size > kMaxBodyBytes) {
        fail(413, "body too large");
        return;
    }
    body_left_ = *size;
    state_ = *size == 0 ? State::Done : State::FixedBody;
}

void RequestParser::on_chunk_size(std::string_view line)
{
    const auto size = parse_size(trim(line.substr(0, line.find(';'))), 16);
    if (!size) {
        fail(400, "chunk size is not a hexadecimal number");
        return;
    }
    if (*size > kMaxBodyBytes - request_.body.size()) {
        fail(413, "body too large");
        return;
    }
    body_left_ = *size;
    state_ = *size == 0 ? State::Trailer : State::ChunkData;
}

} // namespace hostward::imds_sim
