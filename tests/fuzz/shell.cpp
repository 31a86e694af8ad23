// SPDX-License-Identifier: Apache-2.0
// Any bytes as start files of a shell, and as dnf's configuration: reading them ends, and says what it does not know.
#include "hardening/models/dnf_config.h"
#include "hardening/models/shell_session.h"
#include "tests/fuzz/check.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace hostward;
using namespace hostward::hardening;

/// A host whose every start file is the same text.
class OneText final : public host::Host {
public:
    explicit OneText(std::string_view text) : text_(text) {}

    [[nodiscard]] bool is_running() const override { return false; }
    [[nodiscard]] Result<host::FileFacts> facts(const std::string& path, host::Links /*links*/) const override
    {
        host::FileFacts out;
        out.mode = 0644;
        out.size = text_.size();
        return path.starts_with("/etc") ? Result<host::FileFacts>(out) : none();
    }
    [[nodiscard]] Result<std::string> read(const std::string& path, std::size_t /*bytes_max*/) const override
    {
        return path.starts_with("/etc") ? Result<std::string>(std::string(text_)) : none();
    }
    [[nodiscard]] Result<std::vector<std::string>> list(const std::string& /*directory*/) const override
    {
        return std::vector<std::string>{"a.sh", "b.sh"};
    }
    [[nodiscard]] Result<std::string> link_target(const std::string& /*path*/) const override { return none(); }
    [[nodiscard]] Result<UniqueFd> open_root() const override { return none(); }
    [[nodiscard]] Result<host::Finished> run(const std::vector<std::string>& /*argv*/,
                                             const host::RunLimits& /*limits*/) const override
    {
        return none();
    }
    [[nodiscard]] Result<std::vector<std::string>> ask_audit(host::AuditQuestion /*question*/) const override
    {
        return none();
    }

private:
    static Error none() { return Error{ErrorKind::NotFound, 0, "none"}; }
    std::string_view text_;
};

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const OneText host(text);
    for (const auto kind : {ShellKind::Login, ShellKind::Interactive}) {
        const auto outcomes = shell_outcomes(host, kind, {}, {{"/bin", "", 022, "start"}});
        if (!outcomes) {
            FUZZ_CHECK(!outcomes.error().text.empty());
            continue;
        }
        for (const auto& one : *outcomes) {
            FUZZ_CHECK(!one.umask || *one.umask <= 0777);
            FUZZ_CHECK(one.umask || !one.doubts.empty());
        }
    }
    for (const auto& section : parse_dnf_config(text, "f")) {
        for (const auto& setting : section.settings) {
            FUZZ_CHECK(section.last(setting.first) != nullptr);
        }
    }
    return 0;
}
