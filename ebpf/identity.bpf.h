/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who calls: facts from the kernel's own structures. A fact that cannot be read sets
 * HW_ID_UNREADABLE, and the decision is then deny.
 */
#pragma once

#include "ebpf/maps.bpf.h"

static __always_inline int read_credentials(const struct cred *cred, struct hw_scratch *s)
{
	struct user_namespace *user_ns = NULL;
	struct group_info *groups = NULL;
	struct hw_identity *who = &s->who;
	int count = 0;
	int error = 0;

	READ(error, who->uid, cred->uid.val);
	READ(error, who->euid, cred->euid.val);
	READ(error, who->gid, cred->gid.val);
	READ(error, who->egid, cred->egid.val);
	READ(error, user_ns, cred->user_ns);
	READ(error, who->user_ns, user_ns->ns.inum);
	READ(error, groups, cred->group_info);
	READ(error, count, groups->ngroups);
	if (count < 0 || count > HW_GROUPS_MAX) {
		who->flags |= HW_ID_GROUPS_OVERFLOW;
		count = 0;
	}
	s->group_count = count;
	s->group_list = (__u64)bpf_core_field_offset(groups->gid) + (__u64)groups;
	return error;
}

static __always_inline int read_namespaces(const struct task_struct *task, struct hw_identity *who,
					   const struct hw_head *head)
{
	struct cgroup_namespace *cgroup_ns = NULL;
	struct pid_namespace *pid_ns = NULL;
	struct nsproxy *proxy = NULL;
	struct pid *pid = NULL;
	struct net *net = NULL;
	unsigned int level = 0;
	const void *slot;
	__u32 cgroup_inum = 0;
	int error = 0;

	READ(error, proxy, task->nsproxy);
	READ(error, net, proxy->net_ns);
	READ(error, who->net_ns, net->ns.inum);
	READ(error, cgroup_ns, proxy->cgroup_ns);
	READ(error, cgroup_inum, cgroup_ns->ns.inum);
	READ(error, pid, task->thread_pid);
	READ(error, level, pid->level);
	/* The namespace a task lives in is the deepest one it has a number in. */
	slot = (const void *)pid + bpf_core_field_offset(pid->numbers) +
	       (__u64)level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, ns);
	error |= bpf_probe_read_kernel(&pid_ns, sizeof(pid_ns), slot);
	READ(error, who->pid_ns, pid_ns->ns.inum);
	if (who->pid_ns != head->pid_ns || who->net_ns != head->net_ns || who->user_ns != head->user_ns ||
	    cgroup_inum != head->cgroup_ns)
		who->flags |= HW_ID_CONTAINER;
	return error;
}

/*
 * The program file. Not trusted, so that it never matches:
 * - a deleted one, a memfd among them;
 * - one on a file system that a user namespace mounted: its owner decides what inode numbers and
 *   generations it shows;
 * - one that execve did not open. prctl(PR_SET_MM_MAP) replaces the program file of a process by any
 *   file it has open, and asks only for a capability in the caller's own user namespace, which a
 *   child that shares the memory can have (kernel/sys.c, prctl_set_mm_map).
 */
static __always_inline int read_program(const struct task_struct *task, struct hw_identity *who, __u32 host_user_ns)
{
	struct user_namespace *sb_user_ns = NULL;
	struct super_block *sb = NULL;
	struct mm_struct *mm = NULL;
	struct file *file = NULL;
	struct inode *inode = NULL;
	unsigned long number = 0;
	unsigned int links = 0;
	unsigned int flags = 0;
	__u32 sb_ns = 0;
	int error = 0;

	READ(error, mm, task->mm);
	if (!mm)
		goto no_program;
	READ(error, file, mm->exe_file);
	if (!file)
		goto no_program;
	READ(error, flags, file->f_flags);
	READ(error, inode, file->f_inode);
	READ(error, number, inode->i_ino);
	READ(error, who->exe_generation, inode->i_generation);
	READ(error, links, inode->i_nlink);
	READ(error, sb, inode->i_sb);
	READ(error, who->exe_device, sb->s_dev);
	READ(error, sb_user_ns, sb->s_user_ns);
	READ(error, sb_ns, sb_user_ns->ns.inum);
	who->exe_inode = number;
	if (!links || sb_ns != host_user_ns || !(flags & OPENED_BY_EXEC))
		who->flags |= HW_ID_EXE_UNTRUSTED;
	return error;

no_program:
	who->flags |= HW_ID_NO_EXE;
	return error;
}

/* Names of the cgroup and its ancestors up to the guarded cgroup, leaf first, as kernel addresses.
 * They stay valid: the task is in the cgroup, and a name on cgroup2 never changes. */
static __always_inline int read_cgroup(const struct task_struct *task, struct hw_scratch *s, __u64 root_cgroup)
{
	struct cgroup_subsys_state *parent = NULL;
	struct kernfs_node *kn = NULL;
	struct css_set *set = NULL;
	struct cgroup *cgroup = NULL;
	const char *name = NULL;
	__u32 depth = 0;
	__u64 id = 0;
	int error = 0;

	READ(error, set, task->cgroups);
	READ(error, cgroup, set->dfl_cgrp);
	READ(error, kn, cgroup->kn);
	READ(error, id, kn->id);
	s->who.cgroup_id = id;
	for (int i = 0; i <= HW_CGROUP_DEPTH_MAX; i++) {
		if (error || id == root_cgroup)
			break;
		READ(error, parent, cgroup->self.parent);
		if (!parent) { /* not below the guarded cgroup: no name of the policy applies */
			depth = 0;
			break;
		}
		if (i == HW_CGROUP_DEPTH_MAX) {
			s->who.flags |= HW_ID_CGROUP_DEPTH;
			depth = 0;
			break;
		}
		READ(error, name, kn->name);
		s->level_name[i] = (__u64)name;
		depth = i + 1;
		READ(error, cgroup, parent->cgroup);
		READ(error, kn, cgroup->kn);
		READ(error, id, kn->id);
	}
	s->depth = depth;
	return error;
}

/* "kubepods" as a number in the kernel's byte order. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define POD_PREFIX 0x73646f706562756bULL
#else
#define POD_PREFIX 0x6b756265706f6473ULL
#endif

/* A privileged pod can share every namespace but the mounts, which services have of their own, too. Its
 * cgroup is below the one that kubelet makes at the top: kubepods, or kubepods.slice. Nobody but root
 * can make a cgroup there. */
static __always_inline int find_pod(struct hw_scratch *s)
{
	__u64 name[2] = {}; /* the prefix, and a NUL behind it */
	__u64 top;

	if (!s->depth)
		return 0;
	top = s->level_name[(s->depth - 1) & (HW_CGROUP_DEPTH_MAX - 1)];
	if (bpf_probe_read_kernel_str(name, sizeof(name[0]) + 1, (const void *)top) < 0)
		return -1;
	if (name[0] == POD_PREFIX)
		s->who.flags |= HW_ID_CONTAINER;
	return 0;
}

/* Who traces a process writes its memory and registers, so what it does is the tracer's doing. Root
 * can do so anyway. The real user id of the init namespace: the tracer's own namespace does not matter. */
static __always_inline bool traced_by_other(const struct task_struct *task, int *error)
{
	const struct cred *cred = NULL;
	struct task_struct *tracer = NULL;
	unsigned int ptrace = 0;
	__u32 uid = 0;

	READ(*error, ptrace, task->ptrace);
	if (!ptrace)
		return false;
	READ(*error, tracer, task->parent);
	READ(*error, cred, tracer->real_cred);
	READ(*error, uid, cred->uid.val);
	return uid != 0;
}

/* Fills s->who and what the votes need. subjective: as whom the task acts now, rather than as whom
 * others see it. */
/* Not every object that shares this header asks callers. */
__attribute__((unused)) static __noinline int read_identity(struct hw_scratch *s, const struct hw_head *head, __u64 task_address,
				    bool subjective)
{
	const struct task_struct *task = (const struct task_struct *)task_address;
	const struct cred *cred = NULL;
	struct hw_identity *who = &s->who;
	unsigned int task_flags = 0;
	int error = 0;

	s->task = task_address;
	READ(error, task_flags, task->flags);
	if (task_flags & PF_KTHREAD)
		who->flags |= HW_ID_KERNEL_THREAD;
	if (traced_by_other(task, &error))
		who->flags |= HW_ID_TRACED;
	if (subjective)
		READ(error, cred, task->cred);
	else
		READ(error, cred, task->real_cred);
	error |= read_credentials(cred, s);
	error |= read_namespaces(task, who, head);
	error |= read_program(task, who, head->user_ns);
	error |= read_cgroup(task, s, head->root_cgroup);
	error |= find_pod(s);
	if (error)
		who->flags |= HW_ID_UNREADABLE;
	return 0;
}
