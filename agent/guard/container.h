// SPDX-License-Identifier: Apache-2.0
// Which container a cgroup belongs to, by its name. Pure.
#pragma once

#include <string>
#include <string_view>

namespace hostward::guard {

/// Empty texts: the path does not tell.
struct Container {
    /// "docker", "podman", "containerd", "cri-o", "systemd-nspawn", "lxc", or "kubernetes": a pod's container whose
    /// path does not say what runs it.
    std::string runtime;
    std::string id;      ///< 64 hexadecimal digits; for systemd-nspawn and lxc the container's name
    std::string pod_uid; ///< as the Kubernetes API writes it
    std::string qos;     ///< "guaranteed", "burstable" or "besteffort"; empty outside Kubernetes
};

/// The names that container managers give their cgroups, with the systemd and the cgroupfs driver. `cgroup_path`
/// starts below the root of the hierarchy. A name counts only where root alone can make cgroups: below slices, or at
/// the top. Below any other unit (`user@1000.service`, a service with Delegate=) it is the delegate's free choice.
[[nodiscard]] Container container_of(std::string_view cgroup_path);

/// Whether the path is that of a pod, whatever namespaces it shares with the host: its top is kubelet's. The kernel
/// side asks the same (ebpf/identity.bpf.h).
[[nodiscard]] bool is_pod_path(std::string_view cgroup_path);

} // namespace hostward::guard
