/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Judging a packet by its destination and its socket's tag. Used where there is no caller to ask:
 * cgroup_skb/egress and tc egress.
 */
#pragma once

#include "ebpf/record.bpf.h"

/* Third word of an IPv4 address as ::ffff:a.b.c.d, network order. */
#define MAPPED_PREFIX bpf_htonl(0xffff)

struct hw_packet {
	__u32 protocol; /* EtherType, network order */
	__u32 offset;   /* of the network header */
	__u32 hook;     /* enum hw_hook */
	__u32 transport; /* IPPROTO_* */
};

#define IPV4_HEADER 20
#define IPV6_HEADER 40
#define IPOPT_BYTES_MAX 40
#define NEXTHDR_HOP 0
#define NEXTHDR_ROUTING 43
#define NEXTHDR_DEST 60
#define EXTENSIONS_MAX 4
#define SEGMENTS_MAX 8

static __always_inline struct hw_fact *guarded_v4(const struct hw_control *c, void *table, __u32 address)
{
	if (!maybe_guarded(c, 0, 0, MAPPED_PREFIX, address))
		return NULL;
	return find_endpoint(table, 0, 0, MAPPED_PREFIX, address);
}

static __always_inline struct hw_fact *guarded_v6(const struct hw_control *c, void *table, const __u32 *a)
{
	if (!maybe_guarded(c, a[0], a[1], a[2], a[3]))
		return NULL;
	return find_endpoint(table, a[0], a[1], a[2], a[3]);
}

/* A source route (RFC 791 options 131 and 137) can name a guarded address that is not the packet's
 * destination yet. Any four bytes of the options count: options are rare, and no other option of a
 * sender holds addresses. */
static __noinline struct hw_fact *routed_v4(struct __sk_buff *skb, const struct hw_control *c, void *table,
					    __u32 offset, __u32 end)
{
	for (__u32 i = 0; i + 4 <= IPOPT_BYTES_MAX; i++) {
		__u32 at = offset + IPV4_HEADER + i;
		struct hw_fact *endpoint;
		__u32 address;

		if (at + 4 > end || bpf_skb_load_bytes(skb, at, &address, sizeof(address)))
			return NULL;
		endpoint = guarded_v4(c, table, address);
		if (endpoint)
			return endpoint;
	}
	return NULL;
}

/* The same for IPv6 routing headers (RFC 8200 4.4, RFC 8754): segments start 8 bytes in. */
static __noinline struct hw_fact *routed_v6(struct __sk_buff *skb, const struct hw_control *c, void *table,
					    __u32 offset, __u32 next)
{
	__u32 at = offset + IPV6_HEADER;
	__u8 header[2] = {}; /* next header, length in 8 bytes beyond the first 8 */

	for (int i = 0; i < EXTENSIONS_MAX && next != NEXTHDR_ROUTING; i++) {
		if (next != NEXTHDR_HOP && next != NEXTHDR_DEST)
			return NULL;
		if (bpf_skb_load_bytes(skb, at, header, sizeof(header)))
			return NULL;
		next = header[0];
		at += 8 + 8 * (__u32)header[1];
	}
	if (next != NEXTHDR_ROUTING || bpf_skb_load_bytes(skb, at, header, sizeof(header)))
		return NULL;
	for (__u32 segment = 0; segment < SEGMENTS_MAX; segment++) {
		struct hw_fact *endpoint;
		__u32 address[4];

		if (segment * 2 >= header[1] || bpf_skb_load_bytes(skb, at + 8 + 16 * segment, address, sizeof(address)))
			return NULL;
		endpoint = guarded_v6(c, table, address);
		if (endpoint)
			return endpoint;
	}
	return NULL;
}

struct hw_destination {
	struct hw_fact *endpoint; /* NULL: not guarded */
	__u32 reason;             /* why a tag would not help; HW_REASON_RULE: a tag decides */
	__u32 payload_at;         /* offset of the transport header */
	__u32 end;                /* offset past the packet */
	__u32 words[4];           /* the address, network order; IPv4 as ::ffff:a.b.c.d */
	bool may_be_routed;       /* has options or extension headers that could name another address */
};

/* Almost every packet has its headers in the linear part, where they cost no call. Read in whole words: the machines we
 * run on do not mind where those lie, byte by byte is 4 times the instructions. */
static __always_inline long read_header(struct __sk_buff *skb, __u32 offset, void *to, __u32 size)
{
	void *start = (void *)(long)skb->data + offset;

	if (start + size <= (void *)(long)skb->data_end) {
		__builtin_memcpy(to, __builtin_assume_aligned(start, 4), size);
		return 0;
	}
	return bpf_skb_load_bytes(skb, offset, to, size);
}

/* False: shorter than a header, no receiver takes it for IPv4. */
static __always_inline bool read_v4(struct __sk_buff *skb, struct hw_packet *packet, struct hw_destination *to)
{
	struct {
		__u8 version_length;
		__u8 tos;
		__be16 total;
		__u32 fragment;
		__u8 ttl;
		__u8 protocol;
		__u16 checksum;
		__u32 source;
		__u32 destination;
	} ip;

	if (read_header(skb, packet->offset, &ip, sizeof(ip)))
		return false;
	packet->transport = ip.protocol;
	to->payload_at = packet->offset + 4 * (ip.version_length & 15);
	to->end = packet->offset + bpf_ntohs(ip.total);
	to->words[2] = MAPPED_PREFIX;
	to->words[3] = ip.destination;
	to->may_be_routed = (ip.version_length & 15) > 5;
	return true;
}

static __always_inline bool read_v6(struct __sk_buff *skb, struct hw_packet *packet, struct hw_destination *to)
{
	struct {
		__u32 flow;
		__be16 payload;
		__u8 next;
		__u8 hops;
		__u32 source[4];
		__u32 destination[4];
	} ip;

	if (read_header(skb, packet->offset, &ip, sizeof(ip)))
		return false;
	packet->transport = ip.next;
	to->payload_at = packet->offset + IPV6_HEADER;
	to->end = to->payload_at + bpf_ntohs(ip.payload);
	__builtin_memcpy(to->words, ip.destination, sizeof(to->words));
	to->may_be_routed = ip.next == NEXTHDR_ROUTING || ip.next == NEXTHDR_HOP || ip.next == NEXTHDR_DEST;
	return true;
}

/* By the headers and the filter alone, as almost every packet is: the policy is not looked at. */
static __always_inline bool may_be_guarded(struct __sk_buff *skb, struct hw_packet *packet,
					   const struct hw_control *c, struct hw_destination *to)
{
	bool is_read = false;

	if (packet->protocol == bpf_htons(ETH_P_IP))
		is_read = read_v4(skb, packet, to);
	else if (packet->protocol == bpf_htons(ETH_P_IPV6))
		is_read = read_v6(skb, packet, to);
	return is_read && (to->may_be_routed ||
			   maybe_guarded(c, to->words[0], to->words[1], to->words[2], to->words[3]));
}

static __always_inline void find_destination(struct __sk_buff *skb, const struct hw_packet *packet,
					     const struct hw_control *c, void *table, struct hw_destination *to)
{
	to->endpoint = find_endpoint(table, to->words[0], to->words[1], to->words[2], to->words[3]);
	if (to->endpoint || !to->may_be_routed)
		return;
	to->reason = HW_REASON_SOURCE_ROUTE;
	if (packet->protocol == bpf_htons(ETH_P_IP))
		to->endpoint = routed_v4(skb, c, table, packet->offset, to->payload_at);
	else
		to->endpoint = routed_v6(skb, c, table, packet->offset, packet->transport);
}

#define TCP_SYN 2
#define TCP_RST 4

/* Flags of a TCP segment that carries no data, 0 for everything else. */
static __always_inline __u32 bare_tcp_flags(struct __sk_buff *skb, const struct hw_packet *packet,
					    const struct hw_destination *to)
{
	__u8 tcp[14]; /* up to and with the flags */

	if (packet->transport != IPPROTO_TCP || bpf_skb_load_bytes(skb, to->payload_at, tcp, sizeof(tcp)))
		return 0;
	return to->end <= to->payload_at + 4 * (tcp[12] >> 4) ? tcp[13] : 0;
}

/* A bare RST or ACK, as the kernel sends for connections whose socket is gone: the answer to the far
 * end's last FIN, first of all. It asks for nothing, and without it the far end repeats itself. */
static __always_inline bool is_tcp_control(struct __sk_buff *skb, const struct hw_packet *packet,
					   const struct hw_destination *to)
{
	__u32 flags = bare_tcp_flags(skb, packet, to);

	return flags && !(flags & TCP_SYN);
}

/* The kind of socket that the kernel sends those from (tcp_sk_init() in net/ipv4/tcp_ipv4.c). Root can
 * make one like it, which gains nothing: such a segment carries no request. */
static __always_inline bool is_control_socket(const struct bpf_sock *sk)
{
	return sk->type == SOCK_RAW && sk->protocol == IPPROTO_TCP;
}

/* HW_REASON_RULE: the tag allows the packet. Otherwise why not. */
static __always_inline __u32 check_tag(struct bpf_sock *sk, const struct hw_policy *policy,
				       const struct hw_fact *endpoint, bool *audited)
{
	const struct hw_head *head = policy->head;
	struct hw_tag *tag = bpf_sk_storage_get(&tags, sk, NULL, 0);

	if (!tag)
		return HW_REASON_UNTAGGED;
	if (tag->verdict != HW_ALLOW) {
		/* Let pass by audit mode: recorded when it connected. */
		*audited = head->mode == HW_AUDIT;
		return HW_REASON_UNTAGGED;
	}
	if (tag->endpoint != endpoint->endpoint)
		return HW_REASON_UNTAGGED;
	if (tag->generation == head->generation)
		return HW_REASON_RULE;
	/* Allowed by an earlier policy. The digest covers every rule up to the one that allowed, so
	 * the same caller would be allowed by the same rule now. */
	if (!tag->digest || !find_fact(policy->facts, HW_FACT_DIGEST, tag->digest, 0))
		return HW_REASON_STALE;
	tag->generation = head->generation;
	return HW_REASON_RULE;
}

#define CGROUP_LEVELS_MAX 32

/* Whether the packet's socket was made below the guarded cgroup. tc sees those of everybody. */
static __always_inline bool is_of_guarded_cgroup(struct __sk_buff *skb, const struct hw_head *head)
{
	for (int level = 0; level < CGROUP_LEVELS_MAX; level++) {
		__u64 id = bpf_skb_ancestor_cgroup_id(skb, level);

		if (id == head->root_cgroup)
			return true;
		if (!id)
			return false;
	}
	return true;
}

/* The id of the root of cgroup2: the first node of its file system (fs/kernfs/dir.c). */
#define ROOT_CGROUP_ID 1

/* A packet without socket is nobody's: one made here is judged where everybody is guarded, one that
 * is routed through by the policy's own switch for those. */
static __always_inline __u32 judge_orphan(struct __sk_buff *skb, const struct hw_packet *packet,
					  const struct hw_head *head, const struct hw_destination *to)
{
	if (skb->ingress_ifindex)
		return head->flags & HW_HEAD_FORWARDED_ALLOW ? HW_REASON_RULE : HW_REASON_FORWARDED;
	if (head->root_cgroup != ROOT_CGROUP_ID)
		return HW_REASON_RULE;
	return is_tcp_control(skb, packet, to) ? HW_REASON_RULE : HW_REASON_NO_SOCKET;
}

static __always_inline __u32 judge_socket(struct __sk_buff *skb, const struct hw_packet *packet,
					  const struct hw_policy *policy, const struct hw_destination *to,
					  bool *audited)
{
	struct bpf_sock *sk = skb->sk;
	__u32 reason;

	if (sk)
		sk = bpf_sk_fullsock(sk);
	if (!sk)
		return judge_orphan(skb, packet, policy->head, to);
	if (packet->hook == HW_HOOK_TC && !is_of_guarded_cgroup(skb, policy->head))
		return HW_REASON_RULE;
	if (to->reason != HW_REASON_RULE)
		return to->reason;
	reason = check_tag(sk, policy, to->endpoint, audited);
	/* A connection that is not allowed any more may be ended: the far end would keep it, and the next
	 * client with this port would meet it. */
	if (reason == HW_REASON_STALE && bare_tcp_flags(skb, packet, to) & TCP_RST)
		return HW_REASON_RULE;
	if (reason != HW_REASON_UNTAGGED)
		return reason;
	if (sk->family == AF_PACKET)
		return HW_REASON_PACKET_SOCKET;
	return is_control_socket(sk) && is_tcp_control(skb, packet, to) ? HW_REASON_RULE : reason;
}

static __noinline int record_packet(struct __sk_buff *skb, const struct hw_packet *packet, const struct hw_head *head,
				    __u32 endpoint, __u32 reason)
{
	struct hw_scratch *s = take_scratch(PACKET);

	if (!s) {
		count_lost(HW_LOST_SCRATCH_BUSY);
		return 0;
	}
	s->who.uid = bpf_get_socket_uid(skb);
	s->who.euid = s->who.uid;
	s->who.gid = -1;
	s->who.egid = -1;
	s->who.cgroup_id = bpf_skb_cgroup_id(skb);
	s->who.flags = HW_ID_SOCKET_ONLY;
	s->out.verdict = HW_DENY;
	s->out.reason = reason;
	s->out.rule = HW_NO_RULE;
	s->flow_key.endpoint = endpoint;
	s->flow_key.protocol = packet->transport;
	s->flow_key.hook = packet->hook;
	key_flow(s, head);
	add_flow(&s->flow_key, &s->flow);
	drop_scratch(PACKET);
	return 0;
}

/* Whether the packet may go on; `to` is where it goes. */
static __always_inline bool judge_packet(struct __sk_buff *skb, struct hw_packet *packet, struct hw_destination *to)
{
	const struct hw_control *c = get_control();
	struct hw_policy policy;
	bool audited = false;
	__u32 reason;

	if (!c || !may_be_guarded(skb, packet, c, to))
		return true;
	if (!get_policy(c, &policy))
		return true; /* never attached without a policy */
	find_destination(skb, packet, c, policy.facts, to);
	if (!to->endpoint)
		return true;
	reason = judge_socket(skb, packet, &policy, to, &audited);
	if (reason == HW_REASON_RULE || audited)
		return true;
	count_reason(reason);
	record_packet(skb, packet, policy.head, to->endpoint->endpoint, reason);
	return policy.head->mode == HW_AUDIT;
}
