// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/rpm.h"

#include "agent/base/text.h"
#include "hardening/models/rpm_sqlite.h"

#include <array>
#include <set>

namespace hostward::hardening {

namespace {

/// Where distributions keep it; the same database where one is a link to the other.
constexpr std::array kFolders{"/usr/lib/sysimage/rpm", "/var/lib/rpm"};
constexpr std::size_t kNdbBytesMax = std::size_t{512} << 20;
constexpr std::uint32_t kHeaderEntriesMax = 0xffff; // rpm's own limit
constexpr std::uint32_t kHeaderBytesMax = 0x0fffffff;

enum Tag : std::uint32_t { kName = 1000, kVersion = 1001, kRelease = 1002, kEpoch = 1003, kArchitecture = 1022 };
enum Type : std::uint32_t { kInt32 = 4, kString = 6 };

std::uint32_t byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

std::uint32_t big_endian(std::string_view text, std::size_t at)
{
    return byte_at(text, at) << 24U | byte_at(text, at + 1) << 16U | byte_at(text, at + 2) << 8U |
           byte_at(text, at + 3);
}

std::uint32_t little_endian(std::string_view text, std::size_t at)
{
    return byte_at(text, at + 3) << 24U | byte_at(text, at + 2) << 16U | byte_at(text, at + 1) << 8U |
           byte_at(text, at);
}

struct Header {
    std::string name;
    std::string version;
    std::string release;
    std::string architecture;
    std::optional<std::uint32_t> epoch;
};

Status take_string(std::string_view data, std::uint32_t type, std::string& out)
{
    const auto end = data.find('\0');
    if (type != kString || end == data.npos) {
        return invalid_error("an rpm header has a broken text");
    }
    out = data.substr(0, end);
    return success();
}

/// `data`: from the entry's offset to the end of the header.
Status take_entry(std::uint32_t tag, std::uint32_t type, std::string_view data, Header& out)
{
    switch (tag) {
    case kName: return take_string(data, type, out.name);
    case kVersion: return take_string(data, type, out.version);
    case kRelease: return take_string(data, type, out.release);
    case kArchitecture: return take_string(data, type, out.architecture);
    case kEpoch:
        if (type != kInt32 || data.size() < 4) {
            return invalid_error("an rpm header has a broken epoch");
        }
        out.epoch = big_endian(data, 0);
        return success();
    default: return success();
    }
}

Status take_all(const host::Host& host, const std::string& path, bool is_sqlite, Packages& out)
{
    const auto each = [&](std::string_view blob) -> Status {
        auto package = parse_rpm_header(blob);
        if (!package) {
            return package.error().in(quote(path));
        }
        package->origin = Origin{path, 0};
        std::string name = package->name;
        out.all.emplace(std::move(name), package.take());
        return success();
    };
    if (is_sqlite) {
        return for_each_rpm_blob(host, path, each);
    }
    TRY_ASSIGN(const std::string text, host.read(path, kNdbBytesMax));
    auto blobs = parse_ndb(text);
    if (!blobs) {
        return blobs.error().in(quote(path));
    }
    for (const auto blob : *blobs) {
        TRY(each(blob));
    }
    return success();
}

/// The database of one folder. False: none there.
Result<bool> read_folder(const host::Host& host, const std::string& folder, Packages& out)
{
    for (const auto* name : {"rpmdb.sqlite", "Packages.db"}) {
        const std::string path = folder + "/" + name;
        TRY_ASSIGN(const bool is_there, host::exists(host, path));
        if (is_there) {
            TRY(take_all(host, path, std::string_view(name) == "rpmdb.sqlite", out));
            out.databases.push_back(path);
            return true;
        }
    }
    TRY_ASSIGN(const bool is_berkeley, host::exists(host, folder + "/Packages"));
    if (is_berkeley) {
        return Error{ErrorKind::Unsupported, 0,
                     quote(folder + "/Packages") + " is a Berkeley DB of an rpm before 4.16, which is not read; "
                                                   "\"rpmdb --rebuilddb\" of a newer rpm converts it"};
    }
    return false;
}

} // namespace

Result<Package> parse_rpm_header(std::string_view blob)
{
    constexpr std::size_t kPreamble = 8;
    constexpr std::size_t kEntry = 16;
    if (blob.size() < kPreamble) {
        return invalid_error("an rpm header is too short");
    }
    const std::uint32_t entries = big_endian(blob, 0);
    const std::uint32_t bytes = big_endian(blob, 4);
    if (entries > kHeaderEntriesMax || bytes > kHeaderBytesMax ||
        blob.size() != kPreamble + entries * kEntry + std::size_t{bytes}) {
        return invalid_error("an rpm header does not have the size that it says");
    }
    const std::string_view data = blob.substr(kPreamble + entries * kEntry);
    Header header;
    for (std::size_t i = 0; i < entries; ++i) {
        const std::size_t at = kPreamble + i * kEntry;
        const std::uint32_t offset = big_endian(blob, at + 8);
        // Offsets of rpm's own bookkeeping tags may be negative; those we want never are.
        const std::string_view rest = offset < data.size() ? data.substr(offset) : std::string_view{};
        TRY(take_entry(big_endian(blob, at), big_endian(blob, at + 4), rest, header));
    }
    if (header.name.empty() || header.version.empty()) {
        return invalid_error("an rpm header has no name or no version");
    }
    Package package;
    package.name = std::move(header.name);
    package.architecture = std::move(header.architecture);
    package.version = (header.epoch ? std::to_string(*header.epoch) + ":" : "") + header.version +
                      (header.release.empty() ? "" : "-" + header.release);
    package.manager = PackageManager::Rpm;
    return package;
}

Result<std::vector<std::string_view>> parse_ndb(std::string_view text)
{
    constexpr std::size_t kPage = 4096;
    constexpr std::size_t kHead = 32;
    constexpr std::size_t kSlot = 16;
    constexpr std::size_t kBlock = 16;
    if (text.size() < kPage || !text.starts_with("RpmP") || little_endian(text, 4) != 0) {
        return invalid_error("is no rpm database of the kind ndb");
    }
    const std::size_t slots_end = std::size_t{little_endian(text, 12)} * kPage;
    if (slots_end > text.size()) {
        return invalid_error("has fewer pages than it says");
    }
    std::vector<std::string_view> blobs;
    for (std::size_t at = kHead; at + kSlot <= slots_end; at += kSlot) {
        if (text.substr(at, 4) != "Slot") {
            return invalid_error("has a broken slot at byte " + std::to_string(at));
        }
        const std::uint32_t package = little_endian(text, at + 4);
        const std::size_t start = std::size_t{little_endian(text, at + 8)} * kBlock;
        if (package == 0) {
            continue; // free
        }
        const bool is_blob = start >= slots_end && start + kBlock <= text.size() && text.substr(start, 4) == "BlbS" &&
                             little_endian(text, start + 4) == package;
        const std::size_t size = is_blob ? little_endian(text, start + 12) : 0;
        if (!is_blob || size > text.size() - start - kBlock) {
            return invalid_error("has a broken package " + std::to_string(package));
        }
        blobs.push_back(text.substr(start + kBlock, size));
    }
    return blobs;
}

Status read_rpm(const host::Host& host, Packages& out)
{
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    for (const auto* folder : kFolders) {
        const auto facts = host.facts(folder);
        if (!facts && facts.error().kind == ErrorKind::NotFound) {
            continue;
        }
        if (!facts) {
            return facts.error();
        }
        if (seen.emplace(facts->device, facts->inode).second) {
            TRY_ASSIGN(const bool is_there, read_folder(host, folder, out));
            if (is_there) {
                return success();
            }
        }
    }
    return success();
}

} // namespace hostward::hardening
