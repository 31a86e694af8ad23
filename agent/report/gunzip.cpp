// SPDX-License-Identifier: Apache-2.0
#include "agent/report/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace hostward::report {

namespace {

constexpr int kGzipOnly = 15 + 16; ///< largest window, gzip head
constexpr std::size_t kChunk = 65536;

struct Inflater {
    z_stream stream{};
    ~Inflater() { (void)inflateEnd(&stream); } // frees; nothing else to do about a failure
};

} // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

Result<std::string> gunzip(std::string_view bytes, std::size_t bytes_max)
{
    Inflater inflater;
    auto& stream = inflater.stream;
    if (inflateInit2(&stream, kGzipOnly) != Z_OK) {
        return Error{ErrorKind::System, 0, "cannot start to decompress: no memory"};
    }
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data())); // zlib reads it only
    stream.avail_in = static_cast<uInt>(std::min<std::size_t>(bytes.size(), UINT32_MAX));
    std::string out;
    std::array<char, kChunk> chunk{};
    int state = Z_OK;
    while (state == Z_OK) {
        stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
        stream.avail_out = chunk.size();
        state = inflate(&stream, Z_NO_FLUSH);
        out.append(chunk.data(), chunk.size() - stream.avail_out);
        if (out.size() > bytes_max) {
            return invalid_error("decompressed it has more than " + std::to_string(bytes_max) + " bytes");
        }
    }
    if (state != Z_STREAM_END || stream.avail_in != 0) {
        return invalid_error("its gzip is damaged, cut off, or followed by something");
    }
    return out;
}

} // namespace hostward::report
