/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What the guard reads of the kernel: only the fields it reads, relocated against the running
 * kernel's BTF. Kernel differences live here and nowhere else.
 */
#pragma once

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_tracing.h>

#define KERNEL_STRUCT __attribute__((preserve_access_index))

typedef struct {
	__u32 val;
} kuid_t;
typedef struct {
	__u32 val;
} kgid_t;

struct ns_common {
	unsigned int inum;
} KERNEL_STRUCT;

struct user_namespace {
	struct ns_common ns;
} KERNEL_STRUCT;

struct pid_namespace {
	struct ns_common ns;
} KERNEL_STRUCT;

struct net {
	struct ns_common ns;
} KERNEL_STRUCT;

struct cgroup_namespace {
	struct ns_common ns;
} KERNEL_STRUCT;

struct nsproxy {
	struct net *net_ns;
	struct cgroup_namespace *cgroup_ns;
} KERNEL_STRUCT;

struct upid {
	int nr;
	struct pid_namespace *ns;
} KERNEL_STRUCT;

struct pid {
	unsigned int level;
	struct upid numbers[1];
} KERNEL_STRUCT;

struct group_info {
	int ngroups;
	kgid_t gid[0];
} KERNEL_STRUCT;

struct cred {
	kuid_t uid;
	kgid_t gid;
	kuid_t euid;
	kgid_t egid;
	struct user_namespace *user_ns;
	struct group_info *group_info;
} KERNEL_STRUCT;

struct super_block {
	__u32 s_dev;
	struct user_namespace *s_user_ns;
} KERNEL_STRUCT;

struct inode {
	__u16 i_mode;
	unsigned int i_nlink;
	struct super_block *i_sb;
	unsigned long i_ino;
	__u32 i_generation;
} KERNEL_STRUCT;

struct qstr {
	const unsigned char *name;
} KERNEL_STRUCT;

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} KERNEL_STRUCT;

struct vfsmount {
	struct dentry *mnt_root;
	struct super_block *mnt_sb;
} KERNEL_STRUCT;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} KERNEL_STRUCT;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} KERNEL_STRUCT;

struct file {
	unsigned int f_flags;
	struct path f_path;
	struct inode *f_inode;
} KERNEL_STRUCT;

struct linux_binprm {
	struct file *file;
} KERNEL_STRUCT;

struct mm_struct {
	struct file *exe_file;
} KERNEL_STRUCT;

struct kernfs_node {
	const char *name;
	__u64 id;
} KERNEL_STRUCT;

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
} KERNEL_STRUCT;

struct cgroup {
	struct cgroup_subsys_state self;
	struct kernfs_node *kn;
} KERNEL_STRUCT;

struct css_set {
	struct cgroup *dfl_cgrp;
} KERNEL_STRUCT;

struct task_struct {
	unsigned int flags;
	unsigned int ptrace;        /* not 0: traced, and parent is the tracer */
	struct task_struct *parent;
	int pid;
	int tgid;
	struct mm_struct *mm;
	struct pid *thread_pid;
	const struct cred *cred;      /* as whom it acts (io_uring may override) */
	const struct cred *real_cred; /* as whom others may act on it */
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
} KERNEL_STRUCT;

struct sock;
struct socket {
	struct sock *sk;
} KERNEL_STRUCT;

struct bpf_map {
	__u32 id;
} KERNEL_STRUCT;

/* include/linux/sched.h; unchanged since 2.6 */
#define PF_KTHREAD 0x00200000

/* include/linux/fs.h, FMODE_EXEC: open(2) and openat2(2) cannot set it, execve(2) always does */
#define OPENED_BY_EXEC 0x20

/* include/uapi/linux/{if_ether,in}.h: not included, they clash with kernel types above */
#define ETH_P_IP 0x0800
#define ETH_P_IPV6 0x86DD
#define ETH_P_8021Q 0x8100
#define ETH_P_8021AD 0x88A8
#define IPPROTO_TCP 6
#define SOCK_STREAM 1
#define SOCK_RAW 3
#define AF_PACKET 17
#define AF_XDP 44

/* READ(error, destination, pointer expression): error |= the read's own error, so that a failed
 * read is never taken for the zero it leaves behind (uid 0!). */
#define READ(error, destination, source) \
	((error) |= bpf_core_read(&(destination), sizeof(destination), &(source)))

/* x & mask, in a way that every verifier sees: the compiler leaves out a mask that it can prove, and
 * verifiers before 6.5 forget a bound when a register is spilled between a check and the use. */
#define MASKED(x, mask)                                              \
	({                                                           \
		__u64 masked_value = (x);                            \
		asm volatile("%0 &= %1" : "+r"(masked_value) : "i"(mask)); \
		masked_value;                                        \
	})
