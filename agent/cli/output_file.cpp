// SPDX-License-Identifier: Apache-2.0
#include "agent/cli/output_file.h"

#include "agent/base/text.h"
#include "agent/base/unique_fd.h"
#include "agent/cli/output.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace hostward::cli {

namespace {

constexpr mode_t kMode = 0644;

/// A file beside its later name, gone unless it got that name.
class Draft {
public:
    static Result<Draft> make(const std::string& path)
    {
        std::string name = path + ".XXXXXX";
        UniqueFd fd(::mkostemp(name.data(), O_CLOEXEC));
        if (!fd) {
            const int error_number = errno;
            return system_error(error_number, "cannot make a file beside " + quote(path));
        }
        return Draft(std::move(name), std::move(fd));
    }
    ~Draft()
    {
        if (!name_.empty()) {
            (void)::unlink(name_.c_str()); // after an error that is reported
        }
    }
    Draft(Draft&& other) noexcept : name_(std::exchange(other.name_, "")), fd_(std::move(other.fd_)) {}
    Draft& operator=(Draft&&) = delete;

    Status fill(const std::string& path, std::string_view text)
    {
        if (::fchmod(fd_.get(), kMode) < 0) {
            const int error_number = errno;
            return system_error(error_number, "cannot set the mode of " + quote(path));
        }
        Output out(fd_.release());
        out.print(text);
        const bool is_synced = out.failed() || ::fsync(out.fd()) == 0;
        const int error_number = errno;
        TRY(out.finish());
        if (!is_synced) {
            return system_error(error_number, "cannot write " + quote(path));
        }
        return success();
    }

    Status publish(const std::string& path, bool replace)
    {
        const int failed = replace ? ::rename(name_.c_str(), path.c_str()) : ::link(name_.c_str(), path.c_str());
        const int error_number = errno;
        if (failed != 0 && error_number == EEXIST) {
            return Error{ErrorKind::Conflict, EEXIST, quote(path) + " exists; --force replaces it"};
        }
        if (failed != 0) {
            return system_error(error_number, "cannot make " + quote(path));
        }
        if (replace) {
            name_.clear(); // it is the file now
        }
        return success();
    }

private:
    Draft(std::string name, UniqueFd fd) : name_(std::move(name)), fd_(std::move(fd)) {}
    std::string name_;
    UniqueFd fd_;
};

} // namespace

Status write_new_file(const std::string& path, std::string_view text, bool replace)
{
    TRY_ASSIGN(Draft draft, Draft::make(path));
    TRY(draft.fill(path, text));
    return draft.publish(path, replace);
}

} // namespace hostward::cli
