// SPDX-License-Identifier: Apache-2.0
#include "agent/report/gzip.h"

#include <zlib.h>

namespace hostward::report {

namespace {

constexpr int kGzipWindow = 16 + 13; // gzip; 8 KiB of history instead of 32: the agent stays small
constexpr int kMemoryLevel = 6;

} // namespace

Result<std::string> gzip(std::string_view bytes)
{
    z_stream stream{};
    const Error no_memory{ErrorKind::Exhausted, 0, "no memory to compress a report"};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
        return no_memory;
    }
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    // zlib only reads what next_in points to.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int status = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    (void)deflateEnd(&stream); // nothing that is still wanted
    if (status != Z_STREAM_END) {
        return no_memory;
    }
    return out;
}

} // namespace hostward::report
