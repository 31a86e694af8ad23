// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * What only a security hook sees. Each program is tried alone: one that does not attach is reported
 * with what it leaves open, and the others work without it.
 *
 * socket_create, socket_setsockopt: AF_XDP and PACKET_QDISC_BYPASS send past every other hook:
 *   refused unless the policy says `bypass_sockets = "allow"`.
 * ptrace_access_check: attaching to (or reading the memory or descriptors of) a process that may
 *   reach an endpoint which the attacher may not: refused.
 * bprm_check_security: a process that is being traced by somebody who is not root starts a program that
 *   a rule names: refused. No ptrace check is made then, and code that the tracer leaves behind would
 *   act under the program's name after it has let go.
 * file_receive: a descriptor of an allowed socket given to a process that is not allowed: refused.
 *
 * A verdict that another module already gave stands. No policy or no working memory: the process
 * counts as not allowed, so a target is unprotected but a receiver is refused.
 */
#include "ebpf/describe.bpf.h"

#define EPERM 1
#define PTRACE_MODE_ATTACH 0x02 /* include/linux/ptrace.h */
#define SOL_PACKET 263
#define PACKET_QDISC_BYPASS 20

/* Endpoints (bit per index) that the task may reach. Not static: the verifier checks it once, not at
 * each call. */
__noinline __u32 reachable(__u64 task, bool subjective)
{
	const struct hw_control *c = get_control();
	struct hw_policy policy;
	struct hw_scratch *s;
	__u32 mask = 0;

	if (!c || !get_policy(c, &policy))
		return 0;
	s = take_scratch(CALLER);
	if (!s)
		return 0;
	read_identity(s, policy.head, task, subjective);
	collect_votes(s, &policy);
	for (__u32 i = 0; i < HW_ENDPOINTS_MAX; i++) {
		if (i >= policy.head->endpoint_count)
			break;
		hw_conclude(policy.slot, i);
		if (s->out.verdict == HW_ALLOW)
			mask |= 1U << i;
	}
	drop_scratch(CALLER);
	return mask;
}

/* Records a refusal by a hook; 1 if it stands (audit mode lets pass). Not static for the same reason. An int:
 * of a bool the compiler makes -EPERM by arithmetic whose range no verifier follows. */
__noinline int refused(__u32 reason, __u32 endpoint)
{
	const struct hw_control *c = get_control();
	struct hw_policy policy;
	struct hw_scratch *s;

	if (!c || !get_policy(c, &policy))
		return true;
	count_reason(reason);
	s = take_scratch(CALLER);
	if (s) {
		read_identity(s, policy.head, bpf_get_current_task(), true);
		s->out.verdict = HW_DENY;
		s->out.reason = reason;
		s->out.rule = HW_NO_RULE;
		s->flow_key.endpoint = endpoint;
		s->flow_key.hook = HW_HOOK_LSM;
		record_caller(s, policy.head);
		drop_scratch(CALLER);
	}
	return policy.head->mode != HW_AUDIT;
}

static __always_inline bool bypass_refused(void)
{
	const struct hw_control *c = get_control();
	struct hw_policy policy;

	return c && get_policy(c, &policy) && !(policy.head->flags & HW_HEAD_BYPASS_ALLOW);
}

SEC("lsm/socket_create")
int BPF_PROG(guard_socket_create, int family, int type, int protocol, int kern, int ret)
{
	if (ret || kern || family != AF_XDP || !bypass_refused())
		return ret;
	return refused(HW_REASON_BYPASS_SOCKET, 0) ? -EPERM : 0;
}

SEC("lsm/socket_setsockopt")
int BPF_PROG(guard_setsockopt, struct socket *sock, int level, int optname, int ret)
{
	if (ret || level != SOL_PACKET || optname != PACKET_QDISC_BYPASS || !bypass_refused())
		return ret;
	return refused(HW_REASON_BYPASS_SOCKET, 0) ? -EPERM : 0;
}

static __always_inline __u32 first_endpoint(__u32 mask)
{
	for (__u32 i = 0; i < HW_ENDPOINTS_MAX; i++) {
		if (mask >> i & 1)
			return i;
	}
	return 0;
}

SEC("lsm/ptrace_access_check")
int BPF_PROG(guard_ptrace, struct task_struct *child, unsigned int mode, int ret)
{
	__u64 address = 0;
	__u32 target;

	if (ret || !(mode & PTRACE_MODE_ATTACH))
		return ret;
	/* A typed pointer cannot be passed as a number; what lies in memory can. */
	if (bpf_probe_read_kernel(&address, sizeof(address), &child))
		return -EPERM;
	target = reachable(address, false);
	if (!target)
		return 0;
	target &= ~reachable(bpf_get_current_task(), true);
	return target && refused(HW_REASON_PTRACE, first_endpoint(target)) ? -EPERM : 0;
}

SEC("lsm/bprm_check_security")
int BPF_PROG(guard_exec, struct linux_binprm *bprm, int ret)
{
	const struct hw_control *c = get_control();
	struct inode *inode = bprm->file->f_inode;
	struct hw_policy policy;
	int error = 0;

	if (ret || !traced_by_other((void *)bpf_get_current_task(), &error) || !c || !get_policy(c, &policy))
		return ret;
	if (!find_fact(policy.facts, HW_FACT_EXE, inode->i_ino, hw_exe_key_b(inode->i_sb->s_dev, inode->i_generation)))
		return 0;
	return refused(HW_REASON_PTRACE, 0) ? -EPERM : 0;
}

SEC("lsm/file_receive")
int BPF_PROG(guard_file_receive, struct file *file, int ret)
{
	struct socket *sock;
	struct hw_tag *tag;

	if (ret)
		return ret;
	sock = bpf_sock_from_file(file);
	if (!sock || !sock->sk)
		return 0;
	tag = bpf_sk_storage_get(&tags, sock->sk, NULL, 0);
	if (!tag || tag->verdict != HW_ALLOW)
		return 0;
	if (reachable(bpf_get_current_task(), true) >> (tag->endpoint & 31) & 1)
		return 0;
	return refused(HW_REASON_FD_RECEIVED, tag->endpoint) ? -EPERM : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
