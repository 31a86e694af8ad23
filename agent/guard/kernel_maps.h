// SPDX-License-Identifier: Apache-2.0
// Descriptors of the guard's maps and typed access to them.
#pragma once

#include "agent/base/result.h"
#include "agent/base/unique_fd.h"
#include "ebpf/abi/guard.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace hostward::guard {

enum class MapId {
    Control,
    Heads,
    Facts,
    Names,
    Tags,
    Streams,
    Requests,
    Counters,
    Reasons,
    Lost,
    FlowsEven,
    FlowsOdd,
    Wake,
    Scratch,
    Blank,
    Labels,
    SealMaps,
    SealPlace,
    About,
    Count,
};

/// The map's name in the BPF objects and, with "map_" before it, its pin.
[[nodiscard]] const char* map_name(MapId id);

class KernelMaps {
public:
    /// Opens every map pinned in `directory`.
    [[nodiscard]] static Result<KernelMaps> open(const std::string& directory, bool read_only);

    void set(MapId id, UniqueFd fd) { fds_[static_cast<std::size_t>(id)] = std::move(fd); }
    [[nodiscard]] int fd(MapId id) const { return fds_[static_cast<std::size_t>(id)].get(); }

    /// One element of an array map.
    template <typename T> [[nodiscard]] Result<T> read(MapId id, std::uint32_t index = 0) const
    {
        T value{};
        TRY(read_raw(id, &index, &value));
        return value;
    }
    template <typename T> [[nodiscard]] Status write(MapId id, std::uint32_t index, const T& value) const
    {
        return write_raw(id, &index, &value);
    }

    /// Elements of an array map side by side, in one call.
    template <typename T>
    [[nodiscard]] Result<std::vector<T>> read_range(MapId id, std::uint32_t first, std::uint32_t count) const
    {
        std::vector<T> values(count);
        TRY(read_range_raw(id, first, count, values.data()));
        return values;
    }
    template <typename T>
    [[nodiscard]] Status write_range(MapId id, std::uint32_t first, const std::vector<T>& values) const
    {
        return write_range_raw(id, first, static_cast<std::uint32_t>(values.size()), values.data());
    }

    /// Per-CPU values, summed.
    [[nodiscard]] Result<hw_counter> counter(std::uint32_t index) const;
    [[nodiscard]] Result<std::uint64_t> number(MapId id, std::uint32_t index) const;
    [[nodiscard]] Status clear_counter(std::uint32_t index) const;

    [[nodiscard]] Status read_raw(MapId id, const void* key, void* value) const;
    [[nodiscard]] Status write_raw(MapId id, const void* key, const void* value) const;

private:
    [[nodiscard]] Status read_range_raw(MapId id, std::uint32_t first, std::uint32_t count, void* values) const;
    [[nodiscard]] Status write_range_raw(MapId id, std::uint32_t first, std::uint32_t count, const void* values) const;

    std::array<UniqueFd, static_cast<std::size_t>(MapId::Count)> fds_;
};

} // namespace hostward::guard
