// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/pins.h"

#include "agent/base/text.h"
#include "agent/guard/bpf_objects.h"
#include "ebpf/abi/guard.h"

#include <bpf/bpf.h>

#include <dirent.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <memory>

namespace hostward::guard {

namespace {

struct CloseDir {
    void operator()(DIR* dir) const { (void)::closedir(dir); } // reading is over: nothing to lose
};

} // namespace

PinPaths pin_paths(const std::string& pin_dir)
{
    const std::string current = pin_dir + "/v" + std::to_string(HW_ABI_VERSION);
    return PinPaths{pin_dir, current, current + "_new"};
}

Status prepare_pin_dir(const PinPaths& paths)
{
    if (::mkdir(paths.base.c_str(), 0700) < 0 && errno != EEXIST) {
        const int error = errno;
        return system_error(error, "cannot create pin directory " + quote(paths.base));
    }
    struct statfs info {};
    if (::statfs(paths.base.c_str(), &info) < 0) {
        const int error = errno;
        return system_error(error, "cannot look at pin directory " + quote(paths.base));
    }
    if (static_cast<unsigned long>(info.f_type) != BPF_FS_MAGIC) {
        (void)::rmdir(paths.base.c_str()); // only if we just made it: rmdir refuses a directory in use
        return Error{ErrorKind::Unsupported, 0,
                     "pin directory " + quote(paths.base) +
                         " is not on a bpf file system: mount one, for example mount -t bpf bpf /sys/fs/bpf"};
    }
    return success();
}

std::vector<std::string> list_pins(const std::string& directory)
{
    std::vector<std::string> names;
    const std::unique_ptr<DIR, CloseDir> dir(::opendir(directory.c_str()));
    while (dir) {
        const dirent* entry = ::readdir(dir.get());
        if (entry == nullptr) {
            break;
        }
        const std::string name = static_cast<const char*>(entry->d_name);
        if (name != "." && name != "..") {
            names.push_back(name);
        }
    }
    return names;
}

std::vector<std::string> other_versions(const PinPaths& paths)
{
    std::vector<std::string> found;
    for (const auto& name : list_pins(paths.base)) {
        const std::string path = paths.base + "/" + name;
        if (name.starts_with("v") && path != paths.current) {
            found.push_back(path);
        }
    }
    return found;
}

Status remove_pins(const std::string& directory)
{
    for (const auto& name : list_pins(directory)) {
        const std::string path = directory + "/" + name;
        if (::unlink(path.c_str()) < 0 && errno != ENOENT) {
            const int error = errno;
            return system_error(error, "cannot remove pin " + quote(path));
        }
    }
    if (::rmdir(directory.c_str()) < 0 && errno != ENOENT) {
        const int error = errno;
        return system_error(error, "cannot remove pin directory " + quote(directory));
    }
    return success();
}

Result<UniqueFd> open_pin(const std::string& path, bool read_only)
{
    struct bpf_obj_get_opts options {}; // the function has the same name
    options.sz = sizeof(options);
    options.file_flags = read_only ? BPF_F_RDONLY : 0;
    const int fd = ::bpf_obj_get_opts(path.c_str(), &options);
    if (fd < 0) {
        return system_error(-fd, "cannot open pin " + quote(path));
    }
    return UniqueFd(fd);
}

std::uint32_t pinned_program_id(const std::string& path)
{
    const auto program = open_pin(path);
    bpf_prog_info info{};
    std::uint32_t size = sizeof(info);
    if (!program || ::bpf_obj_get_info_by_fd(program->get(), &info, &size) < 0) {
        return 0;
    }
    return info.id;
}

std::set<std::uint32_t> pinned_tc_programs(const std::string& directory)
{
    std::set<std::uint32_t> ids;
    for (const auto& program : program_names(ObjectId::Tc)) {
        if (const auto id = pinned_program_id(directory + "/prog_" + program); id != 0) {
            ids.insert(id);
        }
    }
    return ids;
}

Status pin(int fd, const std::string& path)
{
    const int error = ::bpf_obj_pin(fd, path.c_str());
    if (error < 0) {
        return system_error(-error, "cannot pin " + quote(path));
    }
    return success();
}

} // namespace hostward::guard
