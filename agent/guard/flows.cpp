// SPDX-License-Identifier: Apache-2.0
#include "agent/guard/flows.h"

#include "agent/guard/swap.h"

#include <bpf/bpf.h>

namespace hostward::guard {

Result<std::vector<Flow>> drain_flows(const KernelMaps& maps)
{
    TRY_ASSIGN(hw_control control, maps.read<hw_control>(MapId::Control));
    const MapId table = (control.epoch & 1) != 0 ? MapId::FlowsOdd : MapId::FlowsEven;
    control.epoch ^= 1U;
    TRY(maps.write(MapId::Control, 0, control));
    TRY(wait_for_readers(maps));

    std::vector<Flow> flows;
    Flow flow;
    // The first key each time: the table shrinks under us, and nobody adds to it.
    while (flows.size() < HW_FLOWS_MAX && ::bpf_map_get_next_key(maps.fd(table), nullptr, &flow.key) == 0) {
        TRY(maps.read_raw(table, &flow.key, &flow.value));
        const int error = ::bpf_map_delete_elem(maps.fd(table), &flow.key);
        if (error < 0) {
            return system_error(-error, "cannot empty the flow table");
        }
        flows.push_back(flow);
    }
    return flows;
}

} // namespace hostward::guard
