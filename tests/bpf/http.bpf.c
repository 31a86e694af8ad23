// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * Runs the reader of ebpf/http.h on bytes that the test gives it, compiled as the product compiles it. A raw
 * tracepoint program, because those can be run by the test on every kernel since 5.10.
 */
#include "ebpf/compat.bpf.h"
#include "ebpf/http.h"
#include "tests/bpf/http_abi.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct http_question);
} question SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct http_answer);
} answer SEC(".maps");

static __always_inline void add_version(struct http_answer *a, __u32 version)
{
	__u64 at = MASKED(a->count, HTTP_VERSIONS_MAX - 1);

	if (!version)
		return;
	a->versions[at] = version;
	a->count++;
}

/* Not static: checked once, not for each byte. */
__noinline int read_one(__u32 at)
{
	__u32 zero = 0;
	const struct http_question *q = bpf_map_lookup_elem(&question, &zero);
	struct http_answer *a = bpf_map_lookup_elem(&answer, &zero);

	if (q && a)
		add_version(a, hw_http_byte(&a->http, q->bytes[MASKED(at, HTTP_STREAM_MAX - 1)]));
	return 0;
}

SEC("raw_tp")
int read_stream(void *ctx)
{
	__u32 zero = 0;
	const struct http_question *q = bpf_map_lookup_elem(&question, &zero);
	struct http_answer *a = bpf_map_lookup_elem(&answer, &zero);

	if (!q || !a)
		return 0;
	for (__u32 i = 0; i < HTTP_STREAM_MAX; i++) {
		if (i >= q->length)
			break;
		read_one(i);
	}
	add_version(a, hw_http_end(&a->http));
	a->answered = 1;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
