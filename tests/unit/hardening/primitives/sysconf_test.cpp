// SPDX-License-Identifier: Apache-2.0
// sysctl, modules, mounts and the kernel's command line: now and at the next boot, on a host and in an image.
#include "tests/unit/hardening/primitives/ask.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

constexpr auto kForward = "/proc/sys/net/ipv4/ip_forward";

std::string forward(const host::MemoryHost& host)
{
    return ask(kSysctlPrimitive, host, {{"keys", list({"net.ipv4.ip_forward"})}, {"values", list({"0"})}});
}

TEST(SysctlPrimitive, BothTheKernelAndTheNextBootDecide)
{
    host::MemoryHost host;
    host.file(kForward, "0\n");
    EXPECT_EQ(forward(host), "fail"); // lost at the next boot
    host.file("/etc/sysctl.d/a.conf", "net.ipv4.ip_forward = 0 # no router\n");
    EXPECT_EQ(forward(host), "pass");
    host.file(kForward, "1\n");
    EXPECT_EQ(forward(host), "fail"); // not applied yet
    host.image();
    EXPECT_EQ(forward(host), "pass"); // only the next boot can be told
    host.file("/etc/sysctl.d/a.conf", "net.ipv4.ip_forward = 01x\n");
    EXPECT_EQ(forward(host), "fail");
    host.broken("/etc/sysctl.d", Error{ErrorKind::Denied, 13, "denied"});
    EXPECT_EQ(forward(host), "error");
}

TEST(SysctlPrimitive, AParameterThatTheKernelLacks)
{
    const ArgumentValues yama{{"keys", list({"kernel.yama.ptrace_scope"})}, {"values", list({"1", "2"})}};
    const ArgumentValues ipv6{{"keys", list({"net.ipv6.conf.all.accept_ra"})}, {"values", list({"0"})}};
    host::MemoryHost host;
    host.file("/etc/sysctl.d/a.conf", "kernel.yama.ptrace_scope=1\n").directory("/proc/sys/net");
    EXPECT_EQ(ask(kSysctlPrimitive, host, yama), "fail");
    EXPECT_EQ(ask(kSysctlPrimitive, host, ipv6), "not-applicable");
    host.directory("/proc/sys/net/ipv6").directory("/proc/sys/kernel/yama");
    EXPECT_EQ(ask(kSysctlPrimitive, host, ipv6), "fail");
    host.broken("/proc/sys/kernel/yama/ptrace_scope", Error{ErrorKind::Denied, 13, "denied"});
    EXPECT_EQ(ask(kSysctlPrimitive, host, yama), "cannot-tell");
}

std::string module(const host::MemoryHost& host, const std::string& name = "cramfs", const std::string& registers = "")
{
    ArgumentValues values{{"module", text(name)}};
    if (!registers.empty()) {
        values.emplace("registers", text(registers));
    }
    return ask(kKernelModulePrimitive, host, std::move(values));
}

host::MemoryHost with_kernel()
{
    host::MemoryHost host;
    host.file("/proc/sys/kernel/osrelease", "6.1\n").file("/proc/filesystems", "\text4\n").file("/proc/modules", "");
    host.file("/lib/modules/6.1/modules.dep", "kernel/fs/cramfs/cramfs.ko:\nkernel/usb-storage.ko.xz:\n");
    host.file("/lib/modules/6.1/modules.builtin", "kernel/fs/squashfs/squashfs.ko\n");
    return host;
}

TEST(KernelModulePrimitive, InstallAndBlacklistBothWanted)
{
    auto host = with_kernel();
    EXPECT_EQ(module(host), "fail");
    host.file("/etc/modprobe.d/a.conf", "install cramfs /usr/bin/false\n");
    EXPECT_EQ(module(host), "fail");
    host.file("/etc/modprobe.d/a.conf", "install cramfs /usr/bin/false\nblacklist cramfs\n");
    EXPECT_EQ(module(host), "pass");
    host.file("/etc/modprobe.d/a.conf", "install usb_storage /bin/true\nblacklist usb-storage\n");
    EXPECT_EQ(module(host, "usb-storage"), "pass");
    host.file("/etc/modprobe.d/a.conf", "install cramfs /sbin/modprobe -i cramfs\nblacklist cramfs\n");
    EXPECT_EQ(module(host), "fail");
}

TEST(KernelModulePrimitive, AbsentBuiltInAndLoaded)
{
    auto host = with_kernel();
    EXPECT_EQ(module(host, "jffs2"), "pass");
    EXPECT_EQ(module(host, "squashfs"), "fail");
    host.file("/proc/modules", "jffs2 1 0 - Live 0\n");
    EXPECT_EQ(module(host, "jffs2"), "fail");
    host.file("/proc/modules", "").file("/proc/filesystems", "nodev\tjffs2\n");
    EXPECT_EQ(module(host, "jffs2"), "fail");
    host.file("/lib/modules/5.9/modules.dep", "kernel/freevxfs.ko:\n").file("/lib/modules/5.9/modules.builtin", "");
    EXPECT_EQ(module(host, "freevxfs"), "fail"); // the other installed kernel has it
}

TEST(KernelModulePrimitive, WhatIsNotKnownIsNeverAPass)
{
    host::MemoryHost host;
    host.image();
    EXPECT_EQ(module(host), "cannot-tell");
    host.file("/lib/modules/6.1/kernel/x.ko", "").file("/lib/modules/6.1/modules.builtin", "");
    EXPECT_EQ(module(host), "cannot-tell"); // no modules.dep
    host.file("/etc/modprobe.d/a.conf", "install cramfs /bin/false\nblacklist cramfs\n");
    EXPECT_EQ(module(host), "pass"); // blocked, and not built in
    host::MemoryHost running;
    running.file("/proc/sys/kernel/osrelease", "6.1\n").file("/proc/filesystems", "\text4\n");
    EXPECT_EQ(module(running), "pass"); // takes no modules, has no such file system
    EXPECT_EQ(module(running, "usb-storage", "none"), "cannot-tell");
}

std::string mount(const host::MemoryHost& host, const std::string& option = "")
{
    ArgumentValues values{{"path", text("/tmp")}};
    if (option.empty()) {
        return ask(kMountPrimitive, host, std::move(values));
    }
    values.emplace("option", text(option));
    return ask(kMountOptionPrimitive, host, std::move(values));
}

TEST(MountPrimitives, NowAndAtTheNextBoot)
{
    host::MemoryHost host;
    host.file("/proc/self/mountinfo", "1 0 0:1 / / rw - ext4 a rw\n");
    EXPECT_EQ(mount(host), "fail");
    EXPECT_EQ(mount(host, "nodev"), "not-applicable");
    host.file("/proc/self/mountinfo", "1 0 0:1 / / rw - ext4 a rw\n2 1 0:2 / /tmp rw,nodev - tmpfs t rw\n");
    EXPECT_EQ(mount(host), "fail"); // lost at the next boot
    EXPECT_EQ(mount(host, "nodev"), "pass");
    host.file("/etc/fstab", "tmpfs /tmp tmpfs defaults,x-nodev-note 0 0\n");
    EXPECT_EQ(mount(host), "pass");
    EXPECT_EQ(mount(host, "nodev"), "fail");
    host.file("/etc/fstab", "tmpfs /tmp tmpfs nodev,dev 0 0\n");
    EXPECT_EQ(mount(host, "nodev"), "fail");
    host.file("/etc/fstab", "tmpfs /tmp tmpfs dev,nodev 0 0\n");
    EXPECT_EQ(mount(host, "nodev"), "pass");
    EXPECT_EQ(mount(host, "nosuid"), "fail");
    host.file("/proc/self/mountinfo", "garbage\n");
    EXPECT_EQ(mount(host, "nodev"), "error");
    host.image();
    EXPECT_EQ(mount(host, "nodev"), "pass");
}

TEST(KernelArgumentPrimitive, EveryBootEntryAndTheRunningKernel)
{
    const ArgumentValues audit{{"name", text("audit")}, {"values", list({"1"})}};
    const ArgumentValues backlog{{"name", text("audit_backlog_limit")}, {"minimum", number(8192)}};
    const ArgumentValues selinux{{"name", text("selinux")}, {"without", list({"0"})}};
    const ArgumentValues lsm{{"name", text("lsm")}, {"contains", text("apparmor")}};
    host::MemoryHost host;
    host.file("/proc/cmdline", "audit=0 audit=1 audit_backlog_limit=16384 lsm=landlock,apparmor\n");
    EXPECT_EQ(ask(kKernelArgumentPrimitive, host, audit), "cannot-tell"); // no boot loader to look at
    host.file("/boot/grub/grub.cfg", "linux /v audit=1 audit_backlog_limit=8192 lsm=xapparmor\n");
    EXPECT_EQ(ask(kKernelArgumentPrimitive, host, audit), "pass");
    EXPECT_EQ(ask(kKernelArgumentPrimitive, host, backlog), "pass");
    EXPECT_EQ(ask(kKernelArgumentPrimitive, host, selinux), "pass");
    EXPECT_EQ(ask(kKernelArgumentPrimitive, host, lsm), "fail");
    host.file("/boot/grub/grub.cfg", "linux /v audit=1 audit_backlog_limit=8k\nlinux /v selinux=0\n");
    EXPECT_EQ(ask(kKernelArgumentPrimitive, host, audit), "fail");
    EXPECT_EQ(ask(kKernelArgumentPrimitive, host, backlog), "fail");
    EXPECT_EQ(ask(kKernelArgumentPrimitive, host, selinux), "fail");
    host.image().broken("/boot/grub/grub.cfg", Error{ErrorKind::Denied, 13, "denied"});
    EXPECT_EQ(ask(kKernelArgumentPrimitive, host, audit), "cannot-tell");
}

TEST(NoWirelessPrimitive, InterfacesAndTheirDrivers)
{
    host::MemoryHost host;
    host.directory("/sys/class/net/eth0");
    EXPECT_EQ(ask(kNoWirelessPrimitive, host, {}), "pass");
    host.directory("/sys/class/net/wlan0/phy80211");
    EXPECT_EQ(ask(kNoWirelessPrimitive, host, {}), "fail");
    host.link("/sys/class/net/wlan0/device/driver/module", "../../../../module/iwlwifi");
    host.file("/etc/modprobe.d/a.conf", "install iwlwifi /bin/false\nblacklist iwlwifi\n");
    EXPECT_EQ(ask(kNoWirelessPrimitive, host, {}), "fail"); // until the next boot
    host.image();
    EXPECT_EQ(ask(kNoWirelessPrimitive, host, {}), "cannot-tell");
}

} // namespace
} // namespace hostward::hardening
