// SPDX-License-Identifier: Apache-2.0
// The metadata client of a report run, driven line by line: `get PATH`, `identity REGION`, `credentials identity` or
// `credentials profile` on stdin, one line for each on stdout: `ok ...` or `error KIND TEXT`. No secret is printed.
#include "agent/base/text.h"
#include "agent/report/credentials.h"
#include "agent/report/identity.h"

#include <cstdlib>
#include <ctime>
#include <iostream>
#include <string>

namespace hostward::report {
namespace {

std::string_view name_of(ErrorKind kind)
{
    switch (kind) {
    case ErrorKind::Invalid: return "Invalid";
    case ErrorKind::NotFound: return "NotFound";
    case ErrorKind::Denied: return "Denied";
    case ErrorKind::Unsupported: return "Unsupported";
    case ErrorKind::Exhausted: return "Exhausted";
    case ErrorKind::Conflict: return "Conflict";
    case ErrorKind::System: return "System";
    }
    return "?";
}

std::string line_of(const Error& error) { return "error " + std::string(name_of(error.kind)) + " " + error.text; }

std::string get(Imds& imds, const std::string& path)
{
    const auto item = imds.get(path);
    return item ? "ok " + escape(*item) : line_of(item.error());
}

std::string identity(Imds& imds, const std::string& region)
{
    const auto proof = fetch_identity(imds);
    if (!proof) {
        return line_of(proof.error());
    }
    const auto found = verify_identity(*proof, region);
    return found ? "ok " + found->instance_type : line_of(found.error());
}

std::string credentials(CredentialSource& source, const std::string& role)
{
    const auto found =
        source.get(role == "identity" ? Role::InstanceIdentity : Role::InstanceProfile, std::time(nullptr));
    return found ? std::string("ok ") + (found->is_expired ? "expired" : "valid") : line_of(found.error());
}

int run()
{
    const auto options = imds_options([](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value == nullptr ? "" : value);
    });
    if (!options) {
        std::cout << line_of(options.error()) << std::endl;
        return 1;
    }
    auto imds = open_imds(*options);
    if (!imds) {
        std::cout << line_of(imds.error()) << std::endl;
        return 1;
    }
    const auto source = credentials_from(**imds);
    std::string line;
    while (std::getline(std::cin, line)) {
        const auto space = line.find(' ');
        const std::string word = line.substr(0, space);
        const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
        const std::string answer = word == "get"        ? get(**imds, rest)
                                   : word == "identity" ? identity(**imds, rest)
                                                        : credentials(*source, rest);
        std::cout << answer << std::endl; // each line at once: the test waits for it
    }
    return 0;
}

} // namespace
} // namespace hostward::report

int main() { return hostward::report::run(); }
