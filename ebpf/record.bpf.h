/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is remembered of a decision: exact counters always, a line for people where there is room.
 */
#pragma once

#include "ebpf/decide.bpf.h"

/* Where the rule, or without one the endpoint's default, is counted. */
static __always_inline __u32 counter_index(const struct hw_head *head, __u32 rule, __u32 endpoint)
{
	if (rule < HW_RULES_MAX)
		return head->counter[rule & (HW_RULES_MAX - 1)];
	return head->endpoints[endpoint & (HW_ENDPOINTS_MAX - 1)].counter;
}

/* Adds s->out to the counters of its rule, or of the endpoint's default. */
static __always_inline void count_decision(const struct hw_scratch *s, const struct hw_head *head, __u32 endpoint)
{
	struct hw_counter *counter;
	__u32 index = counter_index(head, s->out.rule, endpoint);

	counter = bpf_map_lookup_elem(&counters, &index);
	if (!counter)
		return;
	if (s->out.verdict == HW_ALLOW)
		__sync_fetch_and_add(&counter->allowed, 1);
	else if (head->mode == HW_AUDIT)
		__sync_fetch_and_add(&counter->would_deny, 1);
	else
		__sync_fetch_and_add(&counter->denied, 1);
}

static __always_inline void count_reason(__u32 reason)
{
	__u64 *value = bpf_map_lookup_elem(&reasons, &reason);

	if (value)
		__sync_fetch_and_add(value, 1);
}

static __always_inline void touch_flow(struct hw_flow *flow, __u64 now)
{
	__sync_fetch_and_add(&flow->count, 1);
	flow->last_ns = now; /* a race leaves one of two nearly equal times */
}

static __always_inline struct hw_flow *find_flow(const struct hw_flow_key *key, __u32 epoch)
{
	return epoch ? bpf_map_lookup_elem(&flows_odd, key) : bpf_map_lookup_elem(&flows_even, key);
}

static __always_inline long insert_flow(const struct hw_flow_key *key, const struct hw_flow *flow, __u32 epoch)
{
	return epoch ? bpf_map_update_elem(&flows_odd, key, flow, BPF_NOEXIST)
		     : bpf_map_update_elem(&flows_even, key, flow, BPF_NOEXIST);
}

static __always_inline void wake_agent(__u32 epoch)
{
	if (bpf_ringbuf_output(&wake, &epoch, sizeof(epoch), 0))
		count_lost(HW_LOST_RING_FULL);
}

static __always_inline __u32 current_epoch(void)
{
	const struct hw_control *c = get_control();

	return c ? *(volatile const __u32 *)&c->epoch & 1 : 0;
}

/* Completes the key of s's flow; the caller has set endpoint, hook and protocol. */
static __always_inline void key_flow(struct hw_scratch *s, const struct hw_head *head)
{
	__builtin_memcpy(&s->flow_key.who, &s->who, sizeof(s->who));
	s->flow_key.rule = s->out.rule;
	s->flow_key.verdict = s->out.verdict;
	s->flow_key.mode = head->mode;
	s->flow_key.reason = s->out.reason;
	s->flow_key.generation = head->generation;
}

/* Counts once for this key; `first` is what the flow starts as where there is none. */
static __noinline int add_flow(const struct hw_flow_key *key, struct hw_flow *first)
{
	__u32 epoch = current_epoch();
	__u64 now = bpf_ktime_get_ns();
	struct hw_flow *flow = find_flow(key, epoch);

	if (flow) {
		touch_flow(flow, now);
		return 0;
	}
	first->count = 1;
	first->first_ns = now;
	first->last_ns = now;
	if (!insert_flow(key, first, epoch)) {
		wake_agent(epoch);
		return 0;
	}
	flow = find_flow(key, epoch); /* another CPU may have added it meanwhile */
	if (flow)
		touch_flow(flow, now);
	else
		count_lost(HW_LOST_FLOWS_FULL);
	return 0;
}
