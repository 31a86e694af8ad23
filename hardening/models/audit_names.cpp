// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/audit_names.h"

#include "hardening/models/lines.h"

#include <linux/audit.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace hostward::hardening {

namespace {

using Run = AuditNames;

constexpr std::array kFields{
    Run{AUDIT_PID, "pid uid euid suid fsuid gid egid sgid fsgid auid pers arch msgtype subj_user subj_role subj_type "
                   "subj_sen subj_clr ppid obj_user obj_role obj_type obj_lev_low obj_lev_high"},
    Run{AUDIT_SESSIONID, "sessionid fstype"},
    Run{AUDIT_DEVMAJOR, "devmajor devminor inode exit success path perm dir filetype obj_uid obj_gid field_compare exe "
                        "saddr_fam"},
    Run{AUDIT_ARG0, "a0 a1 a2 a3"},
    Run{AUDIT_FILTERKEY, "key"},
    Run{AUDIT_LOGINUID, "loginuid"},
};

constexpr std::array kLists{
    Run{AUDIT_FILTER_USER, "user task entry"},
    Run{AUDIT_FILTER_EXIT, "exit exclude filesystem io_uring"},
};

constexpr std::array kMessages{
    Run{1006, "LOGIN"},
    Run{1100, "USER_AUTH USER_ACCT USER_MGMT CRED_ACQ CRED_DISP USER_START USER_END USER_AVC USER_CHAUTHTOK "
              "USER_ERR CRED_REFR USYS_CONFIG USER_LOGIN USER_LOGOUT ADD_USER DEL_USER ADD_GROUP DEL_GROUP "
              "DAC_CHECK CHGRP_ID TEST TRUSTED_APP USER_SELINUX_ERR USER_CMD USER_TTY CHUSER_ID GRP_AUTH "
              "SYSTEM_BOOT SYSTEM_SHUTDOWN SYSTEM_RUNLEVEL SERVICE_START SERVICE_STOP GRP_MGMT GRP_CHAUTHTOK "
              "MAC_CHECK ACCT_LOCK ACCT_UNLOCK USER_DEVICE SOFTWARE_UPDATE"},
    Run{1200, "DAEMON_START DAEMON_END DAEMON_ABORT DAEMON_CONFIG DAEMON_RECONFIG DAEMON_ROTATE DAEMON_RESUME "
              "DAEMON_ACCEPT DAEMON_CLOSE DAEMON_ERR"},
    Run{1300, "SYSCALL"},
    Run{1302, "PATH IPC SOCKETCALL CONFIG_CHANGE SOCKADDR CWD"},
    Run{1309, "EXECVE"},
    Run{1311, "IPC_SET_PERM MQ_OPEN MQ_SENDRECV MQ_NOTIFY MQ_GETSETATTR KERNEL_OTHER FD_PAIR OBJ_PID TTY EOE "
              "BPRM_FCAPS CAPSET MMAP NETFILTER_PKT NETFILTER_CFG SECCOMP PROCTITLE FEATURE_CHANGE REPLACE "
              "KERN_MODULE FANOTIFY TIME_INJOFFSET TIME_ADJNTPVAL BPF EVENT_LISTENER URINGOP OPENAT2 DM_CTRL "
              "DM_EVENT"},
    Run{1400, "AVC SELINUX_ERR AVC_PATH MAC_POLICY_LOAD MAC_STATUS MAC_CONFIG_CHANGE MAC_UNLBL_ALLOW "
              "MAC_CIPSOV4_ADD MAC_CIPSOV4_DEL MAC_MAP_ADD MAC_MAP_DEL MAC_IPSEC_ADDSA MAC_IPSEC_DELSA "
              "MAC_IPSEC_ADDSPD MAC_IPSEC_DELSPD MAC_IPSEC_EVENT MAC_UNLBL_STCADD MAC_UNLBL_STCDEL MAC_CALIPSO_ADD "
              "MAC_CALIPSO_DEL"},
    Run{1500, "AA APPARMOR_AUDIT APPARMOR_ALLOWED APPARMOR_DENIED APPARMOR_HINT APPARMOR_STATUS APPARMOR_ERROR "
              "APPARMOR_KILL"},
    Run{1700, "ANOM_PROMISCUOUS ANOM_ABEND ANOM_LINK ANOM_CREAT"},
    Run{1800, "INTEGRITY_DATA INTEGRITY_METADATA INTEGRITY_STATUS INTEGRITY_HASH INTEGRITY_PCR INTEGRITY_RULE "
              "INTEGRITY_EVM_XATTR INTEGRITY_POLICY_RULE"},
    Run{2000, "KERNEL"},
    Run{2100, "ANOM_LOGIN_FAILURES ANOM_LOGIN_TIME ANOM_LOGIN_SESSIONS ANOM_LOGIN_ACCT ANOM_LOGIN_LOCATION "
              "ANOM_MAX_DAC ANOM_MAX_MAC ANOM_AMTU_FAIL ANOM_RBAC_FAIL ANOM_RBAC_INTEGRITY_FAIL ANOM_CRYPTO_FAIL "
              "ANOM_ACCESS_FS ANOM_EXEC ANOM_MK_EXEC ANOM_ADD_ACCT ANOM_DEL_ACCT ANOM_MOD_ACCT ANOM_ROOT_TRANS "
              "ANOM_LOGIN_SERVICE ANOM_LOGIN_ROOT ANOM_ORIGIN_FAILURES ANOM_SESSION"},
    Run{2200, "RESP_ANOMALY RESP_ALERT RESP_KILL_PROC RESP_TERM_ACCESS RESP_ACCT_REMOTE RESP_ACCT_LOCK_TIMED "
              "RESP_ACCT_UNLOCK_TIMED RESP_ACCT_LOCK RESP_TERM_LOCK RESP_SEBOOL RESP_EXEC RESP_SINGLE RESP_HALT "
              "RESP_ORIGIN_BLOCK RESP_ORIGIN_BLOCK_TIMED RESP_ORIGIN_UNBLOCK_TIMED"},
    Run{2300, "USER_ROLE_CHANGE ROLE_ASSIGN ROLE_REMOVE LABEL_OVERRIDE LABEL_LEVEL_CHANGE USER_LABELED_EXPORT "
              "USER_UNLABELED_EXPORT DEV_ALLOC DEV_DEALLOC FS_RELABEL USER_MAC_POLICY_LOAD ROLE_MODIFY "
              "USER_MAC_CONFIG_CHANGE USER_MAC_STATUS"},
    Run{2400, "CRYPTO_TEST_USER CRYPTO_PARAM_CHANGE_USER CRYPTO_LOGIN CRYPTO_LOGOUT CRYPTO_KEY_USER "
              "CRYPTO_FAILURE_USER CRYPTO_REPLAY_USER CRYPTO_SESSION CRYPTO_IKE_SA CRYPTO_IPSEC_SA"},
    Run{2500, "VIRT_CONTROL VIRT_RESOURCE VIRT_MACHINE_ID VIRT_INTEGRITY_CHECK VIRT_CREATE VIRT_DESTROY "
              "VIRT_MIGRATE_IN VIRT_MIGRATE_OUT"},
};

struct Comparison {
    std::uint32_t one;
    std::uint32_t other;
    std::uint32_t number;
};
constexpr std::array kComparisons{
    Comparison{AUDIT_UID, AUDIT_OBJ_UID, AUDIT_COMPARE_UID_TO_OBJ_UID},
    Comparison{AUDIT_GID, AUDIT_OBJ_GID, AUDIT_COMPARE_GID_TO_OBJ_GID},
    Comparison{AUDIT_EUID, AUDIT_OBJ_UID, AUDIT_COMPARE_EUID_TO_OBJ_UID},
    Comparison{AUDIT_EGID, AUDIT_OBJ_GID, AUDIT_COMPARE_EGID_TO_OBJ_GID},
    Comparison{AUDIT_LOGINUID, AUDIT_OBJ_UID, AUDIT_COMPARE_AUID_TO_OBJ_UID},
    Comparison{AUDIT_SUID, AUDIT_OBJ_UID, AUDIT_COMPARE_SUID_TO_OBJ_UID},
    Comparison{AUDIT_SGID, AUDIT_OBJ_GID, AUDIT_COMPARE_SGID_TO_OBJ_GID},
    Comparison{AUDIT_FSUID, AUDIT_OBJ_UID, AUDIT_COMPARE_FSUID_TO_OBJ_UID},
    Comparison{AUDIT_FSGID, AUDIT_OBJ_GID, AUDIT_COMPARE_FSGID_TO_OBJ_GID},
    Comparison{AUDIT_UID, AUDIT_LOGINUID, AUDIT_COMPARE_UID_TO_AUID},
    Comparison{AUDIT_UID, AUDIT_EUID, AUDIT_COMPARE_UID_TO_EUID},
    Comparison{AUDIT_UID, AUDIT_FSUID, AUDIT_COMPARE_UID_TO_FSUID},
    Comparison{AUDIT_UID, AUDIT_SUID, AUDIT_COMPARE_UID_TO_SUID},
    Comparison{AUDIT_LOGINUID, AUDIT_FSUID, AUDIT_COMPARE_AUID_TO_FSUID},
    Comparison{AUDIT_LOGINUID, AUDIT_SUID, AUDIT_COMPARE_AUID_TO_SUID},
    Comparison{AUDIT_LOGINUID, AUDIT_EUID, AUDIT_COMPARE_AUID_TO_EUID},
    Comparison{AUDIT_EUID, AUDIT_SUID, AUDIT_COMPARE_EUID_TO_SUID},
    Comparison{AUDIT_EUID, AUDIT_FSUID, AUDIT_COMPARE_EUID_TO_FSUID},
    Comparison{AUDIT_SUID, AUDIT_FSUID, AUDIT_COMPARE_SUID_TO_FSUID},
    Comparison{AUDIT_GID, AUDIT_EGID, AUDIT_COMPARE_GID_TO_EGID},
    Comparison{AUDIT_GID, AUDIT_FSGID, AUDIT_COMPARE_GID_TO_FSGID},
    Comparison{AUDIT_GID, AUDIT_SGID, AUDIT_COMPARE_GID_TO_SGID},
    Comparison{AUDIT_EGID, AUDIT_FSGID, AUDIT_COMPARE_EGID_TO_FSGID},
    Comparison{AUDIT_EGID, AUDIT_SGID, AUDIT_COMPARE_EGID_TO_SGID},
    Comparison{AUDIT_SGID, AUDIT_FSGID, AUDIT_COMPARE_SGID_TO_FSGID},
};

constexpr std::array<std::pair<char, std::uint32_t>, 4> kPermissions{
    {{'r', AUDIT_PERM_READ}, {'w', AUDIT_PERM_WRITE}, {'x', AUDIT_PERM_EXEC}, {'a', AUDIT_PERM_ATTR}}};

} // namespace

std::optional<std::uint32_t> audit_number(std::span<const AuditNames> table, std::string_view name)
{
    for (const auto& run : table) {
        std::uint32_t number = run.first;
        std::string_view rest = run.names;
        while (!rest.empty()) {
            const auto end = std::min(rest.find(' '), rest.size());
            if (rest.substr(0, end) == name) {
                return number;
            }
            rest.remove_prefix(std::min(end + 1, rest.size()));
            ++number;
        }
    }
    return std::nullopt;
}

std::string audit_name(std::span<const AuditNames> table, std::uint32_t number)
{
    for (const auto& run : table) {
        const auto names = number < run.first ? std::vector<std::string_view>{} : words(run.names);
        if (number >= run.first && number - run.first < names.size()) {
            return std::string(names[number - run.first]);
        }
    }
    return std::to_string(number);
}

std::optional<std::uint32_t> audit_field(std::string_view name) { return audit_number(kFields, lower(name)); }
std::string audit_field_name(std::uint32_t field) { return audit_name(kFields, field); }
std::optional<std::uint32_t> audit_list(std::string_view name) { return audit_number(kLists, lower(name)); }
std::string audit_list_name(std::uint32_t list) { return audit_name(kLists, list); }

std::optional<std::uint32_t> audit_message(std::string_view name)
{
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 'a' + 'A') : c; });
    return audit_number(kMessages, upper);
}

std::optional<std::int32_t> audit_errno(std::string_view name)
{
    const bool is_negative = name.starts_with('-');
    name.remove_prefix(is_negative ? 1 : 0);
    constexpr std::int32_t kErrnoMax = 133;
    for (std::int32_t number = 1; number <= kErrnoMax; ++number) {
        const char* known = ::strerrorname_np(number);
        if (known != nullptr && name == known) {
            return is_negative ? -number : number;
        }
    }
    return std::nullopt;
}

std::optional<std::uint32_t> audit_permissions(std::string_view letters)
{
    std::uint32_t permissions = 0;
    for (const char letter : lower(letters)) {
        const auto* known = std::ranges::find(kPermissions, letter, &std::pair<char, std::uint32_t>::first);
        if (known == kPermissions.end()) {
            return std::nullopt;
        }
        permissions |= known->second;
    }
    return letters.size() > kPermissions.size() ? std::nullopt : std::optional(permissions);
}

std::string audit_permissions_text(std::uint32_t permissions)
{
    std::string text;
    for (const auto& [letter, bit] : kPermissions) {
        if ((permissions & bit) != 0) {
            text += letter;
        }
    }
    return text;
}

std::optional<std::uint32_t> audit_comparison(std::uint32_t one, std::uint32_t other)
{
    for (const auto& known : kComparisons) {
        if ((known.one == one && known.other == other) || (known.one == other && known.other == one)) {
            return known.number;
        }
    }
    return std::nullopt;
}

std::string_view audit_operator_text(std::uint32_t op)
{
    switch (op) {
    case AUDIT_EQUAL: return "=";
    case AUDIT_NOT_EQUAL: return "!=";
    case AUDIT_LESS_THAN: return "<";
    case AUDIT_LESS_THAN_OR_EQUAL: return "<=";
    case AUDIT_GREATER_THAN: return ">";
    case AUDIT_GREATER_THAN_OR_EQUAL: return ">=";
    case AUDIT_BIT_MASK: return "&";
    case AUDIT_BIT_TEST: return "&=";
    default: return "?";
    }
}

bool is_audit_text_field(std::uint32_t field)
{
    switch (field) {
    case AUDIT_SUBJ_USER:
    case AUDIT_SUBJ_ROLE:
    case AUDIT_SUBJ_TYPE:
    case AUDIT_SUBJ_SEN:
    case AUDIT_SUBJ_CLR:
    case AUDIT_OBJ_USER:
    case AUDIT_OBJ_ROLE:
    case AUDIT_OBJ_TYPE:
    case AUDIT_OBJ_LEV_LOW:
    case AUDIT_OBJ_LEV_HIGH:
    case AUDIT_WATCH:
    case AUDIT_DIR:
    case AUDIT_FILTERKEY:
    case AUDIT_EXE: return true;
    default: return false;
    }
}

} // namespace hostward::hardening
