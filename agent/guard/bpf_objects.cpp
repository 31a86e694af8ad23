// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/bpf_objects.h"

#include "guard.skel.h"
#include "guard_lsm.skel.h"
#include "guard_seal.skel.h"
#include "guard_tc.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <fcntl.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <span>

namespace hostward::guard {

namespace {

constexpr std::size_t kLogKept = 600; // bytes of libbpf's last words that an error carries

std::string& log_text()
{
    // libbpf has one print callback for the whole process and no context argument.
    static std::string text;
    return text;
}

__attribute__((format(printf, 2, 0))) int keep_message(libbpf_print_level level, const char* format, va_list args)
{
    if (level == LIBBPF_DEBUG) {
        return 0;
    }
    va_list again;
    va_copy(again, args);
    const int size = std::vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (size > 0) {
        // A verifier's log has megabytes; what matters stands at its end.
        std::string line(static_cast<std::size_t>(size) + 1, '\0');
        (void)std::vsnprintf(line.data(), line.size(), format, args); // measured just now
        line.pop_back();
        std::string& text = log_text();
        text += line;
        if (text.size() > kLogKept) {
            text.erase(0, text.size() - kLogKept);
        }
    }
    return size;
}

std::span<const char> object_bytes(ObjectId id)
{
    std::size_t size = 0;
    const void* bytes = nullptr;
    switch (id) {
    case ObjectId::Guard: bytes = guard_bpf__elf_bytes(&size); break;
    case ObjectId::Tc: bytes = guard_tc_bpf__elf_bytes(&size); break;
    case ObjectId::Lsm: bytes = guard_lsm_bpf__elf_bytes(&size); break;
    case ObjectId::Seal: bytes = guard_seal_bpf__elf_bytes(&size); break;
    }
    return {static_cast<const char*>(bytes), size};
}

const char* object_name(ObjectId id)
{
    switch (id) {
    case ObjectId::Guard: return "hostward_guard";
    case ObjectId::Tc: return "hostward_tc";
    case ObjectId::Lsm: return "hostward_lsm";
    case ObjectId::Seal: return "hostward_seal";
    }
    return "";
}

} // namespace

const std::vector<std::string>& program_names(ObjectId id)
{
    static const std::vector<std::string> guard{"guard_connect4", "guard_connect6", "guard_sendmsg4", "guard_sendmsg6",
                                                "guard_egress"};
    static const std::vector<std::string> tc{"guard_tc_ether", "guard_tc_ip"};
    static const std::vector<std::string> lsm{"guard_socket_create", "guard_setsockopt", "guard_ptrace", "guard_exec",
                                              "guard_file_receive"};
    static const std::vector<std::string> seal{"seal_bpf",   "seal_bpf_map", "seal_unlink",
                                               "seal_rmdir", "seal_rename",  "seal_umount"};
    switch (id) {
    case ObjectId::Guard: return guard;
    case ObjectId::Tc: return tc;
    case ObjectId::Lsm: return lsm;
    case ObjectId::Seal: break;
    }
    return seal;
}

std::uint64_t build_digest()
{
    // FNV-1a: tells builds apart, nothing more; whoever can change the binary can change this too.
    std::uint64_t digest = 0xcbf29ce484222325;
    for (const auto id : {ObjectId::Guard, ObjectId::Tc, ObjectId::Lsm, ObjectId::Seal}) {
        for (const char byte : object_bytes(id)) {
            digest = (digest ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
        }
    }
    return digest;
}

void capture_libbpf_log() { (void)::libbpf_set_print(keep_message); } // the previous callback is libbpf's own

std::string take_libbpf_log() { return std::exchange(log_text(), {}); }

void BpfObject::Close::operator()(bpf_object* object) const { ::bpf_object__close(object); }

Result<BpfObject> BpfObject::open(ObjectId id, const KernelMaps* maps)
{
    capture_libbpf_log();
    bpf_object_open_opts options{};
    options.sz = sizeof(options);
    options.object_name = object_name(id);
    const auto bytes = object_bytes(id);
    BpfObject opened;
    opened.object_.reset(::bpf_object__open_mem(bytes.data(), bytes.size(), &options));
    if (!opened.object_) {
        return system_error(errno, std::string("cannot open BPF object ") + object_name(id));
    }
    for (std::size_t i = 0; maps != nullptr && i < static_cast<std::size_t>(MapId::Count); ++i) {
        const auto map_id = static_cast<MapId>(i);
        bpf_map* map = ::bpf_object__find_map_by_name(opened.object_.get(), map_name(map_id));
        if (map == nullptr) {
            continue; // this object does not use it
        }
        const int error = ::bpf_map__reuse_fd(map, maps->fd(map_id));
        if (error < 0) {
            return system_error(-error, std::string("cannot reuse map ") + map_name(map_id));
        }
    }
    return opened;
}

void BpfObject::select(const std::vector<std::string>& programs)
{
    bpf_program* candidate = nullptr;
    bpf_object__for_each_program(candidate, object_.get())
    {
        const bool chosen =
            std::find(programs.begin(), programs.end(), ::bpf_program__name(candidate)) != programs.end();
        (void)::bpf_program__set_autoload(candidate, chosen); // not loaded yet
    }
}

Status BpfObject::load()
{
    (void)take_libbpf_log(); // words of earlier loads are not about this one
    const int error = ::bpf_object__load(object_.get());
    if (error < 0) {
        Error failure = system_error(-error, "cannot load the BPF programs");
        if (const std::string log = take_libbpf_log(); !log.empty()) {
            failure.text += "; the kernel says: " + log;
        }
        return failure;
    }
    return success();
}

int BpfObject::program_fd(const std::string& name) const
{
    const bpf_program* program = ::bpf_object__find_program_by_name(object_.get(), name.c_str());
    return program == nullptr ? -1 : ::bpf_program__fd(program);
}

Result<UniqueFd> BpfObject::map_fd(const std::string& name) const
{
    const int fd = ::bpf_object__find_map_fd_by_name(object_.get(), name.c_str());
    if (fd < 0) {
        return system_error(-fd, "no map " + name + " in the BPF object");
    }
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
        return system_error(errno, "cannot keep map " + name);
    }
    return UniqueFd(copy);
}

} // namespace hostward::guard
