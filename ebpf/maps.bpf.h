/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The maps that all guard objects share: the loader creates them once and every object reuses
 * them, by name. Each says what happens when it is full.
 */
#pragma once

#include "ebpf/abi/guard.h"
#include "ebpf/compat.bpf.h"

/* Key 0. Which policy slot is in use, which addresses may be guarded. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hw_control);
} control SEC(".maps");

/* Key: slot. Fixed part of each policy. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HW_SLOTS);
	__type(key, __u32);
	__type(value, struct hw_head);
} heads SEC(".maps");

/* Inner map of `facts`. Written by the loader before the slot is used, and by the programs only
 * with HW_FACT_CGROUP entries. Full: the cgroup is matched again each time (HW_LOST_CACHE_FULL).
 * Not preallocated: a freed element is never reused under a reader. The loader makes each inner
 * map as large as its policy needs. */
struct facts_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct hw_fact_key));
	__uint(value_size, sizeof(struct hw_fact));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HW_SLOTS);
	__type(key, __u32);
	__array(values, struct facts_inner);
} facts SEC(".maps");

/* Inner map of `names`: cgroup path components as rules spell them. Never written by programs. */
struct names_inner {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(key_size, sizeof(struct hw_name_key));
	__uint(value_size, sizeof(struct hw_name));
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, HW_SLOTS);
	__type(key, __u32);
	__array(values, struct names_inner);
} names SEC(".maps");

/* What was allowed, at the socket that was allowed. Lives as long as the socket. No memory: the
 * connect is denied (HW_REASON_TAG_FULL). */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hw_tag);
} tags SEC(".maps");

/* Key: counter index (hw_head.counter). */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HW_COUNTERS);
	__type(key, __u32);
	__type(value, struct hw_counter);
} counters SEC(".maps");

/* The reader of a connection's requests, at its socket. Lives as long as the socket. No memory: the
 * connection is not followed (HW_LOST_STREAMS_FULL). */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct hw_stream);
} streams SEC(".maps");

/* Key: enum hw_imds. Requests over all rules. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HW_IMDS_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} requests SEC(".maps");

/* Key: enum hw_reason. Denials (audit: would-be denials) by reason. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HW_REASON_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} reasons SEC(".maps");

/* Key: enum hw_lost. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HW_LOST_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

/* Decisions aggregated by identity, one table per epoch: the agent flips hw_control.epoch, waits
 * for a grace period, and then empties the table nobody writes any more. Full: the decision is in
 * the counters and in HW_LOST_FLOWS_FULL, but has no line of its own. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HW_FLOWS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct hw_flow_key);
	__type(value, struct hw_flow);
} flows_even SEC(".maps"), flows_odd SEC(".maps");

/* Wakes the agent when a flow is new; the record's content is the epoch. Full: a wake-up is
 * pending anyway (HW_LOST_RING_FULL). */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} wake SEC(".maps");

/* Key: id of a guard map. Written by the loader before it seals: the fixed maps and four policy
 * tables. Full: the loader does not seal. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u32);
	__type(value, __u32);
} seal_maps SEC(".maps");

/* Key 0. Where the pins are. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hw_seal_place);
} seal_place SEC(".maps");

/* What one level of the caller's cgroup path satisfies. */
struct hw_level {
	__u64 at;       /* patterns whose component at this level this is */
	__u64 address;  /* of the name */
	__u32 length;   /* of the name */
	__u32 index;    /* of the level, from the top */
	__u32 in_slice; /* 1: every level above is a slice */
	__u32 pad;
};

struct hw_outcome {
	__u32 verdict; /* enum hw_verdict */
	__u32 reason;  /* enum hw_reason */
	__u32 rule;    /* index, or HW_NO_RULE */
	__u32 pad;
};

/* Working memory of one decision. Results live here too, not in registers: the verifier then follows
 * one path for all outcomes. */
struct hw_scratch {
	struct hw_identity who;
	struct hw_outcome out;
	__u64 votes[HW_COND_COUNT][HW_RULE_WORDS]; /* rules that name this caller's facts */
	__u64 group_list;   /* kernel address of the supplementary gids */
	__u32 group_count;
	__u32 depth;        /* levels below the guarded cgroup */
	__u64 level_name[HW_CGROUP_DEPTH_MAX]; /* kernel addresses of the names, leaf first */
	__u64 task;
	__u64 dentry;      /* where the walk to the root is */
	__u64 mount;
	__u32 text_length;
	__u32 pad;
	struct hw_level level;
	struct hw_fact cgroup;
	struct hw_name_key name;
	struct hw_flow_key flow_key;
	struct hw_flow flow;
	char text[2 * HW_TEXT_MAX]; /* twice: a component may start at the last byte of the first half */
};

/* Key: thread id, for packets the CPU (see scratch_key). Programs can be preempted, so
 * per-CPU memory would be shared between two decisions; a thread makes one decision at a time.
 * Full: deny (HW_REASON_SCRATCH_FULL). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct hw_scratch);
} scratch SEC(".maps");

/* Key 0: all zero, never written: what a scratch entry starts as. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hw_scratch);
} blank SEC(".maps");

static __always_inline void count_lost(__u32 what)
{
	__u64 *value = bpf_map_lookup_elem(&lost, &what);

	if (value)
		__sync_fetch_and_add(value, 1); /* atomic: a program can be preempted by another on its CPU */
}

static __always_inline struct hw_control *get_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

static __always_inline bool maybe_guarded(const struct hw_control *c, __u32 w0, __u32 w1, __u32 w2, __u32 w3)
{
	__u32 bit = hw_address_hash(w0, w1, w2, w3);

	return c->filter[(bit >> 6) & 3] >> (bit & 63) & 1;
}

/* One policy as one decision sees it. */
struct hw_policy {
	struct hw_head *head;
	void *facts;
	void *names;
	__u32 slot;
};

static __always_inline bool get_slot(__u32 slot, struct hw_policy *policy)
{
	policy->slot = slot;
	policy->head = bpf_map_lookup_elem(&heads, &slot);
	policy->facts = bpf_map_lookup_elem(&facts, &slot);
	policy->names = bpf_map_lookup_elem(&names, &slot);
	return policy->head && policy->facts && policy->names;
}

/* The policy in use. Read once per decision. */
static __always_inline bool get_policy(const struct hw_control *c, struct hw_policy *policy)
{
	return get_slot(*(volatile __u32 *)&c->active & 1, policy);
}

static __always_inline struct hw_fact *find_fact(void *table, __u32 kind, __u64 a, __u64 b)
{
	struct hw_fact_key key = {.kind = kind, .a = a, .b = b};

	return bpf_map_lookup_elem(table, &key);
}

/* The endpoint fact of an address given as four words in network order. */
static __always_inline struct hw_fact *find_endpoint(void *table, __u32 w0, __u32 w1, __u32 w2, __u32 w3)
{
	__u32 words[4] = {w0, w1, w2, w3};
	__u64 halves[2];

	__builtin_memcpy(halves, words, sizeof(halves));
	return find_fact(table, HW_FACT_ENDPOINT, halves[0], halves[1]);
}

enum hw_context {
	CALLER, /* in the system call of the thread that asks */
	PACKET, /* on behalf of whichever thread the packet path interrupted */
};

/* A packet can interrupt its thread's own decision, and knows no thread on kernels before 6.10: so
 * packets have keys of their own, by CPU. A packet that interrupts another one's record finds the
 * key taken; it is counted, not listed. */
static __always_inline __u64 scratch_key(enum hw_context context)
{
	if (context == PACKET)
		return (1ULL + bpf_get_smp_processor_id()) << 32;
	return (__u32)bpf_get_current_pid_tgid();
}

static __always_inline struct hw_scratch *take_scratch(enum hw_context context)
{
	__u64 key = scratch_key(context);
	__u32 zero = 0;
	struct hw_scratch *empty = bpf_map_lookup_elem(&blank, &zero);

	if (!empty || bpf_map_update_elem(&scratch, &key, empty, BPF_NOEXIST))
		return NULL;
	return bpf_map_lookup_elem(&scratch, &key);
}

/* The entry this thread has taken: for functions that take no pointers. */
static __always_inline struct hw_scratch *my_scratch(void)
{
	__u64 key = scratch_key(CALLER);

	return bpf_map_lookup_elem(&scratch, &key);
}

static __always_inline void drop_scratch(enum hw_context context)
{
	__u64 key = scratch_key(context);

	bpf_map_delete_elem(&scratch, &key);
}
