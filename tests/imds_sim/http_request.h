// SPDX-License-Identifier: Apache-2.0
// Strict, incremental HTTP/1.1 request parser. Pure: bytes in, requests out, no I/O, every size bounded by name.
// Where RFC 9112 lets a server be lenient (bare LF, folded lines, repeated Content-Length) this one refuses:
// a client that needs leniency must be seen in a test, not forgiven.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hostward::imds_sim {

constexpr std::size_t kMaxMethodBytes = 16;
constexpr std::size_t kMaxTargetBytes = 2048;
constexpr std::size_t kMaxLineBytes = 8192; ///< one header, request, chunk-size or trailer line
constexpr std::size_t kMaxHeaders = 64;     ///< trailers included
constexpr std::size_t kMaxBodyBytes = 65536;

struct Header {
    std::string name; ///< as sent
    std::string value;
};

struct Request {
    std::string method;
    std::string target; ///< origin form as sent, query included; absolute form is reduced to it
    std::vector<Header> headers;
    std::string body;
    bool keep_alive = true;

    /// Value of the first header of this name (any case), or nothing.
    [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
    /// How often the header was sent.
    [[nodiscard]] std::size_t header_count(std::string_view name) const;
};

/// Why the bytes are no request; the connection cannot be used further.
struct Malformed {
    int status = 400;
    std::string reason;
};

class RequestParser {
public:
    enum class Progress {
        NeedMore, ///< all input taken, the request is not complete
        Ready,    ///< request() is complete; input beyond it was left
        Failed,   ///< malformed() says why; stays so
    };

    /// Takes bytes from the front of `input` until one request is complete.
    [[nodiscard]] Progress consume(std::string_view& input);

    /// True once per request whose headers are complete, that asked for `100 Continue` and whose body is due.
    [[nodiscard]] bool take_continue();
    /// True between the first byte of a request and its end.
    [[nodiscard]] bool is_inside_request() const { return has_started_ && state_ != State::Done; }

    [[nodiscard]] const Request& request() const { return request_; }
    [[nodiscard]] const Malformed& malformed() const { return malformed_; }
    /// Forgets the finished request and waits for the next one.
    void reset();

private:
    enum class State { RequestLine, HeaderLine, FixedBody, ChunkSize, ChunkData, ChunkEnd, Trailer, Done, Failed };

    [[nodiscard]] bool take_line(std::string_view& input);
    void take_body(std::string_view& input);
    void on_line(std::string_view line);
    void on_request_line(std::string_view line);
    void on_target(std::string_view target);
    void on_version(std::string_view version);
    void on_header_line(std::string_view line);
    void on_headers_end();
    void choose_body();
    void on_chunk_size(std::string_view line);
    void fail(int status, std::string reason);

    State state_ = State::RequestLine;
    Request request_;
    Malformed malformed_;
    std::string line_;           ///< the line so far, without its line end
    std::size_t body_left_ = 0;  ///< bytes of the fixed body or of this chunk still to come
    bool has_started_ = false;   ///< a byte of this request was seen
    bool skipped_empty_ = false; ///< the one empty line allowed before a request was seen
    bool saw_cr_ = false;
    bool is_http_1_1_ = false;
    bool wants_continue_ = false;
};

/// Two header names are the same when they differ in ASCII case only.
[[nodiscard]] bool same_header_name(std::string_view a, std::string_view b);

} // namespace hostward::imds_sim
