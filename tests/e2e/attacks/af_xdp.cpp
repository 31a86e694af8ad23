// SPDX-License-Identifier: Apache-2.0
// af_xdp ADDRESS SOURCE INTERFACE MAC: one UDP frame through the transmit ring of an AF_XDP socket in copy mode
// (needs CAP_NET_RAW). The frame meets neither a socket's cgroup nor traffic control.
#include "attack.h"
#include "packet.h"

#include <linux/if_xdp.h>
#include <net/if.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>

namespace {

constexpr std::uint32_t kFrameSize = 4096;
constexpr std::uint32_t kFrames = 4; // older kernels count it as locked memory of the user
constexpr std::uint32_t kRingSize = 8;
constexpr int kKicksMax = 100;

void option(int fd, int name, const void* value, socklen_t size, const attack::Stopwatch& watch)
{
    if (setsockopt(fd, SOL_XDP, name, value, size) == 0) {
        return;
    }
    if (errno == EPERM || errno == EACCES) {
        attack::refused("setsockopt(XDP)", errno, watch);
    }
    attack::cannot_try("setsockopt(XDP)", errno);
}

unsigned char* map(std::size_t size, int flags, int fd, off_t offset)
{
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, offset);
    if (memory == MAP_FAILED) {
        attack::cannot_try("mmap", errno);
    }
    return static_cast<unsigned char*>(memory);
}

/// The memory that frames live in, registered with the socket.
unsigned char* register_memory(int fd, const attack::Stopwatch& watch)
{
    unsigned char* memory = map(std::size_t{kFrameSize} * kFrames, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    xdp_umem_reg registration{};
    registration.addr = std::bit_cast<std::uintptr_t>(memory);
    registration.len = std::uint64_t{kFrameSize} * kFrames;
    registration.chunk_size = kFrameSize;
    option(fd, XDP_UMEM_REG, &registration, sizeof(registration), watch);
    const std::uint32_t entries = kRingSize;
    option(fd, XDP_UMEM_FILL_RING, &entries, sizeof(entries), watch);
    option(fd, XDP_UMEM_COMPLETION_RING, &entries, sizeof(entries), watch);
    option(fd, XDP_TX_RING, &entries, sizeof(entries), watch);
    return memory;
}

void bind_to(int fd, const char* interface, const attack::Stopwatch& watch)
{
    sockaddr_xdp address{};
    address.sxdp_family = AF_XDP;
    address.sxdp_flags = XDP_COPY;
    address.sxdp_ifindex = if_nametoindex(interface);
    for (int attempt = 0; attempt < kKicksMax; ++attempt) {
        if (bind(fd, std::bit_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
            return;
        }
        if (errno != EBUSY) { // the queue of a socket that has just been closed
            break;
        }
        (void)usleep(10'000);
    }
    if (errno == EPERM || errno == EACCES) {
        attack::refused("bind(AF_XDP)", errno, watch);
    }
    attack::cannot_try("bind(AF_XDP)", errno);
}

/// The transmit ring, mapped. Older kernels allow that only before bind.
struct Ring {
    unsigned char* memory = nullptr;
    xdp_ring_offset offsets{};
};

Ring map_ring(int fd)
{
    xdp_mmap_offsets offsets{};
    socklen_t length = sizeof(offsets);
    if (getsockopt(fd, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &length) != 0) {
        attack::cannot_try("getsockopt(XDP_MMAP_OFFSETS)", errno);
    }
    const std::size_t size = offsets.tx.desc + kRingSize * sizeof(xdp_desc);
    return {map(size, MAP_SHARED | MAP_POPULATE, fd, XDP_PGOFF_TX_RING), offsets.tx};
}

/// Puts frame 0 on the transmit ring and makes the kernel send it.
void transmit(int fd, const Ring& ring, std::uint32_t size, const attack::Stopwatch& watch)
{
    xdp_desc descriptor{};
    descriptor.len = size;
    std::memcpy(ring.memory + ring.offsets.desc, &descriptor, sizeof(descriptor));
    const auto producer = std::atomic_ref(*std::bit_cast<std::uint32_t*>(ring.memory + ring.offsets.producer));
    producer.store(1, std::memory_order_release);
    for (int kick = 0; kick < kKicksMax; ++kick) {
        if (sendto(fd, nullptr, 0, MSG_DONTWAIT, nullptr, 0) >= 0) {
            return;
        }
        if (errno != EAGAIN && errno != EBUSY) {
            attack::refused("sendto(AF_XDP)", errno, watch);
        }
        (void)usleep(1000);
    }
    attack::refused("sendto(AF_XDP)", EAGAIN, watch);
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 5) {
        attack::usage("af_xdp ADDRESS SOURCE INTERFACE MAC");
    }
    const attack::Stopwatch watch;
    const int fd = attack::make_socket(AF_XDP, SOCK_RAW, 0, watch);
    unsigned char* memory = register_memory(fd, watch);
    const Ring ring = map_ring(fd);
    bind_to(fd, argv[3], watch);
    const attack::Listener listener = attack::listen_for_answer(attack::require_target(argv[2], 0), watch);
    attack::PacketPlan plan;
    plan.destination = attack::require_target(argv[1]);
    plan.source = listener.address;
    plan.source_port = listener.port;
    plan.payload = attack::request();
    const attack::Bytes frame = attack::ethernet_frame(attack::require_mac(argv[4]), attack::udp_packet(plan));
    std::memcpy(memory, frame.data(), frame.size());
    transmit(fd, ring, static_cast<std::uint32_t>(frame.size()), watch);
    attack::await_answer(listener, "AF_XDP frame", watch);
}
