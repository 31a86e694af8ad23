// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Runs the decision of ebpf/decide.bpf.h on an identity that the test describes instead of on the
 * caller's: everything behind reading the kernel's structures is the product's code, compiled as it
 * is. A raw tracepoint program, because those can be run by the test on every kernel since 5.10.
 */
#include "ebpf/decide.bpf.h"
#include "tests/bpf/decide_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct decide_question);
} question SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct decide_answer);
} answer SEC(".maps");

static __always_inline void describe(struct hw_scratch *s, const struct decide_question *q)
{
	s->who = q->who;
	s->group_count = q->group_count;
	s->group_list = (__u64)q->groups;
	s->depth = q->depth;
	for (__u32 i = 0; i < HW_CGROUP_DEPTH_MAX; i++)
		s->level_name[i] = (__u64)q->level_name[i];
}

SEC("raw_tp")
int decide_for(void *ctx)
{
	const struct hw_control *c = get_control();
	struct hw_policy policy;
	const struct decide_question *q;
	struct decide_answer *a;
	struct hw_fact *endpoint;
	struct hw_scratch *s;
	__u32 zero = 0;

	q = bpf_map_lookup_elem(&question, &zero);
	a = bpf_map_lookup_elem(&answer, &zero);
	if (!q || !a || !c || !get_policy(c, &policy))
		return 0;
	a->answered = 1;
	a->guarded = 0;
	if (!maybe_guarded(c, q->words[0], q->words[1], q->words[2], q->words[3]))
		return 0;
	endpoint = find_endpoint(policy.facts, q->words[0], q->words[1], q->words[2], q->words[3]);
	if (!endpoint)
		return 0;
	s = take_scratch(CALLER);
	if (!s)
		return 0;
	describe(s, q);
	collect_votes(s, &policy);
	hw_conclude(policy.slot, endpoint->endpoint);
	a->guarded = 1;
	a->verdict = s->out.verdict;
	a->reason = s->out.reason;
	a->rule = s->out.rule;
	drop_scratch(CALLER);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
