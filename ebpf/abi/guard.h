/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The structures that the guard's BPF programs and the agent share. C and C++.
 *
 * One policy is one slot. A reader reads `hw_control.active` once and then uses only that slot's
 * head, facts and names; the writer fills the other slot, flips `active`, and waits for a grace
 * period before it touches the old slot. So a decision sees exactly one policy, never a mixture.
 *
 * A decision is an intersection of bit sets: bit N of every set is rule N in file order. Each
 * fact about the caller is looked up to the set of rules that name it; `any` holds the rules
 * that do not name that kind of fact; the lowest bit of the intersection is the rule.
 */
#pragma once

#ifdef __cplusplus
#include <linux/types.h>
#define HW_STATIC_ASSERT static_assert
#else
#ifndef __VMLINUX_TYPES__
#include <linux/types.h>
#endif
#define HW_STATIC_ASSERT _Static_assert
#endif

/* Bumped when any structure here or the meaning of any map changes: a loader that finds pins of
 * another version never reuses their maps, it attaches its own set beside and then removes them. */
#define HW_ABI_VERSION 3

#define HW_RULES_MAX 1024                   /* rules of one policy */
#define HW_RULE_WORDS (HW_RULES_MAX / 64)   /* 64-bit words of a rule set */
#define HW_ENDPOINTS_MAX 8                  /* guarded endpoints of one policy */
#define HW_ADDRESSES_MAX 32                 /* guarded addresses over all endpoints */
#define HW_GROUPS_MAX 256                   /* supplementary groups looked at; more: deny, counted */
#define HW_CGROUP_DEPTH_MAX 16              /* levels below the guarded cgroup; more: deny, counted */
#define HW_PATTERNS_MAX 64                  /* `cgroup = ` path patterns of one policy */
#define HW_PATTERN_DEPTH_MAX 8              /* components of one path pattern */
#define HW_SHAPES_MAX 16                    /* distinct (prefix length, suffix length) of globs */
#define HW_NAME_MAX 124                     /* bytes of a name that a rule can spell */
#define HW_CGROUP_CACHE_MAX 2048            /* cgroups remembered per policy; more: matched again */
#define HW_TEXT_MAX 256                     /* bytes of a path shown to people, NUL included */
#define HW_FLOWS_MAX 2048                   /* identities aggregated per epoch; more: counted only */
#define HW_SLOTS 2
#define HW_COUNTERS (HW_RULES_MAX + HW_ENDPOINTS_MAX)
#define HW_NO_RULE 0xffffffffu              /* decided by the endpoint's default or by a layer */

enum hw_verdict {
	HW_DENY = 0,
	HW_ALLOW = 1,
	HW_BROKER = 2, /* reserved: redirect to the request-level broker; treated as deny */
};

enum hw_mode {
	HW_ENFORCE = 0,
	HW_AUDIT = 1, /* decide, record, let pass */
};

/* Why a decision came out as it did. The text of each is in agent/guard/reasons.h. */
enum hw_reason {
	HW_REASON_RULE = 0,          /* a rule of the policy */
	HW_REASON_DEFAULT,           /* no rule matched: the endpoint's default */
	HW_REASON_NO_POLICY,         /* a program ran without a policy: a defect, denied */
	HW_REASON_UNREADABLE,        /* a fact about the caller could not be read */
	HW_REASON_GROUPS_OVERFLOW,   /* more than HW_GROUPS_MAX supplementary groups */
	HW_REASON_CGROUP_DEPTH,      /* deeper than HW_CGROUP_DEPTH_MAX below the guarded cgroup */
	HW_REASON_KERNEL_THREAD,     /* the caller is a kernel thread */
	HW_REASON_SCRATCH_FULL,      /* no working memory left for the decision */
	HW_REASON_TAG_FULL,          /* allowed, but the socket could not be tagged */
	HW_REASON_UNTAGGED,          /* packet: the socket was never allowed */
	HW_REASON_STALE,             /* packet: allowed by an earlier policy, not by this one */
	HW_REASON_SOURCE_ROUTE,      /* packet: a source-route option names a guarded address */
	HW_REASON_MALFORMED,         /* packet: headers could not be read */
	HW_REASON_NO_SOCKET,         /* tc: made on this host, but no socket is known */
	HW_REASON_PACKET_SOCKET,     /* tc: AF_PACKET or another link-layer socket */
	HW_REASON_FORWARDED,         /* tc: routed or bridged through this host */
	HW_REASON_BYPASS_SOCKET,     /* LSM: AF_XDP socket or PACKET_QDISC_BYPASS */
	HW_REASON_PTRACE,            /* LSM: attach to a process that the policy allows */
	HW_REASON_FD_RECEIVED,       /* LSM: an allowed socket passed to a process not allowed */
	HW_REASON_SEALED,            /* LSM: change of the guard while it is sealed */
	HW_REASON_COUNT,
};

/* Where it was decided. */
enum hw_hook {
	HW_HOOK_CONNECT4 = 0,
	HW_HOOK_CONNECT6,
	HW_HOOK_SENDMSG4,
	HW_HOOK_SENDMSG6,
	HW_HOOK_EGRESS,
	HW_HOOK_TC,
	HW_HOOK_LSM,
	HW_HOOK_REQUEST, /* no decision: a request seen on a connection that was decided before */
	HW_HOOK_COUNT,
};

/* What a request to the metadata service is, by its head (ebpf/http.h). */
enum hw_imds {
	HW_IMDS_NONE = 0, /* not a request */
	HW_IMDS_V1,       /* carries no token */
	HW_IMDS_V2,       /* carries a token, or asks for one */
	HW_IMDS_UNKNOWN,  /* could not be read, and what follows on its connection neither */
	HW_IMDS_COUNT,
};

/* Things counted that are not decisions. */
enum hw_lost {
	HW_LOST_FLOWS_FULL = 0, /* a decision that found the flow table full: counted, not listed */
	HW_LOST_SCRATCH_BUSY,   /* a packet decision without working memory: counted, not listed */
	HW_LOST_CACHE_FULL,     /* a cgroup matched again because the cache is full */
	HW_LOST_RING_FULL,      /* a wake-up not sent because one is pending */
	HW_LOST_STREAMS_FULL,   /* a connection whose requests are not counted: no memory to follow it */
	HW_LOST_COUNT,
};

enum hw_fact_kind {
	HW_FACT_ENDPOINT = 1, /* a, b: the 16 address bytes in network order; IPv4 as ::ffff:a.b.c.d */
	HW_FACT_USER,         /* a: uid */
	HW_FACT_GROUP,        /* a: gid */
	HW_FACT_EXE,          /* a: inode number, b: device << 32 | generation */
	HW_FACT_CGROUP,       /* a: cgroup id. Cache, written by the programs themselves */
	HW_FACT_DIGEST,       /* a: hw_head.digest of an allow rule */
};

/* Key of the facts table. All bytes count: zero what is not used. */
struct hw_fact_key {
	__u32 kind; /* enum hw_fact_kind */
	__u32 pad;
	__u64 a;
	__u64 b;
};
HW_STATIC_ASSERT(sizeof(struct hw_fact_key) == 24, "hw_fact_key");

/* Value of the facts table: the rules that name this fact. For an endpoint: the rules that apply
 * to it. For a digest: unused. */
struct hw_fact {
	__u64 rules[HW_RULE_WORDS];
	__u32 endpoint; /* HW_FACT_ENDPOINT and HW_FACT_DIGEST: index into hw_head.endpoints */
	__u32 pad;
};
HW_STATIC_ASSERT(sizeof(struct hw_fact) == 136, "hw_fact");

/* Key of the names table: one cgroup path component as a rule spells it.
 * Exact: prefix_len = its length, suffix_len = 0, exact = 1.
 * Glob `PREFIX*SUFFIX`: exact = 0, text = PREFIX immediately followed by SUFFIX.
 * `*` matches any run of bytes, the empty one too, and never `/`. Unused bytes are zero. */
struct hw_name_key {
	__u8 prefix_len;
	__u8 suffix_len;
	__u8 exact;
	__u8 pad;
	char text[HW_NAME_MAX];
};
HW_STATIC_ASSERT(sizeof(struct hw_name_key) == 128, "hw_name_key");

struct hw_name {
	/* Rules with this as `unit`: they match when every component before is a slice (ends in
	 * ".slice"), which only the system's service manager can make. */
	__u64 unit_rules[HW_RULE_WORDS];
	/* at[i]: path patterns (bits of hw_head.pattern_*) whose component i this is. */
	__u64 at[HW_PATTERN_DEPTH_MAX];
};
HW_STATIC_ASSERT(sizeof(struct hw_name) == 192, "hw_name");

struct hw_shape {
	__u8 prefix_len;
	__u8 suffix_len;
};

enum hw_condition {
	HW_COND_USER = 0,
	HW_COND_GROUP,
	HW_COND_EXE,
	HW_COND_CGROUP,
	HW_COND_COUNT,
};

enum hw_head_flags {
	HW_HEAD_FORWARDED_ALLOW = 1, /* tc: traffic routed through this host passes */
	HW_HEAD_BYPASS_ALLOW = 2,    /* LSM: AF_XDP and PACKET_QDISC_BYPASS are left alone */
	HW_HEAD_HAS_GROUPS = 4,      /* some rule names a group */
	HW_HEAD_HAS_CGROUPS = 8,     /* some rule names a unit or a cgroup */
};

struct hw_endpoint {
	__u32 default_verdict; /* enum hw_verdict */
	__u32 counter;         /* index into the counters, HW_RULES_MAX and up */
};

/* One per slot: everything of a policy that is not looked up by key. */
struct hw_head {
	__u64 generation;  /* 1, 2, ...: of this guard's life; 0: no policy */
	__u64 root_cgroup; /* id of the cgroup the guard is attached to: paths start below it */
	__u32 mode;        /* enum hw_mode */
	__u32 flags;       /* enum hw_head_flags */
	__u32 rule_count;
	__u32 endpoint_count;
	__u32 shape_count;
	/* Namespaces of "host": the loader's own. A caller that differs in any is a container. */
	__u32 pid_ns;
	__u32 net_ns;
	__u32 user_ns;
	__u32 cgroup_ns;
	__u32 pad;
	__u64 loaded_at;   /* CLOCK_REALTIME seconds: when the loader made this the policy */
	__u8 policy_digest[32];                           /* SHA-256 of the policy, see policy.h */
	__u64 any[HW_COND_COUNT][HW_RULE_WORDS];          /* rules that do not name the condition */
	__u64 scope[2][HW_RULE_WORDS];                    /* [0] rules for the host, [1] for containers */
	__u64 allow[HW_RULE_WORDS];                       /* rules whose action is allow */
	__u64 pattern_rules[HW_PATTERNS_MAX][HW_RULE_WORDS];
	__u64 pattern_start;                              /* bits of the patterns in use */
	__u64 pattern_ends[HW_PATTERN_DEPTH_MAX];         /* [i] patterns complete with component i */
	struct hw_shape shapes[HW_SHAPES_MAX];
	struct hw_endpoint endpoints[HW_ENDPOINTS_MAX];
	struct hw_fact endpoint_facts[HW_ENDPOINTS_MAX];  /* the ENDPOINT facts, by index; by the loader */
	/* digest[r] covers endpoint list and rules 0..r as written. A connection that rule r allowed
	 * under an earlier policy stays allowed when the digest of its rule still exists. */
	__u64 digest[HW_RULES_MAX];
	__u16 counter[HW_RULES_MAX];                      /* rule -> index into the counters */
};

/* The one entry of the control map. */
struct hw_control {
	__u32 abi_version;
	__u32 active;     /* slot in use: 0 or 1 */
	__u32 epoch;      /* flows are written to table epoch & 1 */
	__u32 sealed;     /* 1: until reboot nobody changes the guard (LSM layer) */
	/* Bit hw_address_hash() is set for every guarded address: a destination whose bit is clear
	 * is none of ours. During a swap the union of both policies. */
	__u64 filter[4];
};
HW_STATIC_ASSERT(sizeof(struct hw_control) == 48, "hw_control");

enum hw_identity_flags {
	HW_ID_NO_EXE = 1,        /* no program file: a kernel thread */
	HW_ID_EXE_UNTRUSTED = 2, /* never matches: deleted, memfd, claimed by prctl, user mount */
	HW_ID_CONTAINER = 4,     /* own pid, net, user or cgroup namespace, or in a pod's cgroup */
	HW_ID_UNREADABLE = 8,
	HW_ID_GROUPS_OVERFLOW = 16,
	HW_ID_CGROUP_DEPTH = 32,
	HW_ID_KERNEL_THREAD = 64,
	HW_ID_TRACED = 256,      /* by somebody who is not root: counts for neither program nor cgroup */
	HW_ID_SOCKET_ONLY = 128,    /* packet: only uid and cgroup are known, from the socket */
};

/* Who calls. All from the kernel's own structures in the init user namespace. */
struct hw_identity {
	__u32 uid;  /* real */
	__u32 euid;
	__u32 gid;  /* real */
	__u32 egid;
	__u64 exe_inode;
	__u32 exe_device;     /* super block's s_dev as the kernel stores it: major << 20 | minor */
	__u32 exe_generation;
	__u64 cgroup_id;
	__u32 pid_ns;
	__u32 net_ns;
	__u32 user_ns;
	__u32 flags; /* enum hw_identity_flags */
};
HW_STATIC_ASSERT(sizeof(struct hw_identity) == 56, "hw_identity");

/* Key of a flow: the same identity with the same outcome is one flow. Zeroed before use. */
struct hw_flow_key {
	struct hw_identity who;
	__u32 rule;     /* index, or HW_NO_RULE */
	__u32 endpoint; /* index */
	__u8 verdict;   /* what the policy says */
	__u8 mode;      /* HW_AUDIT: a deny was let pass */
	__u8 reason;
	__u8 hook;
	__u16 protocol; /* IPPROTO_* where the hook knows it, else 0 */
	__u8 imds;      /* HW_HOOK_REQUEST: enum hw_imds */
	__u8 pad;
	__u64 generation;
};
HW_STATIC_ASSERT(sizeof(struct hw_flow_key) == 80, "hw_flow_key");

struct hw_flow {
	__u64 count;
	__u64 first_ns; /* CLOCK_MONOTONIC */
	__u64 last_ns;
	__u32 pid;  /* of the first, init pid namespace: for people, not identity */
	__u32 pad;
	/* Paths as text for people, not identity. Components leaf first, each NUL-terminated. */
	char exe[HW_TEXT_MAX];
	char cgroup[HW_TEXT_MAX];
};
HW_STATIC_ASSERT(sizeof(struct hw_flow) == 544, "hw_flow");

/* Value of the socket storage: what was allowed. */
struct hw_tag {
	__u64 generation;
	__u64 digest;   /* hw_head.digest of the rule; 0: let pass by audit mode or default */
	__u32 rule;     /* index in that generation, or HW_NO_RULE */
	__u32 endpoint;
	__u32 verdict;  /* enum hw_verdict as decided */
	__u32 pad;
};
HW_STATIC_ASSERT(sizeof(struct hw_tag) == 32, "hw_tag");

/* The addresses whose protocol is the metadata service's: requests to them are read. */
#define HW_IMDS_V4 0xa9fea9feu /* 169.254.169.254 */
#define HW_IMDS_V6_FIRST 0xfd000ec2u /* fd00:ec2::254, all words between are zero */
#define HW_IMDS_V6_LAST 0x254u

/* Where in an HTTP request the next byte belongs. Zero: before the first request. */
enum hw_http_state {
	HW_HTTP_START = 0,   /* before a request; empty lines are skipped */
	HW_HTTP_METHOD,
	HW_HTTP_TARGET,
	HW_HTTP_VERSION,
	HW_HTTP_LINE,        /* first byte of a header line */
	HW_HTTP_NAME,
	HW_HTTP_VALUE,
	HW_HTTP_BODY,        /* of known length */
	HW_HTTP_CHUNK_SIZE,
	HW_HTTP_CHUNK_EXTENSION,
	HW_HTTP_CHUNK_DATA,
	HW_HTTP_CHUNK_END,
	HW_HTTP_TRAILER,     /* first byte of a trailer line */
	HW_HTTP_TRAILER_LINE,
	HW_HTTP_UNSURE,      /* the request is counted, where it ends is unclear: a further byte is unknown */
	HW_HTTP_LOST,        /* counted as unknown; not followed any further */
};

/* The reader of one connection's requests. */
struct hw_http {
	__u32 next_sequence; /* TCP sequence number of the byte to be read next */
	__u32 is_synced;     /* next_sequence is known: the SYN was seen */
	__u32 body_left;     /* bytes of the body or chunk still to come */
	__u32 flags;         /* enum hw_http_flags of ebpf/http.h, of this request */
	__u32 state;         /* enum hw_http_state */
	__u32 name;          /* which known header name this line may be: enum hw_http_text */
	__u32 match;         /* bytes of the expected text that matched */
	__u32 pad;
};
HW_STATIC_ASSERT(sizeof(struct hw_http) == 32, "hw_http");

/* Value of the streams storage, at a TCP socket that may speak to the metadata service: the flow that its
 * requests count for, described when it connected, and the reader. */
struct hw_stream {
	struct hw_http http;
	struct hw_flow_key key;
	struct hw_flow flow;
};
HW_STATIC_ASSERT(sizeof(struct hw_stream) == 656, "hw_stream");

/* Per-CPU; summed by the reader. Index: hw_head.counter[rule], or hw_endpoint.counter. */
struct hw_counter {
	__u64 allowed;
	__u64 denied;      /* refused */
	__u64 would_deny;  /* audit mode: denied by policy, let pass */
	__u64 requests[HW_IMDS_COUNT]; /* by enum hw_imds; [0] is unused */
};

/* Names for people, by slot: [slot * HW_COUNTERS + rule], [... + HW_RULES_MAX + endpoint]. Only the
 * agent and `status` use them. */
#define HW_LABEL_MAX 72 /* names have at most 64 bytes */
struct hw_label {
	char name[HW_LABEL_MAX]; /* NUL-terminated */
};

/* The one entry of the about map: what is loaded, for the next loader and for `status`. */
struct hw_about {
	__u64 build;      /* digest of the BPF objects: the same build is adopted, another replaces it */
	char cgroup[HW_TEXT_MAX]; /* path of the guarded cgroup */
};

/* The one entry of the seal_place map: where the pins are. */
struct hw_seal_place {
	__u64 pin_dir_inode;
	__u32 device; /* of the bpf file system, kernel encoding */
	__u32 pad;
};

/* What the agent needs of the program files it names: written by the file iterator. */
struct hw_file_fact {
	__u32 fd;
	__u32 device;
	__u64 inode;
	__u32 generation;
	__u32 unlinked;
};
HW_STATIC_ASSERT(sizeof(struct hw_file_fact) == 24, "hw_file_fact");

/* Which filter bit an address has. words: the four 32-bit words of the (mapped) address. */
static inline __u32 hw_address_hash(__u32 w0, __u32 w1, __u32 w2, __u32 w3)
{
	__u32 x = w0 ^ w1 ^ w2 ^ w3;

	x ^= x >> 16;
	x ^= x >> 8;
	return x & 0xff;
}

/* The facts key of an executable. */
static inline __u64 hw_exe_key_b(__u32 device, __u32 generation)
{
	__u64 high = device;

	return (high << 32) | generation;
}
