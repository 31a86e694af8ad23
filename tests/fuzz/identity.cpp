// SPDX-License-Identifier: Apache-2.0
// Identity documents and their signatures, `DOCUMENT NUL SIGNATURE`: nothing that is made up is believed. Beside the
// pinned certificates the simulator's own is tried, with which its one document verifies, and no other bytes do.
#include "agent/report/cms.h"
#include "agent/report/identity.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace {

using namespace hostward;
using namespace hostward::report;

std::string read(const char* path)
{
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), {});
    FUZZ_CHECK(!text.empty());
    return text;
}

bool is_printable(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
}

void check_document(std::string_view document)
{
    const auto identity = parse_identity(document);
    if (!identity) {
        FUZZ_CHECK(is_printable(identity.error().text));
        return;
    }
    FUZZ_CHECK(identity->account_id.size() == 12 && identity->instance_id.starts_with("i-"));
    FUZZ_CHECK(identity->image_id.starts_with("ami-") && !identity->region.empty());
}

void check_message(std::string_view signature)
{
    static const std::string certificate = read(SIMULATOR_CERTIFICATE);
    static const std::string document = read(SIMULATOR_DOCUMENT);
    const auto der = decode_base64(signature);
    if (!der) {
        return;
    }
    const auto content = verified_content(*der, certificate);
    FUZZ_CHECK(content ? *content == document : is_printable(content.error().text));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto nul = std::min(input.find('\0'), input.size());
    const auto document = input.substr(0, nul);
    const auto signature = input.substr(std::min(nul + 1, input.size()));
    check_document(document);
    check_message(signature);
    const auto verified = verify_identity({std::string(document), std::string(signature)}, "us-east-1");
    FUZZ_CHECK(!verified.ok() && is_printable(verified.error().text));
    return 0;
}
