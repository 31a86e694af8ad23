// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * One small program per kernel feature that the guard may build on; kernel_probe.cpp loads, attaches and fires each by
 * itself. Every program only observes: it raises `hits` and lets everything pass.
 */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct super_block {
	__u32 s_dev;
} __attribute__((preserve_access_index));
struct inode {
	__u16 i_mode;
	unsigned long i_ino;
	__u32 i_generation;
	struct super_block *i_sb;
} __attribute__((preserve_access_index));
struct file {
	struct inode *f_inode;
} __attribute__((preserve_access_index));
struct sock_common {
	struct {
		__s64 counter;
	} skc_cookie;
} __attribute__((preserve_access_index));
struct sock {
	struct sock_common __sk_common;
} __attribute__((preserve_access_index));
struct socket {
	struct sock *sk;
} __attribute__((preserve_access_index));
struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
} __attribute__((preserve_access_index));
struct mm_struct {
	struct file *exe_file;
} __attribute__((preserve_access_index));
struct task_struct {
	int tgid;
	struct mm_struct *mm;
} __attribute__((preserve_access_index));
struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
} __attribute__((preserve_access_index));
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} __attribute__((preserve_access_index));

/* What the loader tells: count and look only at this process. */
const volatile __u32 self_tgid = 0;

/* Raised by each program that did what it should; the loader reads it after causing the event. */
__u64 hits = 0;
__u64 exe_inode = 0;

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} tags SEC(".maps");

struct inner_table {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, __u64);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner_table);
} tables SEC(".maps") = {.values = {&inner, &inner}};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} task_notes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u64);
} cookies SEC(".maps");

static __always_inline int hit(void)
{
	__sync_fetch_and_add(&hits, 1);
	return 1;
}

static __always_inline int is_self(void) { return bpf_get_current_pid_tgid() >> 32 == self_tgid; }

static __always_inline void set_tag(struct bpf_sock *sk)
{
	__u64 *tag = sk ? bpf_sk_storage_get(&tags, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE) : NULL;

	if (tag)
		*tag = 42;
}

/* ---- the cgroup and tc layers ---- */

/* Only tags: for the programs that read a tag. */
SEC("cgroup/connect4")
int tag_connect4(struct bpf_sock_addr *ctx)
{
	__u64 cookie = bpf_get_socket_cookie(ctx);

	set_tag(ctx->sk);
	bpf_map_update_elem(&cookies, &cookie, &cookie, BPF_ANY);
	return 1;
}

SEC("cgroup/connect4") int connect4_plain(struct bpf_sock_addr *ctx) { return hit(); }

SEC("cgroup/connect4")
int connect4_sk_storage(struct bpf_sock_addr *ctx)
{
	set_tag(ctx->sk);
	return hit();
}

SEC("cgroup/connect6")
int connect6_sk_storage(struct bpf_sock_addr *ctx)
{
	set_tag(ctx->sk);
	return hit();
}

SEC("cgroup/sendmsg4")
int sendmsg4_sk_storage(struct bpf_sock_addr *ctx)
{
	set_tag(ctx->sk);
	return hit();
}

SEC("cgroup/sendmsg6")
int sendmsg6_sk_storage(struct bpf_sock_addr *ctx)
{
	set_tag(ctx->sk);
	return hit();
}

SEC("cgroup/connect4")
int connect4_exe_inode(struct bpf_sock_addr *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	exe_inode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_ino);
	return hit();
}

SEC("cgroup/connect4")
int connect4_inner_map_update(struct bpf_sock_addr *ctx)
{
	__u32 slot = 1;
	__u64 key = 7, value = 8;
	void *table = bpf_map_lookup_elem(&tables, &slot);

	if (table && !bpf_map_update_elem(table, &key, &value, BPF_ANY) && bpf_map_lookup_elem(table, &key))
		hit();
	return 1;
}

SEC("cgroup/connect4")
int connect4_ringbuf(struct bpf_sock_addr *ctx)
{
	__u64 record = 1;

	if (!bpf_ringbuf_output(&ring, &record, sizeof(record), 0))
		hit();
	return 1;
}

SEC("cgroup/connect4")
int connect4_ancestor_cgroup_id(struct bpf_sock_addr *ctx)
{
	if (bpf_get_current_ancestor_cgroup_id(1))
		hit();
	return 1;
}

SEC("cgroup/connect4")
int connect4_netns_cookie(struct bpf_sock_addr *ctx)
{
	if (bpf_get_netns_cookie(ctx))
		hit();
	return 1;
}

SEC("cgroup/connect4")
int connect4_set_retval(struct bpf_sock_addr *ctx)
{
	bpf_set_retval(0);
	return hit();
}

SEC("cgroup/connect4")
int connect4_task_btf(struct bpf_sock_addr *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	if (task->mm && task->mm->exe_file && task->mm->exe_file->f_inode)
		hit();
	return 1;
}

static long loop_step(__u32 index, void *ctx) { return 0; }

SEC("cgroup/connect4")
int connect4_bpf_loop(struct bpf_sock_addr *ctx)
{
	if (bpf_loop(3, loop_step, NULL, 0) == 3)
		hit();
	return 1;
}

SEC("cgroup_skb/egress")
int egress_reads_tag(struct __sk_buff *skb)
{
	__u64 *tag = skb->sk ? bpf_sk_storage_get(&tags, skb->sk, NULL, 0) : NULL;

	if (tag && *tag == 42)
		hit();
	return 1;
}

SEC("cgroup_skb/egress")
int egress_writes_tag(struct __sk_buff *skb)
{
	set_tag(skb->sk);
	return hit();
}

SEC("cgroup_skb/egress")
int egress_full_sock_tag(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk ? bpf_sk_fullsock(skb->sk) : NULL;
	__u64 *tag = sk ? bpf_sk_storage_get(&tags, sk, NULL, 0) : NULL;

	if (tag && *tag == 42)
		hit();
	return 1;
}

SEC("cgroup_skb/egress")
int egress_current_task(struct __sk_buff *skb)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, tgid))
		hit();
	return 1;
}

static __always_inline void tc_reads_tag_body(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk ? bpf_sk_fullsock(skb->sk) : NULL;
	__u64 *tag = sk ? bpf_sk_storage_get(&tags, sk, NULL, 0) : NULL;

	if (tag && *tag == 42)
		hit();
}

SEC("tc")
int tc_reads_tag(struct __sk_buff *skb)
{
	tc_reads_tag_body(skb);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int tcx_reads_tag(struct __sk_buff *skb)
{
	tc_reads_tag_body(skb);
	return TC_ACT_UNSPEC;
}

SEC("tc")
int tc_current_task(struct __sk_buff *skb)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (BPF_CORE_READ(task, tgid))
		hit();
	return TC_ACT_UNSPEC;
}

SEC("cgroup/sock_create") int sock_create_plain(struct bpf_sock *sk) { return hit(); }

SEC("cgroup/sock_create")
int sock_create_sk_storage(struct bpf_sock *sk)
{
	set_tag(sk);
	return hit();
}

/* ---- tracing ---- */

SEC("raw_tp/cgroup_mkdir")
int raw_tp_cgroup_mkdir(void *ctx)
{
	if (is_self())
		hit();
	return 0;
}

SEC("raw_tp/sys_enter")
int raw_tp_sys_enter(void *ctx)
{
	if (is_self())
		hit();
	return 0;
}

SEC("fentry/tcp_v4_connect")
int BPF_PROG(fentry_tcp_v4_connect)
{
	if (is_self())
		hit();
	return 0;
}

struct file_row {
	__u32 fd;
	__u32 device;
	__u64 inode;
	__u32 generation;
	__u32 pad;
};

SEC("iter/task_file")
int iter_task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct file_row row = {};

	if (!task || !file || task->tgid != (int)self_tgid)
		return 0;
	row.fd = ctx->fd;
	row.inode = file->f_inode->i_ino;
	row.generation = file->f_inode->i_generation;
	row.device = file->f_inode->i_sb->s_dev;
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	hit();
	return 0;
}

SEC("syscall")
int syscall_prog(void *ctx)
{
	hit();
	return 0;
}

/* ---- LSM: one per hook ---- */

#define OBSERVE(hook)                                                                                                  \
	SEC("lsm/" #hook) int lsm_##hook(void *ctx)                                                                    \
	{                                                                                                              \
		if (is_self())                                                                                         \
			hit();                                                                                         \
		return 0;                                                                                              \
	}

OBSERVE(socket_create)
OBSERVE(socket_setsockopt)
OBSERVE(socket_connect)
OBSERVE(socket_sendmsg)
OBSERVE(ptrace_access_check)
OBSERVE(ptrace_traceme)
OBSERVE(file_receive)
OBSERVE(file_open)
OBSERVE(bpf)
OBSERVE(bpf_map)
OBSERVE(bpf_prog)
OBSERVE(inode_unlink)
OBSERVE(inode_rename)
OBSERVE(inode_rmdir)
OBSERVE(inode_setattr)
OBSERVE(inode_link)
OBSERVE(path_unlink)
OBSERVE(sb_umount)
OBSERVE(sb_mount)
OBSERVE(move_mount)
OBSERVE(task_kill)

/* The program that execs is a child of the one that asks. */
SEC("lsm/bprm_creds_for_exec")
int lsm_bprm_creds_for_exec(void *ctx)
{
	hit();
	return 0;
}

SEC("lsm/file_receive")
int BPF_PROG(lsm_file_receive_sk_storage, struct file *file)
{
	struct socket *socket;
	__u64 *tag;

	if (!is_self())
		return 0;
	socket = bpf_sock_from_file(file);
	if (!socket || !socket->sk)
		return 0;
	tag = bpf_sk_storage_get(&tags, socket->sk, NULL, 0);
	if (tag && *tag == 42)
		hit();
	return 0;
}

/* What a kernel without bpf_sock_from_file() has instead: the socket's cookie by way of its inode. */
SEC("lsm/file_receive")
int BPF_PROG(lsm_file_receive_cookie, struct file *file)
{
	struct socket_alloc *whole;
	struct inode *inode;
	struct sock *sk;
	__u64 cookie;

	if (!is_self())
		return 0;
	inode = file->f_inode;
	if ((inode->i_mode & 0170000) != 0140000)
		return 0;
	whole = (void *)inode - bpf_core_field_offset(struct socket_alloc, vfs_inode);
	sk = BPF_CORE_READ(whole, socket.sk);
	cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (cookie && bpf_map_lookup_elem(&cookies, &cookie))
		hit();
	return 0;
}

SEC("lsm/socket_sendmsg")
int BPF_PROG(lsm_socket_sendmsg_sk_storage, struct socket *sock)
{
	struct sock *sk = sock->sk;
	__u64 *tag;

	if (!is_self() || !sk)
		return 0;
	tag = bpf_sk_storage_get(&tags, sk, NULL, 0);
	if (tag && *tag == 42)
		hit();
	return 0;
}

SEC("lsm/file_receive")
int BPF_PROG(lsm_task_storage, struct file *file)
{
	__u64 *note;

	if (!is_self())
		return 0;
	note = bpf_task_storage_get(&task_notes, bpf_get_current_task_btf(), NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (note)
		hit();
	return 0;
}

SEC("lsm_cgroup/socket_create")
int lsm_cgroup_socket_create(void *ctx)
{
	hit();
	return 1;
}

SEC("lsm_cgroup/socket_setsockopt")
int lsm_cgroup_socket_setsockopt(void *ctx)
{
	hit();
	return 1;
}
