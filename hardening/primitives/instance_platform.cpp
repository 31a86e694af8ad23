// SPDX-License-Identifier: Apache-2.0
// What the machine under this system says it is. Nothing to comply with: facts for a person.
#include "hardening/models/lines.h"
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

namespace {

struct KernelFile {
    const char* what;
    const char* path;
};

constexpr std::array kFiles{
    KernelFile{"vendor (Amazon EC2 on Nitro)", "/sys/devices/virtual/dmi/id/sys_vendor"},
    KernelFile{"instance type", "/sys/devices/virtual/dmi/id/product_name"},
    KernelFile{"instance id on Nitro", "/sys/devices/virtual/dmi/id/board_asset_tag"},
    KernelFile{"begins with ec2 on Xen", "/sys/hypervisor/uuid"},
    KernelFile{"version of the TPM", "/sys/class/tpm/tpm0/tpm_version_major"},
};
constexpr auto kSecureBoot = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c";
constexpr std::size_t kShownMax = 100; // bytes

std::string seen(const Result<std::string>& text)
{
    if (text) {
        return std::string(trimmed(*text).substr(0, kShownMax));
    }
    return text.error().kind == ErrorKind::NotFound ? "none" : "not known: " + text.error().text;
}

/// A variable is four bytes of attributes, then its value.
std::string secure_boot(const Result<std::string>& variable)
{
    constexpr std::size_t kSize = 5;
    if (!variable || variable->size() != kSize) {
        return variable ? "not known: the variable has another form" : seen(variable);
    }
    return variable->back() == '\1' ? "on" : "off";
}

Result<Outcome> evaluate(const Arguments& /*arguments*/, Facts& facts)
{
    const auto& host = facts.host();
    if (!host.is_running()) {
        return Error{ErrorKind::Unsupported, 0, "an image does not run on a machine"};
    }
    Outcome out{Verdict::Manual, "facts for a person to look at", {}, 0};
    for (const auto& file : kFiles) {
        out.add({file.what, seen(host::read_kernel(host, file.path)), file.path});
    }
    out.add({"secure boot", secure_boot(host::read_kernel(host, kSecureBoot)), kSecureBoot});
    return out;
}

} // namespace

const Primitive kInstancePlatformPrimitive{
    "instance-platform", "What the machine says it is: vendor, type, TPM, secure boot.", {}, evaluate};

} // namespace hostward::hardening
