// SPDX-License-Identifier: Apache-2.0
// Who this instance is: its identity document, and the check of one with the certificate that AWS publishes.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-identity-documents.html
#pragma once

#include "agent/report/imds.h"

#include <string>
#include <string_view>
#include <vector>

namespace hostward::report {

/// What a document says. Unproven until verify_identity() said so.
struct InstanceIdentity {
    std::string account_id;
    std::string region;
    std::string instance_id;
    std::string image_id;
    std::string instance_type;
    std::string availability_zone;
    std::string architecture;
    std::string pending_time; ///< as written, RFC 3339
};

/// The two texts as the metadata service gave them. Static between stop and start: anybody who had them can show them
/// again, so they never prove who sends.
struct IdentityProof {
    std::string document; ///< exact bytes
    std::string rsa2048;  ///< base64 of the CMS message, in lines
};

inline constexpr std::size_t kIdentityDocumentBytesMax = 16384;  ///< a genuine one has about 500
inline constexpr std::size_t kIdentitySignatureBytesMax = 32768; ///< of its base64; a genuine one has about 1,500

/// Invalid: no JSON object, or an account, region, instance or image id that is missing or has another form.
[[nodiscard]] Result<InstanceIdentity> parse_identity(std::string_view document);

/// What the document says if it is genuine: the CMS message verifies with the pinned certificate of `region` (the one
/// the caller expects, not the one the document names), its content is the document byte for byte, and the document
/// names that region. Every refusal has a text of its own. NotFound: no certificate of that region is known.
[[nodiscard]] Result<InstanceIdentity> verify_identity(const IdentityProof& proof, std::string_view region);

/// Regions whose certificate is known, bytewise order.
[[nodiscard]] std::vector<std::string_view> known_regions();

/// `aws`, `aws-cn`, `aws-us-gov`, `aws-iso`, ...: by the region's name.
[[nodiscard]] std::string_view partition_of(std::string_view region);

/// Both texts from the metadata service.
[[nodiscard]] Result<IdentityProof> fetch_identity(Imds& imds);

} // namespace hostward::report
