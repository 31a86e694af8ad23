/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Paths as text for people, never identity. Only when a flow is new.
 */
#pragma once

#include "ebpf/identity.bpf.h"

/* Appends one name to text at offset `at`, returns the new offset. */
static __always_inline __u32 append_name(char *text, __u32 at, const void *name)
{
	long size;

	asm volatile("" : "+r"(at)); /* the compiler knows at's range and would drop the mask; the verifier does not */
	at &= HW_TEXT_MAX - 1;
	size = bpf_probe_read_kernel_str(text + at, HW_TEXT_MAX, name);
	return size > 0 ? at + size : at;
}

static __noinline int describe_cgroup(struct hw_scratch *s)
{
	__u32 at = 0;

	for (__u32 i = 0; i < HW_CGROUP_DEPTH_MAX; i++) {
		if (i >= s->depth || at >= HW_TEXT_MAX)
			break;
		at = append_name(s->text, at, (const void *)s->level_name[i]);
	}
	__builtin_memcpy(s->flow.cgroup, s->text, HW_TEXT_MAX);
	s->flow.cgroup[HW_TEXT_MAX - 1] = 0;
	return 0;
}

#define PATH_STEPS_MAX 24

static __noinline int describe_program(struct hw_scratch *s)
{
	const struct task_struct *task = (const struct task_struct *)s->task;
	struct dentry *dentry = BPF_CORE_READ(task, mm, exe_file, f_path.dentry);
	struct vfsmount *vfs = BPF_CORE_READ(task, mm, exe_file, f_path.mnt);
	struct mount *mount;
	__u32 at = 0;

	if (!dentry || !vfs)
		return 0;
	mount = (void *)vfs - bpf_core_field_offset(struct mount, mnt);
	for (int i = 0; i < PATH_STEPS_MAX && at < HW_TEXT_MAX; i++) {
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
		struct dentry *root = BPF_CORE_READ(mount, mnt.mnt_root);

		if (dentry == root || dentry == parent) {
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (above == mount)
				break;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		at = append_name(s->text, at, BPF_CORE_READ(dentry, d_name.name));
		dentry = parent;
	}
	__builtin_memcpy(s->flow.exe, s->text, HW_TEXT_MAX);
	s->flow.exe[HW_TEXT_MAX - 1] = 0;
	return 0;
}
