// SPDX-License-Identifier: Apache-2.0
// A program file as the decision sees it. Private to agent/guard.
#pragma once

#include "agent/base/result.h"
#include "ebpf/abi/guard.h"

namespace hostward::guard {

/// What the kernel stores of the file behind an open descriptor of this process, read by an iterator over open
/// files (ebpf/exe_facts.bpf.c): stat(2) shows other device and inode numbers on btrfs and overlayfs.
/// Errors: Unsupported / Denied when the kernel does not load the iterator.
[[nodiscard]] Result<hw_file_fact> file_fact(int fd);

} // namespace hostward::guard
