// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * `seal = "until-reboot"`: once hw_control.sealed is set nobody, root and the agent included, takes
 * the guard down before the next boot. These programs' own links cannot be detached at all (tracing
 * links have no such operation), and their pins are protected like the others.
 *
 * bpf: detaching or replacing links is refused, everybody's: which link a descriptor means could
 *   change between this check and its use.
 * bpf_map: no new writable descriptor of a guard map. The agent keeps those it has.
 * inode_unlink, inode_rmdir, inode_rename, sb_umount: the pins stay.
 *
 * Not covered: kernel modules, a new kernel, raw memory, tc filters (docs/threat-model.md).
 */
#include "ebpf/maps.bpf.h"

#define EPERM 1
#define FMODE_WRITE 2u

static __always_inline bool sealed(void)
{
	const struct hw_control *c = get_control();

	return c && c->sealed;
}

static __always_inline int refuse(void)
{
	__u32 reason = HW_REASON_SEALED;
	__u64 *count = bpf_map_lookup_elem(&reasons, &reason);

	if (count)
		__sync_fetch_and_add(count, 1);
	return -EPERM;
}

static __always_inline bool on_pins_device(struct super_block *sb)
{
	__u32 zero = 0;
	const struct hw_seal_place *place = bpf_map_lookup_elem(&seal_place, &zero);

	return place && sb->s_dev == place->device;
}

static __always_inline bool is_pin_dir(struct inode *dir)
{
	__u32 zero = 0;
	const struct hw_seal_place *place = bpf_map_lookup_elem(&seal_place, &zero);

	return place && dir->i_sb->s_dev == place->device && dir->i_ino == place->pin_dir_inode;
}

SEC("lsm/bpf")
int BPF_PROG(seal_bpf, int cmd, union bpf_attr *attr, unsigned int size, int ret)
{
	if (ret || (cmd != BPF_LINK_DETACH && cmd != BPF_LINK_UPDATE) || !sealed())
		return ret;
	return refuse();
}

SEC("lsm/bpf_map")
int BPF_PROG(seal_bpf_map, struct bpf_map *map, unsigned int mode, int ret)
{
	__u32 id;

	if (ret || !(mode & FMODE_WRITE) || !sealed())
		return ret;
	id = map->id;
	return bpf_map_lookup_elem(&seal_maps, &id) ? refuse() : 0;
}

SEC("lsm/inode_unlink")
int BPF_PROG(seal_unlink, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret || !sealed() || !is_pin_dir(dir) ? ret : refuse();
}

SEC("lsm/inode_rmdir")
int BPF_PROG(seal_rmdir, struct inode *dir, struct dentry *dentry, int ret)
{
	return ret || !sealed() || !is_pin_dir(dentry->d_inode) ? ret : refuse();
}

SEC("lsm/inode_rename")
int BPF_PROG(seal_rename, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir,
	     struct dentry *new_dentry, int ret)
{
	return ret || !sealed() || (!is_pin_dir(old_dir) && !is_pin_dir(new_dir)) ? ret : refuse();
}

SEC("lsm/sb_umount")
int BPF_PROG(seal_umount, struct vfsmount *mnt, int flags, int ret)
{
	return ret || !sealed() || !on_pins_device(mnt->mnt_sb) ? ret : refuse();
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
