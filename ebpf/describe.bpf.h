/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * A caller's flow with the paths of its program and cgroup as text for people, never identity.
 */
#pragma once

#include "ebpf/record.bpf.h"

#define PATH_STEPS_MAX 24 /* components and mount points of a path shown to people */

static __always_inline void start_text(struct hw_scratch *s)
{
	__builtin_memset(s->text, 0, HW_TEXT_MAX);
	s->text_length = 0;
}

/* Appends one name to s->text. */
static __always_inline void append_name(struct hw_scratch *s, const void *name)
{
	__u64 at = s->text_length;
	long size;

	if (at >= HW_TEXT_MAX)
		return;
	size = bpf_probe_read_kernel_str(s->text + MASKED(at, HW_TEXT_MAX - 1), HW_TEXT_MAX, name);
	if (size > 0)
		s->text_length += size;
}

static __noinline int describe_cgroup(struct hw_scratch *s)
{
	start_text(s);
	for (__u32 i = 0; i < HW_CGROUP_DEPTH_MAX; i++) {
		if (i >= s->depth)
			break;
		append_name(s, (const void *)s->level_name[i]);
	}
	__builtin_memcpy(s->flow.cgroup, s->text, HW_TEXT_MAX);
	s->flow.cgroup[HW_TEXT_MAX - 1] = 0;
	return 0;
}

/* One step from the file towards the root: a name, or from the top of a mount to where it is mounted.
 * 0: arrived. Not static: checked once, not at each step. */
__noinline int hw_describe_step(void)
{
	struct hw_scratch *s = my_scratch();
	struct dentry *dentry, *parent, *root;
	struct mount *mount, *above;

	if (!s)
		return 0;
	dentry = (struct dentry *)s->dentry;
	mount = (struct mount *)s->mount;
	parent = BPF_CORE_READ(dentry, d_parent);
	root = BPF_CORE_READ(mount, mnt.mnt_root);
	if (dentry != root && dentry != parent) {
		append_name(s, BPF_CORE_READ(dentry, d_name.name));
		s->dentry = (__u64)parent;
		return 1;
	}
	above = BPF_CORE_READ(mount, mnt_parent);
	if (above == mount)
		return 0;
	s->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
	s->mount = (__u64)above;
	return 1;
}

static __noinline int describe_program(struct hw_scratch *s)
{
	const struct task_struct *task = (const struct task_struct *)s->task;
	struct vfsmount *vfs = BPF_CORE_READ(task, mm, exe_file, f_path.mnt);

	s->dentry = (__u64)BPF_CORE_READ(task, mm, exe_file, f_path.dentry);
	if (!s->dentry || !vfs)
		return 0;
	s->mount = (__u64)vfs - bpf_core_field_offset(struct mount, mnt);
	start_text(s);
	for (int i = 0; i < PATH_STEPS_MAX; i++) {
		if (!hw_describe_step())
			break;
	}
	__builtin_memcpy(s->flow.exe, s->text, HW_TEXT_MAX);
	s->flow.exe[HW_TEXT_MAX - 1] = 0;
	return 0;
}

static __always_inline void describe_caller(struct hw_scratch *s)
{
	s->flow.pid = bpf_get_current_pid_tgid() >> 32;
	describe_cgroup(s);
	describe_program(s);
}

/* Records s->out for the calling thread. The caller has set endpoint, hook and protocol of s->flow_key. */
static __always_inline void record_caller(struct hw_scratch *s, const struct hw_head *head)
{
	key_flow(s, head);
	if (!find_flow(&s->flow_key, current_epoch()))
		describe_caller(s);
	add_flow(&s->flow_key, &s->flow);
}
