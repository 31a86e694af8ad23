/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The decision: facts -> sets of rules -> their intersection -> the lowest rule.
 * agent/guard/decide.cpp is the same in user space; tests/bpf compares them.
 */
#pragma once

#include "ebpf/identity.bpf.h"

static __always_inline void add_votes(__u64 *votes, const __u64 *rules)
{
	for (int w = 0; w < HW_RULE_WORDS; w++)
		votes[w] |= rules[w];
}

/* A rule that names users must name the real and the effective one: a setuid program run by
 * somebody else does not become its owner. */
static __noinline int vote_user(struct hw_scratch *s, void *table)
{
	struct hw_fact *real = find_fact(table, HW_FACT_USER, s->who.uid, 0);
	struct hw_fact *effective;

	if (!real)
		return 0;
	effective = s->who.uid == s->who.euid ? real : find_fact(table, HW_FACT_USER, s->who.euid, 0);
	if (!effective)
		return 0;
	for (int w = 0; w < HW_RULE_WORDS; w++)
		s->votes[HW_COND_USER][w] = real->rules[w] & effective->rules[w];
	return 0;
}

/*
 * Functions that are not static are checked by the verifier once, not at each call: the loops around
 * them cost nothing then. They take only numbers (5.10 allows no more) and find their memory again
 * by slot and thread.
 */

__noinline int hw_vote_group(__u32 slot, __u32 gid)
{
	struct hw_scratch *s = my_scratch();
	struct hw_policy policy;
	struct hw_fact *fact;

	if (!s || !get_slot(slot, &policy))
		return 0;
	fact = find_fact(policy.facts, HW_FACT_GROUP, gid, 0);
	if (fact)
		add_votes(s->votes[HW_COND_GROUP], fact->rules);
	return 0;
}

/* Real and supplementary groups. Not the effective one: a setgid program would gain it. */
static __noinline int vote_groups(struct hw_scratch *s, __u32 slot)
{
	hw_vote_group(slot, s->who.gid);
	for (__u32 i = 0; i < HW_GROUPS_MAX; i++) {
		__u32 gid;

		if (i >= s->group_count)
			break;
		if (bpf_probe_read_kernel(&gid, sizeof(gid), (const void *)(s->group_list + i * sizeof(gid)))) {
			s->who.flags |= HW_ID_UNREADABLE;
			break;
		}
		hw_vote_group(slot, gid);
	}
	return 0;
}

static __noinline int vote_program(struct hw_scratch *s, void *table)
{
	struct hw_fact *fact;

	if (s->who.flags & (HW_ID_NO_EXE | HW_ID_EXE_UNTRUSTED))
		return 0;
	fact = find_fact(table, HW_FACT_EXE, s->who.exe_inode,
			 hw_exe_key_b(s->who.exe_device, s->who.exe_generation));
	if (fact)
		add_votes(s->votes[HW_COND_EXE], fact->rules);
	return 0;
}

static __always_inline void vote_name(struct hw_scratch *s, void *table)
{
	struct hw_name *name = bpf_map_lookup_elem(table, &s->name);

	if (!name)
		return;
	if (s->level.in_slice)
		add_votes(s->cgroup.rules, name->unit_rules);
	if (s->level.index < HW_PATTERN_DEPTH_MAX)
		s->level.at |= name->at[s->level.index & (HW_PATTERN_DEPTH_MAX - 1)];
}

/* Looks the level's name up as `prefix` leading and `suffix` trailing bytes. */
__noinline int hw_vote_shape(__u32 slot, __u64 prefix, __u64 suffix, __u32 exact)
{
	struct hw_scratch *s = my_scratch();
	struct hw_policy policy;
	__u64 address;
	__u64 length;
	long error = 0;

	if (!s || !get_slot(slot, &policy))
		return 0;
	length = prefix + suffix;
	if (prefix > HW_NAME_MAX || suffix > HW_NAME_MAX || length > HW_NAME_MAX || length > s->level.length)
		return 0;
	__builtin_memset(&s->name, 0, sizeof(s->name));
	s->name.prefix_len = prefix;
	s->name.suffix_len = suffix;
	s->name.exact = exact;
	address = s->level.address;
	/* Through text[], which has room for both bounds; then the exact bytes into the key. */
	error |= bpf_probe_read_kernel(s->text, MASKED(prefix, 127), (const void *)address);
	error |= bpf_probe_read_kernel(s->text + MASKED(prefix, 127), MASKED(suffix, 127),
				       (const void *)(address + s->level.length - suffix));
	error |= bpf_probe_read_kernel(s->name.text, MASKED(length, 127), s->text);
	if (error)
		s->who.flags |= HW_ID_UNREADABLE;
	else
		vote_name(s, policy.names);
	return 0;
}

/* ".slice" as the low six bytes of a number, first byte lowest; both byte orders of the kernel's. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SLICE_SUFFIX 0x6563696c732eULL
#else
#define SLICE_SUFFIX 0x2e736c6963650000ULL
#endif

static __always_inline bool ends_in_slice(const struct hw_level *level)
{
	__u64 tail = 0;

	return level->length >= 6 &&
	       !bpf_probe_read_kernel(&tail, 6, (const void *)(level->address + level->length - 6)) &&
	       tail == SLICE_SUFFIX;
}

/* One level of the path, `index` from the top: what names match, and whether it is a slice. */
__noinline int hw_vote_level(__u32 slot, __u32 index)
{
	struct hw_scratch *s = my_scratch();
	struct hw_policy policy;
	long size;

	if (!s || !get_slot(slot, &policy))
		return 0;
	s->level.index = index;
	s->level.at = 0;
	s->level.address = s->level_name[(s->depth - 1 - index) & (HW_CGROUP_DEPTH_MAX - 1)];
	size = bpf_probe_read_kernel_str(s->text, HW_TEXT_MAX, (const void *)s->level.address);
	if (size <= 0) {
		s->who.flags |= HW_ID_UNREADABLE;
		return 0;
	}
	s->level.length = size - 1;
	hw_vote_shape(slot, s->level.length, 0, 1);
	for (__u32 i = 0; i < HW_SHAPES_MAX; i++) {
		if (i >= policy.head->shape_count)
			break;
		hw_vote_shape(slot, policy.head->shapes[i].prefix_len, policy.head->shapes[i].suffix_len, 0);
	}
	s->level.in_slice = s->level.in_slice && ends_in_slice(&s->level);
	return 0;
}

__noinline int hw_vote_pattern(__u32 slot, __u32 pattern)
{
	struct hw_scratch *s = my_scratch();
	struct hw_policy policy;

	if (s && get_slot(slot, &policy))
		add_votes(s->cgroup.rules, policy.head->pattern_rules[pattern & (HW_PATTERNS_MAX - 1)]);
	return 0;
}

/* Matches the caller's cgroup path from the top, level by level, and remembers the result for the
 * life of this policy: ids are not reused and names do not change (cgroup2 has no rename). */
static __noinline int vote_cgroup(struct hw_scratch *s, const struct hw_policy *policy)
{
	struct hw_fact_key key = {.kind = HW_FACT_CGROUP, .a = s->who.cgroup_id};
	struct hw_fact *known = bpf_map_lookup_elem(policy->facts, &key);
	__u64 alive = policy->head->pattern_start;
	__u64 complete = 0;

	if (known) {
		add_votes(s->votes[HW_COND_CGROUP], known->rules);
		return 0;
	}
	s->level.in_slice = 1;
	for (__u32 i = 0; i < HW_CGROUP_DEPTH_MAX; i++) {
		if (i >= s->depth)
			break;
		hw_vote_level(policy->slot, i);
		if (i < HW_PATTERN_DEPTH_MAX) {
			alive &= s->level.at;
			complete |= alive & policy->head->pattern_ends[i];
			alive &= ~complete;
		}
	}
	for (__u32 p = 0; p < HW_PATTERNS_MAX; p++) {
		if (complete >> p & 1)
			hw_vote_pattern(policy->slot, p);
	}
	add_votes(s->votes[HW_COND_CGROUP], s->cgroup.rules);
	if (!(s->who.flags & HW_ID_UNREADABLE) &&
	    bpf_map_update_elem(policy->facts, &key, &s->cgroup, BPF_NOEXIST))
		count_lost(HW_LOST_CACHE_FULL);
	return 0;
}

/* Index of the lowest bit of x, which is not 0. (The BPF target has no instruction for it.) */
static __always_inline __u32 lowest_bit(__u64 x)
{
	__u32 n = 0;

	if (!(x & 0xffffffff)) {
		n += 32;
		x >>= 32;
	}
	if (!(x & 0xffff)) {
		n += 16;
		x >>= 16;
	}
	if (!(x & 0xff)) {
		n += 8;
		x >>= 8;
	}
	if (!(x & 0xf)) {
		n += 4;
		x >>= 4;
	}
	if (!(x & 3)) {
		n += 2;
		x >>= 2;
	}
	return n + !(x & 1);
}

/* Lowest rule in the intersection, as s->out.rule. (In memory: 1,024 possible values in a register would be
 * as many paths to the verifier.) */
static __always_inline void find_rule(struct hw_scratch *s, const struct hw_head *head,
				      const struct hw_fact *endpoint)
{
	__u32 where = s->who.flags & HW_ID_CONTAINER ? 1 : 0;

	s->out.rule = HW_NO_RULE;
	for (__u32 w = 0; w < HW_RULE_WORDS; w++) {
		__u64 match = endpoint->rules[w] & head->scope[where][w];

		for (int c = 0; c < HW_COND_COUNT; c++)
			match &= s->votes[c][w] | head->any[c][w];
		if (match) {
			s->out.rule = w * 64 + lowest_bit(match);
			return;
		}
	}
}

/* Bounds and unreadable facts come first: what cannot be known is denied, whatever the rules say. */
static __always_inline __u32 refusal(const struct hw_identity *who, const struct hw_head *head)
{
	if (who->flags & HW_ID_KERNEL_THREAD)
		return HW_REASON_KERNEL_THREAD;
	if ((who->flags & HW_ID_GROUPS_OVERFLOW) && (head->flags & HW_HEAD_HAS_GROUPS))
		return HW_REASON_GROUPS_OVERFLOW;
	if ((who->flags & HW_ID_CGROUP_DEPTH) && (head->flags & HW_HEAD_HAS_CGROUPS))
		return HW_REASON_CGROUP_DEPTH;
	if (who->flags & HW_ID_UNREADABLE)
		return HW_REASON_UNREADABLE;
	return HW_REASON_RULE;
}

/* Collects the rules that name the facts in s. */
static __always_inline void collect_votes(struct hw_scratch *s, const struct hw_policy *policy)
{
	const struct hw_head *head = policy->head;

	vote_user(s, policy->facts);
	if (head->flags & HW_HEAD_HAS_GROUPS)
		vote_groups(s, policy->slot);
	if (s->who.flags & HW_ID_TRACED)
		return;
	vote_program(s, policy->facts);
	if (head->flags & HW_HEAD_HAS_CGROUPS)
		vote_cgroup(s, policy);
}

/* Decides by the votes in this thread's scratch; the result is its `out`. */
__attribute__((unused)) __noinline int hw_conclude(__u32 slot, __u32 endpoint)
{
	struct hw_scratch *s = my_scratch();
	struct hw_policy policy;
	__u32 rule;

	if (!s || !get_slot(slot, &policy))
		return 0;
	endpoint = MASKED(endpoint, HW_ENDPOINTS_MAX - 1);
	s->out.verdict = HW_DENY;
	s->out.rule = HW_NO_RULE;
	s->out.reason = refusal(&s->who, policy.head);
	if (s->out.reason != HW_REASON_RULE)
		return 0;
	find_rule(s, policy.head, &policy.head->endpoint_facts[endpoint]);
	rule = *(volatile __u32 *)&s->out.rule;
	if (rule < HW_RULES_MAX) {
		s->out.verdict = policy.head->allow[(rule / 64) & (HW_RULE_WORDS - 1)] >> (rule & 63) & 1;
		return 0;
	}
	s->out.reason = HW_REASON_DEFAULT;
	s->out.verdict = policy.head->endpoints[endpoint].default_verdict;
	return 0;
}
