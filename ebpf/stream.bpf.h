/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Which version of the metadata service's protocol the requests of a connection speak, counted for whoever
 * connected. An observer: it never refuses anything, and nothing but the version is kept.
 *
 * The socket's packets pass here in the order in which TCP first sends their bytes, one at a time: TCP sends under the
 * socket's lock. What is sent again is skipped by its sequence number. A byte that never passed, or that the far end
 * takes out of the stream (urgent data), makes the rest unknown, counted once.
 *
 * Not seen: what a process changes in a page after it was sent from it (MSG_ZEROCOPY, splice), and
 * connections that are older than the guard.
 */
#pragma once

#include "ebpf/describe.bpf.h"
#include "ebpf/http.h"

#define READ_AT_ONCE 64       /* bytes copied from a packet, a power of two */
#define READ_ROUNDS_MAX 1024  /* 64 KB: the largest packet of a socket that nobody has tuned; more: unknown */

#define TCP_FIN 1
#define TCP_URG 32

static __always_inline bool is_imds(__u32 w0, __u32 w1, __u32 w2, __u32 w3)
{
	if (!w0)
		return !w1 && w2 == bpf_htonl(0xffff) && w3 == bpf_htonl(HW_IMDS_V4);
	return w0 == bpf_htonl(HW_IMDS_V6_FIRST) && !w1 && !w2 && w3 == bpf_htonl(HW_IMDS_V6_LAST);
}

/* What a flow of this caller looks like: just described, or described when the flow was new. */
static __always_inline const struct hw_flow *described(struct hw_scratch *s)
{
	const struct hw_flow *known = s->flow.pid ? NULL : find_flow(&s->flow_key, current_epoch());

	if (known)
		return known;
	if (!s->flow.pid)
		describe_caller(s); /* the agent took the flow in between */
	return &s->flow;
}

/* Follows the connection that s has just allowed. Begins anew if its socket was connected before. */
static __noinline int start_stream(struct bpf_sock_addr *ctx, struct hw_scratch *s)
{
	struct hw_stream *stream = bpf_sk_storage_get(&streams, ctx->sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (!stream) {
		count_lost(HW_LOST_STREAMS_FULL);
		return 0;
	}
	__builtin_memset(&stream->http, 0, sizeof(stream->http));
	__builtin_memcpy(&stream->flow, described(s), sizeof(stream->flow));
	stream->flow.pid = bpf_get_current_pid_tgid() >> 32;
	__builtin_memcpy(&stream->key, &s->flow_key, sizeof(stream->key));
	stream->key.hook = HW_HOOK_REQUEST;
	return 0;
}

static __always_inline struct bpf_sock *get_socket(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	return sk ? bpf_sk_fullsock(sk) : NULL;
}

static __always_inline struct hw_stream *get_stream(struct __sk_buff *skb)
{
	struct bpf_sock *sk = get_socket(skb);

	return sk ? bpf_sk_storage_get(&streams, sk, NULL, 0) : NULL;
}

/* A policy that allows the same renews the tag: the requests count for its rule then. */
static __always_inline void renew_stream(struct __sk_buff *skb, struct hw_stream *stream)
{
	struct bpf_sock *sk = get_socket(skb);
	struct hw_tag *tag = sk ? bpf_sk_storage_get(&tags, sk, NULL, 0) : NULL;

	if (tag)
		stream->key.generation = tag->generation;
}

/* Index of the counters that the stream's requests are added to. Once the policy that let the connection
 * pass is gone its rules have no counters: the endpoint's are left. */
static __always_inline __u32 stream_counter(const struct hw_stream *stream)
{
	const struct hw_control *c = get_control();
	struct hw_policy policy;
	__u32 rule = HW_NO_RULE;

	if (!c || !get_policy(c, &policy))
		return HW_RULES_MAX;
	if (stream->key.generation == policy.head->generation)
		rule = stream->key.rule;
	return counter_index(policy.head, rule, stream->key.endpoint);
}

static __noinline int count_request(struct hw_stream *stream, __u32 version)
{
	__u32 index = stream_counter(stream);
	struct hw_counter *counter = bpf_map_lookup_elem(&counters, &index);
	__u64 *total = bpf_map_lookup_elem(&requests, &version);

	if (counter)
		__sync_fetch_and_add(&counter->requests[MASKED(version, HW_IMDS_COUNT - 1)], 1);
	if (total)
		__sync_fetch_and_add(total, 1);
	stream->key.imds = version;
	add_flow(&stream->key, &stream->flow);
	return 0;
}

/* Not static: the verifier checks it once, not for each byte. So are the two below. */
__noinline int hw_read_byte(struct __sk_buff *skb, __u32 byte)
{
	struct hw_stream *stream = get_stream(skb);
	__u32 version;

	if (!stream)
		return 0;
	version = hw_http_byte(&stream->http, byte);
	if (version)
		count_request(stream, version);
	return 0;
}

/* Reads 1 to READ_AT_ONCE bytes. 0: they could not be copied. */
__noinline int hw_read_bytes(struct __sk_buff *skb, __u32 offset, __u32 length)
{
	__u8 bytes[READ_AT_ONCE] = {};
	__u32 size = MASKED(length - 1, READ_AT_ONCE - 1) + 1;

	if (bpf_skb_load_bytes(skb, offset, bytes, size))
		return 0;
	for (__u32 i = 0; i < READ_AT_ONCE; i++) {
		if (i >= size)
			break;
		hw_read_byte(skb, bytes[i]);
	}
	return 1;
}

/* Reads from offset to the end of the packet. 0: not all of it. */
__noinline int hw_read_payload(struct __sk_buff *skb, __u32 offset)
{
	for (__u32 i = 0; i < READ_ROUNDS_MAX; i++) {
		__u32 left = skb->len - offset;

		if (offset >= skb->len)
			break;
		if (!hw_read_bytes(skb, offset, left < READ_AT_ONCE ? left : READ_AT_ONCE))
			return 0;
		offset += READ_AT_ONCE;
	}
	return offset >= skb->len;
}

struct hw_segment {
	__u32 sequence; /* of the first byte of the payload */
	__u32 payload_at;
	__u32 length;
	__u32 flags;
};

/* False: the packet of a TCP socket that does not look like one (IPv6 extension headers). */
static __always_inline bool parse_segment(struct __sk_buff *skb, __u32 tcp_at, __u32 transport, struct hw_segment *segment)
{
	struct {
		__u32 ports;
		__be32 sequence;
		__u32 acknowledged;
		__u8 length;
		__u8 flags;
	} tcp;

	if (transport != IPPROTO_TCP || bpf_skb_load_bytes(skb, tcp_at, &tcp, sizeof(tcp)))
		return false;
	segment->flags = tcp.flags;
	segment->sequence = bpf_ntohl(tcp.sequence);
	segment->payload_at = tcp_at + 4 * (tcp.length >> 4);
	segment->length = skb->len > segment->payload_at ? skb->len - segment->payload_at : 0;
	return true;
}

/* 0: the stream cannot be followed any further. */
static __always_inline bool read_stream(struct __sk_buff *skb, struct hw_stream *stream, const struct hw_segment *segment)
{
	__u32 sequence = segment->sequence;
	__u32 known;

	if (segment->flags & TCP_SYN) {
		hw_http_open(&stream->http, sequence);
		sequence++;
	}
	if (!segment->length && !(segment->flags & TCP_FIN))
		return true;
	known = hw_http_segment(&stream->http, sequence, segment->length);
	if (known == HW_HTTP_GAP || (segment->flags & TCP_URG))
		return false;
	return known >= segment->length || hw_read_payload(skb, segment->payload_at + known);
}

/* Reads what a packet of an allowed connection asks. */
static __noinline int read_segment(struct __sk_buff *skb, __u32 tcp_at, __u32 transport)
{
	struct hw_stream *stream = get_stream(skb);
	struct hw_segment segment = {};

	if (!stream || stream->http.state == HW_HTTP_LOST)
		return 0;
	renew_stream(skb, stream);
	if (!parse_segment(skb, tcp_at, transport, &segment) || !read_stream(skb, stream, &segment)) {
		count_request(stream, hw_http_lose(&stream->http));
		return 0;
	}
	if (segment.flags & TCP_FIN && hw_http_end(&stream->http))
		count_request(stream, HW_IMDS_UNKNOWN);
	return 0;
}
