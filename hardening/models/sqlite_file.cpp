// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/sqlite_file.h"

#include "agent/base/text.h"

#include <sqlite3.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace hostward::hardening {

namespace {

constexpr auto kName = "hostward-descriptor";
constexpr int kPathBytesMax = 32; ///< of "N", and what SQLite appends for files that this one never has

struct OneFile : sqlite3_file {
    int fd;
};

int descriptor_of(sqlite3_file* file) { return static_cast<OneFile*>(file)->fd; }

int close_file(sqlite3_file* /*file*/) { return SQLITE_OK; } // the caller's

int read_file(sqlite3_file* file, void* into, int amount, sqlite3_int64 offset)
{
    auto* bytes = static_cast<char*>(into);
    const auto wanted = static_cast<std::size_t>(amount);
    std::size_t done = 0;
    while (done < wanted) {
        const ssize_t got =
            ::pread(descriptor_of(file), bytes + done, wanted - done, offset + static_cast<sqlite3_int64>(done));
        if (got < 0 && errno != EINTR) {
            return SQLITE_IOERR_READ;
        }
        if (got == 0) {
            std::fill(bytes + done, bytes + wanted, '\0'); // as SQLite wants it
            return SQLITE_IOERR_SHORT_READ;
        }
        done += static_cast<std::size_t>(std::max<ssize_t>(got, 0));
    }
    return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size)
{
    struct stat status = {};
    if (::fstat(descriptor_of(file), &status) != 0) {
        return SQLITE_IOERR_FSTAT;
    }
    *size = status.st_size;
    return SQLITE_OK;
}

const sqlite3_io_methods& methods()
{
    static const sqlite3_io_methods table = [] {
        sqlite3_io_methods made = {};
        made.iVersion = 1;
        made.xClose = close_file;
        made.xRead = read_file;
        made.xWrite = [](sqlite3_file*, const void*, int, sqlite3_int64) { return SQLITE_READONLY; };
        made.xTruncate = [](sqlite3_file*, sqlite3_int64) { return SQLITE_READONLY; };
        made.xSync = [](sqlite3_file*, int) { return SQLITE_OK; };
        made.xFileSize = file_size;
        made.xLock = [](sqlite3_file*, int) { return SQLITE_OK; };
        made.xUnlock = [](sqlite3_file*, int) { return SQLITE_OK; };
        made.xCheckReservedLock = [](sqlite3_file*, int* is_locked) {
            *is_locked = 0;
            return SQLITE_OK;
        };
        made.xFileControl = [](sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; };
        made.xSectorSize = [](sqlite3_file*) { return 0; }; // SQLite's default
        made.xDeviceCharacteristics = [](sqlite3_file*) { return SQLITE_IOCAP_IMMUTABLE; };
        return made;
    }();
    return table;
}

int open_file(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags)
{
    file->pMethods = nullptr; // not open
    const auto fd = name != nullptr ? parse_number<int>(name) : std::nullopt;
    if (!fd || (flags & SQLITE_OPEN_MAIN_DB) == 0) {
        return SQLITE_CANTOPEN; // a journal or a temporary file: reading needs none
    }
    static_cast<OneFile*>(file)->fd = *fd;
    file->pMethods = &methods();
    if (out_flags != nullptr) {
        *out_flags = SQLITE_OPEN_READONLY;
    }
    return SQLITE_OK;
}

int keep_name(sqlite3_vfs* /*vfs*/, const char* name, int bytes_max, char* out)
{
    const std::size_t size = std::strlen(name) + 1;
    if (size > static_cast<std::size_t>(bytes_max)) {
        return SQLITE_CANTOPEN;
    }
    std::copy_n(name, size, out);
    return SQLITE_OK;
}

int say_absent(sqlite3_vfs* /*vfs*/, const char* /*name*/, int /*flags*/, int* is_there)
{
    *is_there = 0;
    return SQLITE_OK;
}

} // namespace

Result<const char*> sqlite_descriptor_vfs()
{
    // SQLite keeps the address. The clock, the sleep and the random numbers are its own.
    static sqlite3_vfs vfs = [] {
        const sqlite3_vfs* own = ::sqlite3_vfs_find(nullptr);
        sqlite3_vfs made = own != nullptr ? *own : sqlite3_vfs{};
        made.zName = kName;
        made.szOsFile = sizeof(OneFile);
        made.mxPathname = kPathBytesMax;
        made.xOpen = open_file;
        made.xFullPathname = keep_name;
        made.xAccess = say_absent;
        made.xDelete = [](sqlite3_vfs*, const char*, int) { return SQLITE_READONLY; };
        return made;
    }();
    static const int status = ::sqlite3_vfs_register(&vfs, 0);
    if (status != SQLITE_OK || vfs.xRandomness == nullptr) {
        return Error{ErrorKind::System, 0, "SQLite does not start"};
    }
    return kName;
}

} // namespace hostward::hardening
