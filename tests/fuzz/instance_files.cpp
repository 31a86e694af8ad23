// SPDX-License-Identifier: Apache-2.0
// Any bytes as what the profile for instances reads: user data and other text with secrets, keys that sshd takes, apt's
// configuration, packets. What is found is described within bounds and never shown.
#include "agent/report/ttl_watch.h"
#include "hardening/models/apt_config.h"
#include "hardening/models/authorized_keys.h"
#include "agent/base/base64.h"
#include "hardening/models/secrets.h"
#include "tests/fuzz/check.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace {

using namespace hostward;
using namespace hostward::hardening;

void look_at_secrets(std::string_view text)
{
    const auto lines = static_cast<std::uint32_t>(std::ranges::count(text, '\n')) + 1;
    for (const auto& key : find_aws_keys(text)) {
        FUZZ_CHECK(key.line >= 1 && key.line <= lines);
        FUZZ_CHECK(key.what.size() < 80); // no secret fits
    }
    for (const auto& secret : find_secrets(text)) {
        FUZZ_CHECK(secret.line >= 1 && secret.line <= lines + 1);
    }
    if (const auto plain = decoded_base64(text)) {
        FUZZ_CHECK(plain->size() <= text.size());
    }
}

void look_at_keys(std::string_view text)
{
    for_each_line(text, [&](std::string_view line, std::uint32_t number) {
        if (const auto key = parse_authorized_key(line, {"f", number})) {
            FUZZ_CHECK(!key->type.empty() && !key->blob.empty() && key->bits >= 0);
            FUZZ_CHECK(key->options.size() + key->type.size() + key->blob.size() + key->comment.size() <= line.size());
            // Without its options and comment it is the same key.
            const auto again = parse_authorized_key(key->type + " " + key->blob, {});
            FUZZ_CHECK(again && again->bits == key->bits && again->options.empty());
        }
    });
}

void look_at_settings(std::string_view text)
{
    AptConfig config;
    if (parse_apt_config(text, "f", config)) {
        for (const auto& setting : config.settings) {
            FUZZ_CHECK(config.find(setting.name) != nullptr);
            FUZZ_CHECK(setting.value.size() <= text.size());
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    look_at_secrets(text);
    look_at_keys(text);
    look_at_settings(text);
    if (const auto packet = report::parse_tcp_packet(text)) {
        FUZZ_CHECK(packet->data.size() <= size && packet->ttl >= 0 && packet->ttl <= 255);
    }
    return 0;
}
