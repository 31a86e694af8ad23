/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Question and answer of tests/bpf/decide.bpf.c. */
#pragma once

#include "ebpf/abi/guard.h"

struct decide_question {
    struct hw_identity who;
    __u32 words[4]; /* destination, network order */
    __u32 group_count;
    __u32 depth;
    __u32 groups[HW_GROUPS_MAX];
    char level_name[HW_CGROUP_DEPTH_MAX][HW_TEXT_MAX]; /* leaf first, NUL-terminated */
};

struct decide_answer {
    __u32 answered;
    __u32 guarded;
    __u32 verdict;
    __u32 reason;
    __u32 rule;
    __u32 pad;
};
