/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What is remembered of a decision: exact counters always, a line for people where there is room.
 */
#pragma once

#include "ebpf/decide.bpf.h"
#include "ebpf/describe.bpf.h"

static __always_inline void count_decision(const struct hw_head *head, const struct hw_outcome *out, __u32 endpoint)
{
	struct hw_counter *counter;
	__u32 index = HW_RULES_MAX + (endpoint & (HW_ENDPOINTS_MAX - 1));

	if (out->rule < HW_RULES_MAX)
		index = head->counter[out->rule & (HW_RULES_MAX - 1)];
	counter = bpf_map_lookup_elem(&counters, &index);
	if (!counter)
		return;
	if (out->verdict == HW_ALLOW)
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

static __always_inline void wake_agent(__u32 epoch)
{
	if (bpf_ringbuf_output(&wake, &epoch, sizeof(epoch), 0))
		count_lost(HW_LOST_RING_FULL);
}

/* Adds the flow in s->flow_key to `table`. described: fill the texts from s->task first. */
static __always_inline void add_flow(void *table, struct hw_scratch *s, bool described, __u32 epoch)
{
	__u64 now = bpf_ktime_get_ns();
	struct hw_flow *flow = bpf_map_lookup_elem(table, &s->flow_key);

	if (flow) {
		touch_flow(flow, now);
		return;
	}
	if (described) {
		describe_cgroup(s);
		describe_program(s);
	}
	s->flow.count = 1;
	s->flow.first_ns = now;
	s->flow.last_ns = now;
	s->flow.pid = bpf_get_current_pid_tgid() >> 32;
	if (!bpf_map_update_elem(table, &s->flow_key, &s->flow, BPF_NOEXIST)) {
		wake_agent(epoch);
		return;
	}
	flow = bpf_map_lookup_elem(table, &s->flow_key); /* another CPU may have added it meanwhile */
	if (flow)
		touch_flow(flow, now);
	else
		count_lost(HW_LOST_FLOWS_FULL);
}

struct hw_occasion {
	__u32 endpoint;
	__u32 protocol;
	__u32 hook; /* enum hw_hook */
	bool described;
};

static __noinline int record_flow(struct hw_scratch *s, const struct hw_head *head, const struct hw_outcome *out,
				  const struct hw_occasion *what)
{
	const struct hw_control *c = get_control();
	__u32 epoch;

	if (!c)
		return 0;
	epoch = *(volatile const __u32 *)&c->epoch & 1;
	__builtin_memcpy(&s->flow_key.who, &s->who, sizeof(s->who));
	s->flow_key.rule = out->rule;
	s->flow_key.endpoint = what->endpoint;
	s->flow_key.verdict = out->verdict;
	s->flow_key.mode = head->mode;
	s->flow_key.reason = out->reason;
	s->flow_key.hook = what->hook;
	s->flow_key.protocol = what->protocol;
	s->flow_key.generation = head->generation;
	if (epoch)
		add_flow(&flows_odd, s, what->described, epoch);
	else
		add_flow(&flows_even, s, what->described, epoch);
	return 0;
}
