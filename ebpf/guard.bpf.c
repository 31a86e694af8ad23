// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Decide in the caller's context, back it up on the packet.
 *
 * cgroup/connect4, connect6, sendmsg4, sendmsg6: `current` is the caller; a guarded destination is
 *   decided by the policy. Allow tags the socket, deny returns EPERM. A fact that cannot be read, no
 *   working memory, no tag: deny (fail closed). A destination that is not guarded is not touched.
 * cgroup_skb/egress: a packet to a guarded address from a socket without a valid tag is dropped and
 *   counted: raw sockets, destination NAT, connections older than the guard, and whatever path to
 *   connect comes next. Packets whose network header cannot be read are dropped. What an allowed
 *   connection asks is read only to count its version (stream.bpf.h); that never drops anything.
 */
#include "ebpf/describe.bpf.h"
#include "ebpf/packet.bpf.h"
#include "ebpf/stream.bpf.h"

/* For the agent alone, kept here so that they live and die with the guard. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, HW_SLOTS * HW_COUNTERS);
	__type(key, __u32);
	__type(value, struct hw_label);
} labels SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hw_about);
} about SEC(".maps");

static __always_inline bool tag_socket(struct bpf_sock *sk, const struct hw_head *head, const struct hw_scratch *s,
				       __u32 endpoint)
{
	struct hw_tag *tag = bpf_sk_storage_get(&tags, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!tag)
		return false;
	tag->digest = 0;
	if (s->out.verdict == HW_ALLOW && s->out.rule < HW_RULES_MAX)
		tag->digest = head->digest[s->out.rule & (HW_RULES_MAX - 1)];
	tag->rule = s->out.rule;
	tag->endpoint = endpoint;
	tag->verdict = s->out.verdict;
	tag->generation = head->generation;
	return true;
}

/* 1: go on, 0: EPERM */
static __always_inline int judge(struct bpf_sock_addr *ctx, const struct hw_policy *policy,
				 const struct hw_fact *endpoint, __u32 hook, bool is_imds)
{
	const struct hw_head *head = policy->head;
	struct hw_scratch *s = take_scratch(CALLER);
	bool allowed;

	if (!s) {
		count_reason(HW_REASON_SCRATCH_FULL);
		return head->mode == HW_AUDIT;
	}
	read_identity(s, head, bpf_get_current_task(), true);
	collect_votes(s, policy);
	hw_conclude(policy->slot, endpoint->endpoint);
	if ((s->out.verdict == HW_ALLOW || head->mode == HW_AUDIT) &&
	    !tag_socket(ctx->sk, head, s, endpoint->endpoint)) {
		s->out.verdict = HW_DENY;
		s->out.reason = HW_REASON_TAG_FULL;
		s->out.rule = HW_NO_RULE;
	}
	count_decision(s, head, endpoint->endpoint);
	if (s->out.verdict != HW_ALLOW)
		count_reason(s->out.reason);
	s->flow_key.endpoint = endpoint->endpoint;
	s->flow_key.protocol = ctx->protocol;
	s->flow_key.hook = hook;
	record_caller(s, head);
	allowed = s->out.verdict == HW_ALLOW || head->mode == HW_AUDIT;
	if (allowed && is_imds && ctx->type == SOCK_STREAM && ctx->protocol == IPPROTO_TCP)
		start_stream(ctx, s);
	drop_scratch(CALLER);
	return allowed;
}

static __always_inline int guard(struct bpf_sock_addr *ctx, __u32 w0, __u32 w1, __u32 w2, __u32 w3, __u32 hook)
{
	const struct hw_control *c = get_control();
	struct hw_policy policy;
	struct hw_fact *endpoint;

	if (!c || !maybe_guarded(c, w0, w1, w2, w3))
		return 1;
	if (!get_policy(c, &policy)) {
		count_reason(HW_REASON_NO_POLICY);
		return 0;
	}
	endpoint = find_endpoint(policy.facts, w0, w1, w2, w3);
	if (!endpoint)
		return 1;
	return judge(ctx, &policy, endpoint, hook, is_imds(w0, w1, w2, w3));
}

SEC("cgroup/connect4")
int guard_connect4(struct bpf_sock_addr *ctx)
{
	return guard(ctx, 0, 0, MAPPED_PREFIX, ctx->user_ip4, HW_HOOK_CONNECT4);
}

SEC("cgroup/sendmsg4")
int guard_sendmsg4(struct bpf_sock_addr *ctx)
{
	return guard(ctx, 0, 0, MAPPED_PREFIX, ctx->user_ip4, HW_HOOK_SENDMSG4);
}

/* ::ffff:a.b.c.d has the same four words as a.b.c.d above: folded by representation. */
SEC("cgroup/connect6")
int guard_connect6(struct bpf_sock_addr *ctx)
{
	return guard(ctx, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3], HW_HOOK_CONNECT6);
}

SEC("cgroup/sendmsg6")
int guard_sendmsg6(struct bpf_sock_addr *ctx)
{
	return guard(ctx, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3], HW_HOOK_SENDMSG6);
}

SEC("cgroup_skb/egress")
int guard_egress(struct __sk_buff *skb)
{
	struct hw_packet packet = {.protocol = skb->protocol, .hook = HW_HOOK_EGRESS};
	struct hw_destination to = {.reason = HW_REASON_RULE};

	if (!judge_packet(skb, &packet, &to))
		return 0;
	if (to.endpoint)
		read_segment(skb, to.payload_at, packet.transport);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
