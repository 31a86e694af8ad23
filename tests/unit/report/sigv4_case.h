// SPDX-License-Identifier: Apache-2.0
// One case of AWS's Signature Version 4 conformance suite: a folder with request.txt, context.json and what must come
// out of them, for header and for query signing.
#pragma once

#include "agent/report/sigv4_canonical.h"

#include <filesystem>
#include <string>
#include <vector>

namespace hostward::report {

struct SigningCase {
    HttpRequest request;
    std::string target; ///< as in the request line
    AwsKeys keys;
    SigningScope scope;
    SigningRules rules;
    int expires_s = 0;
};

/// Invalid: a file of the case is missing or has another form.
[[nodiscard]] Result<SigningCase> read_signing_case(const std::filesystem::path& folder);

struct Comparison {
    int compared = 0;
    std::vector<std::string> differences; ///< "header-signature.txt: ...", one line each
};
/// Signs both ways and compares with the files. Line feeds at the end of a file do not count.
[[nodiscard]] Comparison compare_signing_case(const std::filesystem::path& folder);

} // namespace hostward::report
