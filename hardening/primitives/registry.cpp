// SPDX-License-Identifier: Apache-2.0
#include "hardening/primitives/primitives.h"

#include <array>

namespace hostward::hardening {

namespace {

constexpr std::array kAll{
    &kOsPrimitive,
    &kSysctlPrimitive,
    &kOneExistsPrimitive,
    &kNoWirelessPrimitive,
    &kKernelModulePrimitive,
    &kMountPrimitive,
    &kMountOptionPrimitive,
    &kKernelArgumentPrimitive,
    &kSystemdConfigPrimitive,
    &kKeyFilePrimitive,
    &kLimitPrimitive,
    &kDconfPrimitive,
    &kDconfLockPrimitive,
    &kSelinuxModePrimitive,
    &kSelinuxPolicyPrimitive,
    &kSelinuxDomainPrimitive,
    &kApparmorPrimitive,
    &kCryptoPolicyPrimitive,
    &kCryptoPolicyValuesPrimitive,
    &kChronyDirectivePrimitive,
    &kChronyUserPrimitive,
    &kAccountsPrimitive,
    &kLoginDefsPrimitive,
    &kPamFaillockPrimitive,
    &kPamModulePrimitive,
    &kPamOptionPrimitive,
    &kPamSuPrimitive,
    &kShadowPrimitive,
    &kSshdCryptoPolicyPrimitive,
    &kSshdPrimitive,
    &kSudoDefaultPrimitive,
    &kSudoPasswordPrimitive,
    &kUseraddPrimitive,
    &kPackageInstalledPrimitive,
    &kPackageAbsentPrimitive,
    &kUnitOffPrimitive,
    &kUnitOnPrimitive,
    &kFileAccessPrimitive,
    &kFileLinesPrimitive,
    &kSweptFilesPrimitive,
    &kLoopbackOnlyPrimitive,
    &kHomeFoldersPrimitive,
    &kDotFilesPrimitive,
    &kLogFilesPrimitive,
    &kFirewallInUsePrimitive,
    &kFirewallOnePrimitive,
    &kFirewallKeptPrimitive,
    &kFirewallTablePrimitive,
    &kFirewallHooksPrimitive,
    &kFirewallPolicyPrimitive,
    &kFirewallLoopbackPrimitive,
    &kFirewallPortsPrimitive,
    &kFirewallReviewPrimitive,
    &kUfwOffPrimitive,
    &kFirewalldZonePrimitive,
    &kShellTimeoutPrimitive,
    &kShellUmaskPrimitive,
    &kRootPathPrimitive,
    &kDnfPrimitive,
    &kReviewFilesPrimitive,
    &kReviewSetIdPrimitive,
    &kAuditdSettingPrimitive,
    &kAuditFilesPrimitive,
    &kAuditLoadedPrimitive,
    &kAuditLockedPrimitive,
    &kAuditProgramsPrimitive,
    &kAuditSudoLogPrimitive,
    &kAuditSyscallsPrimitive,
};

} // namespace

Primitives all_primitives() { return kAll; }

} // namespace hostward::hardening
