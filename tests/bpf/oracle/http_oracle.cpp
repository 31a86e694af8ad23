// SPDX-License-Identifier: Apache-2.0
#include "tests/bpf/oracle/http_oracle.h"

#include "agent/base/text.h"
#include "ebpf/abi/guard.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <string>

namespace hostward::test {

namespace {

constexpr std::size_t kBodyMax = 0x0fffffff;

struct Line {
    std::string_view text; ///< without its end
    bool is_strict = false;
};

std::optional<Line> take_line(std::string_view& rest)
{
    const auto end = rest.find('\n');
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    Line line{rest.substr(0, end), false};
    rest.remove_prefix(end + 1);
    if (line.text.ends_with('\r')) {
        line.text.remove_suffix(1);
        line.is_strict = true;
    }
    return line;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; }

bool has_control(std::string_view text) { return std::ranges::any_of(text, is_control); }

bool is_token(std::string_view text)
{
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (std::isalnum(static_cast<unsigned char>(c)) != 0) || marks.find(c) != std::string_view::npos;
    });
}

std::string lower(std::string_view text)
{
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return out;
}

std::string_view trim(std::string_view text)
{
    const auto first = text.find_first_not_of(" \t");
    const auto last = text.find_last_not_of(" \t");
    return first == std::string_view::npos ? std::string_view() : text.substr(first, last - first + 1);
}

/// Nothing: no decimal number up to the bound.
std::optional<std::size_t> length_of(std::string_view text)
{
    if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
        return std::nullopt;
    }
    text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
    const auto value = text.empty() ? std::optional<std::size_t>(0) : parse_number<std::size_t>(text);
    return value && *value <= kBodyMax ? value : std::nullopt;
}

struct Head {
    bool is_put = false;
    bool is_token_call = false;
    bool is_old = false;
    bool is_loose = false;
    std::vector<std::string> tokens;
    std::vector<std::string> lengths;
    std::vector<std::string> codings;

    [[nodiscard]] bool has_token() const { return !tokens.empty() && !tokens.front().empty(); }
};

bool read_request_line(std::string_view text, Head& head)
{
    const auto words = split(text, ' ');
    if (words.size() != 3 || !is_token(words[0]) || words[1].empty() || words[1].find('\t') != std::string_view::npos ||
        (words[2] != "HTTP/1.0" && words[2] != "HTTP/1.1")) {
        return false;
    }
    head.is_put = words[0] == "PUT";
    head.is_token_call = head.is_put && words[1] == "/latest/api/token";
    head.is_old = words[2] == "HTTP/1.0";
    return true;
}

bool read_header(std::string_view text, Head& head)
{
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || !is_token(text.substr(0, colon))) {
        return false;
    }
    const std::string name = lower(text.substr(0, colon));
    const std::string value(trim(text.substr(colon + 1)));
    if (name == "x-aws-ec2-metadata-token") {
        head.tokens.push_back(value);
    } else if (name == "content-length") {
        head.lengths.push_back(value);
    } else if (name == "transfer-encoding") {
        head.codings.push_back(lower(value));
    }
    return true;
}

/// Up to and with the empty line. Nothing: malformed, or not complete.
std::optional<Head> read_head(std::string_view& rest)
{
    Head head;
    bool is_first = true;
    bool is_well_formed = true;
    while (const auto line = take_line(rest)) {
        head.is_loose = head.is_loose || !line->is_strict;
        if (!is_first && line->text.empty()) {
            return is_well_formed ? std::optional(head) : std::nullopt;
        }
        is_well_formed = is_well_formed && !has_control(line->text) &&
                         (is_first ? read_request_line(line->text, head) : read_header(line->text, head));
        is_first = false;
    }
    return std::nullopt;
}

unsigned version_of(const Head& head)
{
    const bool is_framed = head.tokens.size() <= 1 && head.lengths.size() + head.codings.size() <= 1 &&
                           (head.lengths.empty() || length_of(head.lengths[0])) &&
                           (head.codings.empty() || (head.codings[0] == "chunked" && !head.is_old));
    if (!is_framed) {
        return HW_IMDS_UNKNOWN;
    }
    if (head.has_token()) {
        return head.is_loose ? HW_IMDS_UNKNOWN : HW_IMDS_V2;
    }
    if (head.is_put) {
        return head.is_token_call ? HW_IMDS_V2 : HW_IMDS_UNKNOWN;
    }
    return HW_IMDS_V1;
}

enum class Body { Complete, Incomplete, Broken };

/// Hexadecimal digits, then perhaps an extension. `is_whole`: the line has ended.
bool is_chunk_size(std::string_view text, bool is_whole)
{
    const auto digits = std::min(text.find_first_not_of("0123456789abcdefABCDEF"), text.size());
    const bool has_extension = digits < text.size();
    if ((digits == 0 && (is_whole || has_extension)) || has_control(text)) {
        return false;
    }
    const auto first = std::min(text.find_first_not_of('0'), digits);
    if (digits - first > 7) {
        return false;
    }
    return !has_extension || text[digits] == ';' || text[digits] == ' ' || text[digits] == '\t';
}

std::size_t chunk_size(std::string_view text)
{
    std::size_t size = 0;
    (void)std::from_chars(text.data(), text.data() + text.size(), size, 16); // is_chunk_size() has said that it is one
    return size;
}

/// What stands there without a line end: the beginning of a chunk size, its CR perhaps.
Body incomplete_chunk_size(std::string_view rest)
{
    const bool has_end = rest.ends_with('\r');
    return is_chunk_size(rest.substr(0, rest.size() - (has_end ? 1 : 0)), has_end) || rest == "\r" ? Body::Incomplete
                                                                                                   : Body::Broken;
}

Body read_trailers(std::string_view& rest)
{
    while (const auto line = take_line(rest)) {
        if (!line->is_strict || has_control(line->text)) {
            return Body::Broken;
        }
        if (line->text.empty()) {
            return Body::Complete;
        }
    }
    const std::string_view text = rest.substr(0, rest.size() - (rest.ends_with('\r') ? 1 : 0));
    return has_control(text) ? Body::Broken : Body::Incomplete;
}

Body read_chunks(std::string_view& rest)
{
    for (;;) {
        const std::string_view before = rest;
        const auto line = take_line(rest);
        if (!line) {
            return incomplete_chunk_size(before);
        }
        if (!line->is_strict || !is_chunk_size(line->text, true)) {
            return Body::Broken;
        }
        const std::size_t size = chunk_size(line->text);
        if (size == 0) {
            return read_trailers(rest);
        }
        if (rest.size() < size) {
            return Body::Incomplete;
        }
        rest.remove_prefix(size);
        if (!rest.starts_with("\r\n")) {
            return rest.empty() || rest == "\r" ? Body::Incomplete : Body::Broken;
        }
        rest.remove_prefix(2);
    }
}

/// Whether the next request may follow; adds what became of the body.
bool pass_body(const Head& head, std::string_view& rest, std::vector<unsigned>& out)
{
    const std::size_t length = head.lengths.empty() ? 0 : length_of(head.lengths[0]).value_or(0);
    const bool has_body = length > 0 || !head.codings.empty();
    if (head.is_loose || (has_body && !head.is_put)) {
        if (!rest.empty()) {
            out.push_back(HW_IMDS_UNKNOWN);
        }
        return false;
    }
    if (!head.codings.empty()) {
        const Body body = read_chunks(rest);
        if (body == Body::Broken) {
            out.push_back(HW_IMDS_UNKNOWN);
        }
        return body == Body::Complete;
    }
    const bool is_complete = rest.size() >= length;
    rest.remove_prefix(std::min(length, rest.size()));
    return is_complete;
}

/// Empty lines before a request. False: a CR that ends no line.
bool skip_empty_lines(std::string_view& rest)
{
    while (rest.starts_with('\n') || rest.starts_with("\r\n")) {
        rest.remove_prefix(rest.starts_with('\n') ? 1 : 2);
    }
    return !rest.starts_with('\r') || rest == "\r";
}

} // namespace

std::vector<unsigned> oracle_requests(std::string_view stream)
{
    std::vector<unsigned> out;
    for (;;) {
        if (!skip_empty_lines(stream)) {
            out.push_back(HW_IMDS_UNKNOWN);
            return out;
        }
        if (stream.empty() || stream == "\r") {
            return out;
        }
        const auto head = read_head(stream);
        out.push_back(head ? version_of(*head) : static_cast<unsigned>(HW_IMDS_UNKNOWN));
        if (out.back() == HW_IMDS_UNKNOWN || !pass_body(*head, stream, out)) {
            return out;
        }
    }
}

} // namespace hostward::test
