// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * iter/task_file: what the kernel knows of the files that the reading process has open. The
 * decision compares inode, device and generation as the kernel stores them; stat(2) shows other
 * numbers on btrfs and overlayfs, so the agent asks the same structures the decision reads.
 * Writes one hw_file_fact per open file of the reader. Decides nothing.
 */
#include "ebpf/abi/guard.h"
#include "ebpf/compat.bpf.h"

struct seq_file;
struct bpf_iter_meta {
	struct seq_file *seq;
} KERNEL_STRUCT;

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
} KERNEL_STRUCT;

SEC("iter/task_file")
int exe_facts(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct hw_file_fact fact = {};
	struct inode *inode;

	if (!task || !file || (__u32)task->tgid != bpf_get_current_pid_tgid() >> 32)
		return 0;
	inode = file->f_inode;
	fact.fd = ctx->fd;
	fact.inode = inode->i_ino;
	fact.generation = inode->i_generation;
	fact.device = inode->i_sb->s_dev;
	fact.unlinked = inode->i_nlink == 0;
	bpf_seq_write(ctx->meta->seq, &fact, sizeof(fact));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
