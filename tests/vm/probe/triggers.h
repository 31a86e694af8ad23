// SPDX-License-Identifier: Apache-2.0
// The events that the probed programs wait for. Each is complete in itself and leaves nothing behind.
#pragma once

namespace hostward::probe {

void tcp4();
void tcp6();
void udp4();
void udp6();
void make_cgroup();     ///< a child of the probe's cgroup, removed again
void pass_descriptor(); ///< a connected TCP socket through SCM_RIGHTS to ourselves
void ptrace_child();    ///< attach to a child
void traceme();         ///< a thread of ours asks to be traced by its parent
void exec_child();      ///< exec /proc/self/exe with an argument that makes it exit at once
void bpf_calls();       ///< get a map by its id
void bpffs_entries();   ///< pin, link, rename, rmdir and unlink in a bpffs of our own
void mounts();          ///< mount, move and unmount a tmpfs in a mount namespace of our own
void open_file();
void signal_self();
void getpid_call();
void socket_calls(); ///< socket and setsockopt

} // namespace hostward::probe
