// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sshd_keywords.h"

#include "agent/base/text.h"
#include "hardening/models/lines.h"
#include "hardening/models/sshd_match.h"

#include <algorithm>
#include <array>
#include <limits>

namespace hostward::hardening {

namespace {

using enum SshdKind;
constexpr bool kGlobal = false;
constexpr bool kMatch = true;
constexpr std::string_view kFlag = "yes no";
constexpr std::string_view kForwarding = "yes all=yes no remote local";
constexpr std::string_view kLogLevels =
    "silent=SILENT quiet=SILENT fatal=FATAL error=ERROR info=INFO verbose=VERBOSE debug=DEBUG "
    "debug1=DEBUG debug2=DEBUG2 debug3=DEBUG3";
constexpr std::string_view kFacilities =
    "daemon=DAEMON user=USER auth=AUTH authpriv=AUTHPRIV local0=LOCAL0 local1=LOCAL1 "
    "local2=LOCAL2 local3=LOCAL3 local4=LOCAL4 local5=LOCAL5 local6=LOCAL6 "
    "local7=LOCAL7";

constexpr std::array kKeywords{
    SshdKeyword{"acceptenv", Collected, kMatch},
    SshdKeyword{"addressfamily", Choice, kGlobal, "inet inet6 any", "any"},
    SshdKeyword{"allowagentforwarding", Choice, kMatch, kFlag, "yes"},
    SshdKeyword{"allowgroups", Collected, kMatch},
    SshdKeyword{"allowstreamlocalforwarding", Choice, kMatch, kForwarding, "yes"},
    SshdKeyword{"allowtcpforwarding", Choice, kMatch, kForwarding, "yes"},
    SshdKeyword{"allowusers", Collected, kMatch},
    SshdKeyword{"authenticationmethods", List, kMatch, {}, "any"},
    SshdKeyword{"authorizedkeyscommand", Rest, kMatch, {}, "none"},
    SshdKeyword{"authorizedkeyscommanduser", Text, kMatch, {}, "none"},
    SshdKeyword{"authorizedkeysfile", List, kMatch, {}, ".ssh/authorized_keys .ssh/authorized_keys2"},
    SshdKeyword{"authorizedprincipalscommand", Rest, kMatch, {}, "none"},
    SshdKeyword{"authorizedprincipalscommanduser", Text, kMatch, {}, "none"},
    SshdKeyword{"authorizedprincipalsfile", Text, kMatch, {}, "none"},
    SshdKeyword{"banner", Text, kMatch, {}, "none"},
    SshdKeyword{"casignaturealgorithms", Algorithms, kMatch},
    SshdKeyword{"channeltimeout", List, kMatch},
    SshdKeyword{"chrootdirectory", Text, kMatch, {}, "none"},
    SshdKeyword{"ciphers", Algorithms, kGlobal},
    SshdKeyword{"clientalivecountmax", Number, kMatch, {}, "3"},
    SshdKeyword{"clientaliveinterval", Time, kMatch, {}, "0"},
    SshdKeyword{"compression", Choice, kGlobal, "yes delayed=yes no", "yes"},
    SshdKeyword{"debianbanner", Choice, kGlobal, kFlag},
    SshdKeyword{"denygroups", Collected, kMatch},
    SshdKeyword{"denyusers", Collected, kMatch},
    SshdKeyword{"disableforwarding", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"exposeauthinfo", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"fingerprinthash", Choice, kGlobal, "md5=MD5 sha256=SHA256"},
    SshdKeyword{"forcecommand", Rest, kMatch, {}, "none"},
    SshdKeyword{"gatewayports", Choice, kMatch, "clientspecified yes no", "no"},
    SshdKeyword{"gssapiauthentication", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"gssapicleanupcredentials", Choice, kGlobal, kFlag, "yes"},
    SshdKeyword{"gssapienablek5users", Choice, kMatch, kFlag},
    SshdKeyword{"gssapikexalgorithms", Algorithms, kGlobal},
    SshdKeyword{"gssapikeyexchange", Choice, kGlobal, kFlag, "no"},
    SshdKeyword{"gssapistorecredentialsonrekey", Choice, kGlobal, kFlag, "no"},
    SshdKeyword{"gssapistrictacceptorcheck", Choice, kGlobal, kFlag, "yes"},
    SshdKeyword{"hostbasedacceptedalgorithms", Algorithms, kMatch},
    SshdKeyword{"hostbasedauthentication", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"hostbasedusesnamefrompacketonly", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"hostcertificate", Collected, kGlobal},
    SshdKeyword{"hostkey", Collected, kGlobal},
    SshdKeyword{"hostkeyagent", Text, kGlobal, {}, "none"},
    SshdKeyword{"hostkeyalgorithms", Algorithms, kGlobal},
    SshdKeyword{"ignorerhosts", Choice, kMatch, "yes no shosts-only", "yes"},
    SshdKeyword{"ignoreuserknownhosts", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"ipqos", List, kMatch},
    SshdKeyword{"kbdinteractiveauthentication", Choice, kMatch, kFlag, "yes"},
    SshdKeyword{"kerberosauthentication", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"kerberosgetafstoken", Choice, kGlobal, kFlag},
    SshdKeyword{"kerberosorlocalpasswd", Choice, kGlobal, kFlag, "yes"},
    SshdKeyword{"kerberosticketcleanup", Choice, kGlobal, kFlag, "yes"},
    SshdKeyword{"kexalgorithms", Algorithms, kGlobal},
    SshdKeyword{"listenaddress", Collected, kGlobal},
    SshdKeyword{"logingracetime", Time, kGlobal, {}, "120"},
    SshdKeyword{"loglevel", Choice, kMatch, kLogLevels, "INFO"},
    SshdKeyword{"logverbose", Collected, kMatch},
    SshdKeyword{"macs", Algorithms, kGlobal},
    SshdKeyword{"maxauthtries", Number, kMatch, {}, "6"},
    SshdKeyword{"maxsessions", Number, kMatch, {}, "10"},
    SshdKeyword{"maxstartups", Startups, kGlobal, {}, "10:30:100"},
    SshdKeyword{"modulifile", Text, kGlobal},
    SshdKeyword{"passwordauthentication", Choice, kMatch, kFlag, "yes"},
    SshdKeyword{"permitemptypasswords", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"permitlisten", List, kMatch, {}, "any"},
    SshdKeyword{"permitopen", List, kMatch, {}, "any"},
    SshdKeyword{"permitrootlogin", Choice, kMatch,
                "without-password prohibit-password=without-password forced-commands-only yes no", "without-password"},
    SshdKeyword{"permittty", Choice, kMatch, kFlag, "yes"},
    SshdKeyword{"permittunnel", Choice, kMatch, "no point-to-point ethernet yes", "no"},
    SshdKeyword{"permituserenvironment", Text, kGlobal, {}, "no"},
    SshdKeyword{"permituserrc", Choice, kMatch, kFlag, "yes"},
    SshdKeyword{"persourcemaxstartups", Text, kGlobal, {}, "none"},
    SshdKeyword{"persourcenetblocksize", Text, kGlobal, {}, "32:128"},
    SshdKeyword{"persourcepenalties", Collected, kGlobal},
    SshdKeyword{"persourcepenaltyexemptlist", Text, kGlobal},
    SshdKeyword{"pidfile", Text, kGlobal},
    SshdKeyword{"port", Collected, kGlobal},
    SshdKeyword{"printlastlog", Choice, kGlobal, kFlag, "yes"},
    SshdKeyword{"printmotd", Choice, kGlobal, kFlag, "yes"},
    SshdKeyword{"protocol", Ignored, kGlobal},
    SshdKeyword{"pubkeyacceptedalgorithms", Algorithms, kMatch},
    SshdKeyword{"pubkeyauthentication", Choice, kMatch, kFlag, "yes"},
    SshdKeyword{"pubkeyauthoptions", Text, kMatch, {}, "none"},
    SshdKeyword{"rdomain", Text, kMatch},
    SshdKeyword{"rekeylimit", List, kMatch},
    SshdKeyword{"requiredrsasize", Number, kMatch},
    SshdKeyword{"refuseconnection", Choice, kMatch, kFlag},
    SshdKeyword{"revokedkeys", Text, kMatch, {}, "none"},
    SshdKeyword{"rsaminsize", Number, kMatch},
    SshdKeyword{"securitykeyprovider", Text, kGlobal},
    SshdKeyword{"setenv", List, kMatch},
    SshdKeyword{"sshdauthpath", Text, kGlobal},
    SshdKeyword{"sshdsessionpath", Text, kGlobal},
    SshdKeyword{"streamlocalbindmask", Octal, kMatch, {}, "0177"},
    SshdKeyword{"streamlocalbindunlink", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"strictmodes", Choice, kGlobal, kFlag, "yes"},
    SshdKeyword{"subsystem", Collected, kMatch},
    SshdKeyword{"syslogfacility", Choice, kGlobal, kFacilities, "AUTH"},
    SshdKeyword{"tcpkeepalive", Choice, kGlobal, kFlag, "yes"},
    SshdKeyword{"trustedusercakeys", Text, kMatch, {}, "none"},
    SshdKeyword{"unusedconnectiontimeout", Text, kMatch},
    SshdKeyword{"usedns", Choice, kGlobal, kFlag, "no"},
    SshdKeyword{"usepam", Choice, kGlobal, kFlag, "no"},
    SshdKeyword{"versionaddendum", Rest, kGlobal, {}, "none"},
    SshdKeyword{"x11displayoffset", Number, kMatch, {}, "10"},
    SshdKeyword{"x11forwarding", Choice, kMatch, kFlag, "no"},
    SshdKeyword{"x11uselocalhost", Choice, kMatch, kFlag, "yes"},
    SshdKeyword{"xauthlocation", Text, kGlobal},
    // Taken without effect by all versions of interest.
    SshdKeyword{"authorizedkeysfile2", Ignored, kMatch},
    SshdKeyword{"checkmail", Ignored, kGlobal},
    SshdKeyword{"keyregenerationinterval", Ignored, kGlobal},
    SshdKeyword{"pamauthenticationviakbdint", Ignored, kGlobal},
    SshdKeyword{"reversemappingcheck", Ignored, kGlobal},
    SshdKeyword{"rhostsauthentication", Ignored, kGlobal},
    SshdKeyword{"rhostsrsaauthentication", Ignored, kMatch},
    SshdKeyword{"rsaauthentication", Ignored, kMatch},
    SshdKeyword{"serverkeybits", Ignored, kGlobal},
    SshdKeyword{"uselogin", Ignored, kGlobal},
    SshdKeyword{"useprivilegeseparation", Ignored, kGlobal},
    SshdKeyword{"verifyreversemapping", Ignored, kGlobal},
};

struct Alias {
    std::string_view old;
    std::string_view name;
};
constexpr std::array kAliases{
    Alias{"challengeresponseauthentication", "kbdinteractiveauthentication"},
    Alias{"skeyauthentication", "kbdinteractiveauthentication"},
    Alias{"dsaauthentication", "pubkeyauthentication"},
    Alias{"hostdsakey", "hostkey"},
    Alias{"keepalive", "tcpkeepalive"},
    Alias{"hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"},
    Alias{"pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"},
};

constexpr std::string_view kClassicKex =
    "curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,"
    "diffie-hellman-group-exchange-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512,"
    "diffie-hellman-group14-sha256";

std::optional<std::string> choice(const SshdKeyword& keyword, const std::string& given)
{
    for (const auto word : words(keyword.choices)) {
        const auto equals = word.find('=');
        if (lower(given) == word.substr(0, equals)) {
            return std::string(equals == word.npos ? word : word.substr(equals + 1));
        }
    }
    return std::nullopt;
}

std::optional<std::string> startups(const std::string& given)
{
    const auto parts = split(given, ':');
    std::vector<int> numbers;
    for (const auto part : parts) {
        const auto number = parse_number<int>(part);
        if (!number) {
            return std::nullopt;
        }
        numbers.push_back(*number);
    }
    if (numbers.size() == 1 && numbers[0] > 0) {
        return given + ":30:" + given;
    }
    const bool is_good =
        numbers.size() == 3 && numbers[0] > 0 && numbers[0] <= numbers[2] && numbers[1] >= 1 && numbers[1] <= 100;
    return is_good ? std::optional(given) : std::nullopt;
}

std::optional<std::string> number(const std::string& given)
{
    const auto value = parse_number<int>(given.starts_with('+') ? given.substr(1) : given);
    return value ? std::optional(std::to_string(*value)) : std::nullopt;
}

std::optional<std::string> octal(const std::string& given)
{
    const auto value = parse_number<unsigned>(given, 8);
    if (!value || *value > 0777) {
        return std::nullopt;
    }
    std::string digits;
    for (unsigned rest = *value; rest != 0; rest /= 8) {
        digits.insert(digits.begin(), static_cast<char>('0' + rest % 8));
    }
    return "0" + digits;
}

int minor_of(std::string_view version)
{
    const auto parts = split(version, '.');
    const auto major = parse_number<int>(parts[0]);
    const auto minor = parts.size() > 1 ? parse_number<int>(parts[1]) : std::nullopt;
    return major && minor ? *major * 100 + *minor : 0;
}

} // namespace

const SshdKeyword* find_sshd_keyword(std::string_view name)
{
    const auto alias = std::ranges::find(kAliases, name, &Alias::old);
    const auto wanted = alias == kAliases.end() ? name : alias->name;
    const auto found = std::ranges::find(kKeywords, wanted, &SshdKeyword::name);
    return found == kKeywords.end() ? nullptr : &*found;
}

std::vector<std::pair<std::string_view, std::string_view>> sshd_defaults()
{
    std::vector<std::pair<std::string_view, std::string_view>> defaults;
    for (const auto& keyword : kKeywords) {
        if (!keyword.by_default.empty()) {
            defaults.emplace_back(keyword.name, keyword.by_default);
        }
    }
    return defaults;
}

std::optional<long long> sshd_seconds(std::string_view text)
{
    constexpr long long kMax = std::numeric_limits<int>::max();
    long long total = 0;
    if (text.empty()) {
        return std::nullopt;
    }
    while (!text.empty()) {
        const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
        const auto value = parse_number<int>(text.substr(0, digits));
        if (!value) {
            return std::nullopt;
        }
        text.remove_prefix(digits);
        long long unit = 1;
        if (!text.empty()) {
            constexpr std::string_view kUnits = "smhdw";
            constexpr std::array<long long, 5> kSeconds{1, 60, 3600, 86400, 604800};
            const auto at = kUnits.find(static_cast<char>(text[0] | 0x20)); // either case
            if (at == kUnits.npos) {
                return std::nullopt;
            }
            unit = kSeconds.at(at);
            text.remove_prefix(1);
        }
        total += *value * unit;
        if (total > kMax) {
            return std::nullopt;
        }
    }
    return total;
}

std::optional<std::string> normal_sshd_value(const SshdKeyword& keyword, const std::vector<std::string>& arguments,
                                             std::string_view rest)
{
    if (keyword.kind == Ignored) {
        return "";
    }
    if (keyword.kind == Rest) {
        return std::string(rest);
    }
    if (arguments.empty() || arguments[0].empty()) {
        return std::nullopt;
    }
    const bool is_list = keyword.kind == List || keyword.kind == Collected;
    if (arguments.size() > 1 && !is_list) {
        return std::nullopt;
    }
    switch (keyword.kind) {
    case Choice: return choice(keyword, arguments[0]);
    case Number: return number(arguments[0]);
    case Time: {
        const auto seconds = sshd_seconds(arguments[0]);
        return seconds ? std::optional(std::to_string(*seconds)) : std::nullopt;
    }
    case Octal: return octal(arguments[0]);
    case Startups: return startups(arguments[0]);
    case Text:
    case Algorithms: return arguments[0];
    case List:
    case Collected: return joined(arguments, " ");
    case Rest:
    case Ignored: break;
    }
    return std::nullopt;
}

std::string sshd_algorithms(std::string_view keyword, std::string_view version)
{
    const int release = minor_of(version); // 9.2 -> 902
    if (release < 805) {
        return "";
    }
    if (keyword == "ciphers") {
        return release >= 1000 ? "chacha20-poly1305@openssh.com,aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
                                 "aes128-ctr,aes192-ctr,aes256-ctr"
                               : "chacha20-poly1305@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr,"
                                 "aes128-gcm@openssh.com,aes256-gcm@openssh.com";
    }
    if (keyword == "macs") {
        return "umac-64-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-256-etm@openssh.com,"
               "hmac-sha2-512-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-64@openssh.com,umac-128@openssh.com,"
               "hmac-sha2-256,hmac-sha2-512,hmac-sha1";
    }
    if (keyword != "kexalgorithms") {
        return "";
    }
    std::string list(kClassicKex);
    list.insert(0, release >= 900 ? "sntrup761x25519-sha512@openssh.com," : "");
    list.insert(0, release >= 909 ? "mlkem768x25519-sha256,sntrup761x25519-sha512," : "");
    return list;
}

std::string assemble_algorithms(std::string_view setting, std::string_view defaults)
{
    const char how = setting.empty() ? '\0' : setting[0];
    if (how != '+' && how != '-' && how != '^') {
        return std::string(setting);
    }
    const auto given = setting.substr(1);
    std::vector<std::string_view> names;
    const auto add = [&](std::string_view list) {
        for (const auto name : split(list, ',')) {
            const bool is_wanted = !name.empty() && (how != '-' || match_pattern_list(name, given) <= 0);
            if (is_wanted && std::ranges::find(names, name) == names.end()) {
                names.push_back(name);
            }
        }
    };
    add(how == '^' ? given : defaults);
    add(how == '^' ? defaults : how == '+' ? given : "");
    std::string list;
    for (const auto name : names) {
        list += (list.empty() ? "" : ",") + std::string(name);
    }
    return list;
}

} // namespace hostward::hardening
