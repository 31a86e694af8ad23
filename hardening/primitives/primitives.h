// SPDX-License-Identifier: Apache-2.0
// Every primitive there is. A new one is declared here, added to the list in registry.cpp, and documented by its own
// `about` texts: docs/checks/primitives.md is generated from them.
#pragma once

#include "hardening/engine/primitive.h"

namespace hostward::hardening {

[[nodiscard]] Primitives all_primitives();

extern const Primitive kOsPrimitive;                 ///< which distribution this is
extern const Primitive kSysctlPrimitive;             ///< kernel parameters
extern const Primitive kOneExistsPrimitive;          ///< programs that rules are about
extern const Primitive kNoWirelessPrimitive;         ///< wireless interfaces
extern const Primitive kKernelModulePrimitive;       ///< kernel modules
extern const Primitive kMountPrimitive;              ///< mount points
extern const Primitive kMountOptionPrimitive;        ///< options of mounts
extern const Primitive kKernelArgumentPrimitive;     ///< the kernel's command line
extern const Primitive kSystemdConfigPrimitive;      ///< journald.conf and the like
extern const Primitive kKeyFilePrimitive;            ///< GLib's key files
extern const Primitive kLimitPrimitive;              ///< limits.conf
extern const Primitive kDconfPrimitive;              ///< desktop settings
extern const Primitive kDconfLockPrimitive;          ///< locked desktop settings
extern const Primitive kSelinuxModePrimitive;        ///< SELinux's mode
extern const Primitive kSelinuxPolicyPrimitive;      ///< SELinux's policy
extern const Primitive kSelinuxDomainPrimitive;      ///< SELinux types of processes
extern const Primitive kAuditdSettingPrimitive;      ///< one setting of auditd.conf
extern const Primitive kAuditFilesPrimitive;         ///< what audit records of files
extern const Primitive kAuditLoadedPrimitive;        ///< the kernel has the audit rules of the files
extern const Primitive kAuditLockedPrimitive;        ///< audit's rules are locked
extern const Primitive kAuditProgramsPrimitive;      ///< what audit records of programs with SUID or SGID
extern const Primitive kAuditSudoLogPrimitive;       ///< what audit records of sudo's log file
extern const Primitive kAuditSyscallsPrimitive;      ///< which system calls audit records
extern const Primitive kApparmorPrimitive;           ///< AppArmor's profiles
extern const Primitive kCryptoPolicyPrimitive;       ///< the system-wide crypto policy
extern const Primitive kCryptoPolicyValuesPrimitive; ///< what the crypto policy allows
extern const Primitive kChronyDirectivePrimitive;    ///< chrony's sources
extern const Primitive kChronyUserPrimitive;         ///< chrony's user
extern const Primitive kAccountsPrimitive;           ///< properties of passwd, group and shadow
extern const Primitive kLoginDefsPrimitive;          ///< login.defs
extern const Primitive kPamFaillockPrimitive;        ///< locking after failed passwords
extern const Primitive kPamModulePrimitive;          ///< modules in PAM stacks
extern const Primitive kPamOptionPrimitive;          ///< options of PAM modules
extern const Primitive kPamSuPrimitive;              ///< who may use su
extern const Primitive kShadowPrimitive;             ///< ages of passwords
extern const Primitive kSshdCryptoPolicyPrimitive;   ///< sshd under the system's crypto policy
extern const Primitive kSshdPrimitive;               ///< what sshd does
extern const Primitive kSudoDefaultPrimitive;        ///< defaults of sudo
extern const Primitive kSudoPasswordPrimitive;       ///< whether sudo asks for a password
extern const Primitive kUseraddPrimitive;            ///< defaults of new accounts
extern const Primitive kPackageInstalledPrimitive;
extern const Primitive kPackageAbsentPrimitive;
extern const Primitive kUnitOffPrimitive;
extern const Primitive kUnitOnPrimitive;
extern const Primitive kFileAccessPrimitive; ///< owner, group, mode
extern const Primitive kFileLinesPrimitive;
extern const Primitive kSweptFilesPrimitive; ///< over all local file systems
extern const Primitive kLoopbackOnlyPrimitive;
extern const Primitive kHomeFoldersPrimitive;
extern const Primitive kDotFilesPrimitive;
extern const Primitive kLogFilesPrimitive;
extern const Primitive kFirewallInUsePrimitive; ///< which firewall a host has
extern const Primitive kFirewallOnePrimitive;
extern const Primitive kFirewallKeptPrimitive;
extern const Primitive kFirewallTablePrimitive;
extern const Primitive kFirewallHooksPrimitive;
extern const Primitive kFirewallPolicyPrimitive;
extern const Primitive kFirewallLoopbackPrimitive;
extern const Primitive kFirewallPortsPrimitive;
extern const Primitive kFirewallReviewPrimitive; ///< rules that a person must judge
extern const Primitive kUfwOffPrimitive;
extern const Primitive kFirewalldZonePrimitive;
extern const Primitive kShellTimeoutPrimitive; ///< TMOUT
extern const Primitive kShellUmaskPrimitive;
extern const Primitive kRootPathPrimitive;
extern const Primitive kDnfPrimitive;
extern const Primitive kReviewFilesPrimitive;          ///< what people judge
extern const Primitive kReviewSetIdPrimitive;          ///< SUID and SGID
extern const Primitive kImdsTokenPrimitive;            ///< IMDSv1
extern const Primitive kImdsHopLimitPrimitive;         ///< how far a token's answer travels
extern const Primitive kImdsTagsPrimitive;             ///< tags in the metadata service
extern const Primitive kInstanceRolePrimitive;         ///< instance profile
extern const Primitive kInstancePlatformPrimitive;     ///< what the machine is
extern const Primitive kGuardPrimitive;                ///< our own guard
extern const Primitive kUserDataPrimitive;             ///< secrets in user data
extern const Primitive kAwsKeysPrimitive;              ///< keys in files
extern const Primitive kAuthorizedKeysPrimitive;       ///< keys that sshd takes
extern const Primitive kAuthorizedKeysReviewPrimitive; ///< whose they are
extern const Primitive kSshdExposurePrimitive;         ///< who reaches sshd
extern const Primitive kPasswordLockedPrimitive;       ///< accounts without a password
extern const Primitive kSerialConsolePrimitive;        ///< logins on serial lines
extern const Primitive kAptSettingPrimitive;           ///< settings of apt

} // namespace hostward::hardening
