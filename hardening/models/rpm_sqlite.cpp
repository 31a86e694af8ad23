// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/rpm_sqlite.h"

#include "agent/base/text.h"
#include "hardening/models/sqlite_file.h"

#include <sqlite3.h>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>

namespace hostward::hardening {

namespace {

constexpr int kBusyTimeoutMs = 2000; // rpm holds its lock for as long as one transaction writes
/// Of one header. The largest packages have some 10 MiB of file names.
constexpr int kBlobBytesMax = 64 << 20;

struct CloseDatabase {
    void operator()(sqlite3* database) const { (void)::sqlite3_close(database); } // read only: nothing to lose
};
struct FinishStatement {
    void operator()(sqlite3_stmt* statement) const { (void)::sqlite3_finalize(statement); } // its error was read before
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinishStatement>;

Error database_error(sqlite3* database, const std::string& what, const std::string& path)
{
    return Error{ErrorKind::System, 0,
                 what + " " + quote(path) + ": " + (database != nullptr ? ::sqlite3_errmsg(database) : "no memory")};
}

/// The file itself, found inside the root. Opening another kind of file could wait for ever.
Result<UniqueFd> open_file(const host::Host& host, const std::string& path)
{
    TRY_ASSIGN(const UniqueFd root, host.open_root());
    open_how how = {};
    how.flags = O_PATH | O_CLOEXEC;
    how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
    const UniqueFd found(static_cast<int>(::syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof(how))));
    struct stat status = {};
    if (!found || ::fstat(found.get(), &status) != 0) {
        return system_error(errno, "opening " + quote(path));
    }
    if (!S_ISREG(status.st_mode)) {
        return invalid_error(quote(path) + " is not a regular file");
    }
    const std::string same = "/proc/self/fd/" + std::to_string(found.get());
    UniqueFd file(::open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!file) {
        return system_error(errno, "opening " + quote(path));
    }
    return file;
}

Result<bool> has_log(const host::Host& host, const std::string& path)
{
    const auto log = host.facts(path + "-wal");
    if (!log && log.error().kind != ErrorKind::NotFound) {
        return log.error();
    }
    return log.ok() && log->size > 0;
}

/// `file`: the database alone, as it is. Without it the path with its log: of the running host only, whose root SQLite
/// shares with us.
Result<Database> open_database(const UniqueFd* file, const std::string& path)
{
    TRY_ASSIGN(const char* descriptors, sqlite_descriptor_vfs());
    const std::string uri =
        file != nullptr ? "file:" + std::to_string(file->get()) + "?immutable=1" : "file:" + path + "?mode=ro";
    constexpr int kFlags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    sqlite3* raw = nullptr;
    const int status = ::sqlite3_open_v2(uri.c_str(), &raw, kFlags, file != nullptr ? descriptors : nullptr);
    Database database(raw);
    if (status != SQLITE_OK) {
        return database_error(raw, "opening", path);
    }
    (void)::sqlite3_busy_timeout(raw, kBusyTimeoutMs); // without it we only give up sooner
    (void)::sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, kBlobBytesMax);
    return database;
}

Status read_rows(sqlite3* database, const std::string& path, const std::function<Status(std::string_view)>& each)
{
    sqlite3_stmt* raw = nullptr;
    if (::sqlite3_prepare_v2(database, "SELECT blob FROM Packages", -1, &raw, nullptr) != SQLITE_OK) {
        return database_error(database, "reading", path);
    }
    const Statement statement(raw);
    while (true) {
        const int step = ::sqlite3_step(raw);
        if (step == SQLITE_DONE) {
            return success();
        }
        if (step != SQLITE_ROW) {
            return database_error(database, "reading", path);
        }
        const void* bytes = ::sqlite3_column_blob(raw, 0);
        const auto size = static_cast<std::size_t>(::sqlite3_column_bytes(raw, 0));
        TRY(each(std::string_view(static_cast<const char*>(bytes), bytes == nullptr ? 0 : size)));
    }
}

} // namespace

Status for_each_rpm_blob(const host::Host& host, const std::string& path,
                         const std::function<Status(std::string_view blob)>& each)
{
    TRY_ASSIGN(const UniqueFd file, open_file(host, path));
    TRY_ASSIGN(const bool is_logged, has_log(host, path));
    if (is_logged && !host.is_running()) {
        return Error{ErrorKind::Unsupported, 0,
                     quote(path + "-wal") + " holds changes that are not in the database yet: an rpm was interrupted; "
                                            "\"rpm -qa\" in the image finishes it"};
    }
    TRY_ASSIGN(const auto before, host.facts(path));
    TRY_ASSIGN(const Database database, open_database(is_logged ? nullptr : &file, path));
    TRY(read_rows(database.get(), path, each));
    TRY_ASSIGN(const auto after, host.facts(path));
    if (!is_logged && (before.modified_s != after.modified_s || before.size != after.size)) {
        return Error{ErrorKind::Conflict, 0, quote(path) + " changed while it was read"};
    }
    return success();
}

} // namespace hostward::hardening
