// SPDX-License-Identifier: Apache-2.0
// How dpkg (deb-version(7)) and rpm (rpm-version(7)) order versions.
#include "hardening/models/packages.h"

#include <algorithm>

namespace hostward::hardening {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view take_while(std::string_view& rest, bool (*wanted)(char))
{
    const auto end = std::ranges::find_if_not(rest, wanted);
    const auto taken = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    rest.remove_prefix(taken.size());
    return taken;
}

/// Digits as numbers of any length; none is 0.
int compare_digits(std::string_view left, std::string_view right)
{
    left.remove_prefix(std::min(left.find_first_not_of('0'), left.size()));
    right.remove_prefix(std::min(right.find_first_not_of('0'), right.size()));
    if (left.size() != right.size()) {
        return left.size() < right.size() ? -1 : 1;
    }
    return left.compare(right);
}

/// dpkg's order of one character: `~` before the end, the end before letters, letters before the rest.
int dpkg_order(std::string_view rest)
{
    constexpr int kAfterLetters = 256;
    if (rest.empty() || is_digit(rest[0])) {
        return 0;
    }
    if (rest[0] == '~') {
        return -1;
    }
    const int value = static_cast<unsigned char>(rest[0]);
    return is_letter(rest[0]) ? value : value + kAfterLetters;
}

int compare_dpkg_part(std::string_view left, std::string_view right)
{
    while (!left.empty() || !right.empty()) {
        while ((!left.empty() && !is_digit(left[0])) || (!right.empty() && !is_digit(right[0]))) {
            const int difference = dpkg_order(left) - dpkg_order(right);
            if (difference != 0) {
                return difference;
            }
            left.remove_prefix(left.empty() ? 0 : 1);
            right.remove_prefix(right.empty() ? 0 : 1);
        }
        const int difference = compare_digits(take_while(left, is_digit), take_while(right, is_digit));
        if (difference != 0) {
            return difference;
        }
    }
    return 0;
}

struct Parts {
    std::string_view epoch;
    std::string_view version;
    std::string_view release;
};

Parts parts_of(std::string_view text)
{
    Parts parts;
    if (const auto colon = text.find(':'); colon != text.npos) {
        parts.epoch = text.substr(0, colon);
        text.remove_prefix(colon + 1);
    }
    const auto dash = text.rfind('-');
    parts.version = text.substr(0, dash);
    parts.release = dash == text.npos ? std::string_view{} : text.substr(dash + 1);
    return parts;
}

bool is_rpm_separator(char c) { return !is_digit(c) && !is_letter(c) && c != '~' && c != '^'; }

/// `mark` at the start of both: taken from both, 0. Of one only: `side` for the left one, -`side` for the right one.
int compare_mark(std::string_view& left, std::string_view& right, char mark, int side)
{
    const bool on_left = left.starts_with(mark);
    const bool on_right = right.starts_with(mark);
    if (on_left && on_right) {
        left.remove_prefix(1);
        right.remove_prefix(1);
        return 0;
    }
    if (mark == '^' && (on_left ? right.empty() : left.empty())) {
        side = -side; // after the end a caret is newer, before anything else it is older
    }
    return on_left ? side : -side;
}

/// A run of digits or letters of both, whichever the left one begins with.
int compare_rpm_segment(std::string_view& left, std::string_view& right)
{
    const bool is_number = is_digit(left[0]);
    const auto a = take_while(left, is_number ? is_digit : is_letter);
    const auto b = take_while(right, is_number ? is_digit : is_letter);
    if (b.empty()) {
        return is_number ? 1 : -1; // numbers are newer than letters
    }
    return is_number ? compare_digits(a, b) : a.compare(b);
}

int compare_rpm_part(std::string_view left, std::string_view right)
{
    while (!left.empty() || !right.empty()) {
        (void)take_while(left, is_rpm_separator); // separators only separate
        (void)take_while(right, is_rpm_separator);
        bool again = false;
        for (const char mark : {'~', '^'}) {
            if (left.starts_with(mark) || right.starts_with(mark)) {
                const int difference = compare_mark(left, right, mark, -1);
                if (difference != 0) {
                    return difference;
                }
                again = true;
                break;
            }
        }
        if (again) {
            continue;
        }
        if (left.empty() || right.empty()) {
            break;
        }
        const int difference = compare_rpm_segment(left, right);
        if (difference != 0) {
            return difference;
        }
    }
    return left.empty() == right.empty() ? 0 : (left.empty() ? -1 : 1);
}

} // namespace

int compare_dpkg(std::string_view left, std::string_view right)
{
    const Parts a = parts_of(left);
    const Parts b = parts_of(right);
    if (const int difference = compare_digits(a.epoch, b.epoch); difference != 0) {
        return difference;
    }
    const int difference = compare_dpkg_part(a.version, b.version);
    return difference != 0 ? difference : compare_dpkg_part(a.release, b.release);
}

int compare_rpm(std::string_view left, std::string_view right)
{
    const Parts a = parts_of(left);
    const Parts b = parts_of(right);
    if (const int difference = compare_digits(a.epoch, b.epoch); difference != 0) {
        return difference;
    }
    const int difference = compare_rpm_part(a.version, b.version);
    if (difference != 0 || a.release.empty() || b.release.empty()) {
        return difference;
    }
    return compare_rpm_part(a.release, b.release);
}

} // namespace hostward::hardening
