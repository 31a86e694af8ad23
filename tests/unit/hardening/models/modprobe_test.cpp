// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/modprobe.h"

#include "hardening/models/kernel_modules.h"
#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::ElementsAre;
using ::testing::IsNull;
using ::testing::NotNull;

ModprobeConfig config_of(const host::MemoryHost& host)
{
    Facts facts(host, 0);
    auto config = facts.get<ModprobeConfig>();
    EXPECT_TRUE(config.ok());
    return config.ok() ? config.take() : ModprobeConfig{};
}

TEST(Modprobe, DashesAndUnderscoresAreTheSame)
{
    host::MemoryHost host;
    host.file("/etc/modprobe.d/a.conf", "install usb_storage /bin/false\nblacklist usb-storage\n");
    const auto config = config_of(host);
    ASSERT_THAT(config.install_of("usb-storage"), NotNull());
    EXPECT_EQ(config.install_of("usb_storage")->where.text(), "/etc/modprobe.d/a.conf:1");
    EXPECT_THAT(config.blacklisting("usb-storage"), NotNull());
    EXPECT_THAT(config.blacklisting("usb"), IsNull());
}

TEST(Modprobe, FirstInstallLineCountsAndNamesArePatterns)
{
    ModprobeConfig config;
    config.parse("install cra* /bin/false\ninstall cramfs /sbin/modprobe -i cramfs\n", "f");
    EXPECT_EQ(config.install_of("cramfs")->command, "/bin/false");
    config.parse("install\ninstall cramfs\nblacklist\n#blacklist udf\nblacklist \\\n udf\ninstall x \\\n /bin/true",
                 "g");
    EXPECT_EQ(config.installs.size(), 3U);
    EXPECT_THAT(config.blacklisting("udf"), NotNull());
    EXPECT_EQ(module_name("a-b[-x]-c"), "a_b[-x]_c");
}

TEST(Modprobe, MaskedFileIsNotRead)
{
    host::MemoryHost host;
    host.file("/usr/lib/modprobe.d/cramfs.conf", "install cramfs /bin/false\n")
        .node("/dev/null", host::FileType::CharDevice);
    host.link("/etc/modprobe.d/cramfs.conf", "/dev/null");
    EXPECT_THAT(config_of(host).install_of("cramfs"), IsNull());
}

TEST(Modprobe, ModulesLoadIsNotModprobeConfiguration)
{
    host::MemoryHost host;
    host.file("/etc/modules-load.d/a.conf", "install cramfs /bin/false\n");
    EXPECT_THAT(config_of(host).install_of("cramfs"), IsNull());
}

TEST(Modprobe, CommandsThatLoadNothing)
{
    for (const auto* command : {"/bin/false", "/usr/bin/false", "/bin/true", " /usr/bin/true ", "false", "true"}) {
        EXPECT_TRUE(loads_nothing(command)) << command;
    }
    for (const auto* command : {"/sbin/modprobe -i x", "/bin/false || modprobe -i x", "/bin/falsey", "/tmp/bin/false",
                                "", "/bin/false; insmod x", "/usr/bin//bin/false"}) {
        EXPECT_FALSE(loads_nothing(command)) << command;
    }
}

TEST(KernelModules, NamesOfFiles)
{
    EXPECT_THAT(parse_modules_dep("kernel/fs/cramfs/cramfs.ko.xz: kernel/a.ko\nkernel/usb-storage.ko:\nbroken\n.ko:\n"),
                ElementsAre("cramfs", "usb_storage"));
    EXPECT_THAT(parse_modules_builtin("kernel/fs/ext4/ext4.ko\n\nnot a module\n"), ElementsAre("ext4"));
}

host::MemoryHost running()
{
    host::MemoryHost host;
    host.file("/proc/sys/kernel/osrelease", "6.1.0\n").file("/proc/filesystems", "nodev\tsysfs\n\text4\n");
    host.file("/proc/modules", "usb_storage 81920 0 - Live 0x0\n");
    host.file("/proc/net/protocols", "protocol  size\nSCTP 1\n");
    return host;
}

TEST(KernelModules, RunningKernel)
{
    const auto host = running();
    Facts facts(host, 0);
    const auto& modules = facts.get<KernelModules>();
    ASSERT_TRUE(modules.ok());
    EXPECT_EQ(modules->running->release, "6.1.0");
    EXPECT_TRUE(modules->running->takes_modules);
    EXPECT_TRUE(modules->running->loaded.contains("usb_storage"));
    EXPECT_TRUE(modules->running->registered.contains("ext4"));
    EXPECT_TRUE(modules->running->registered.contains("sctp"));
    EXPECT_TRUE(modules->kernels.empty());
}

TEST(KernelModules, FolderOfARemovedKernelIsNoneAndOneWithoutListsIsUnknown)
{
    auto host = running();
    host.file("/lib/modules/5.0/updates/dkms.txt", "").file("/lib/modules/6.0/kernel/fs/cramfs.ko", "");
    host.file("/lib/modules/6.1/modules.dep", "kernel/cramfs.ko:\n").file("/lib/modules/6.1/modules.builtin", "");
    host.image();
    Facts facts(host, 0);
    const auto& modules = facts.get<KernelModules>();
    ASSERT_TRUE(modules.ok());
    EXPECT_FALSE(modules->running);
    ASSERT_EQ(modules->kernels.size(), 2U);
    EXPECT_FALSE(modules->kernels[0].loadable);
    EXPECT_FALSE(modules->kernels[0].builtin);
    EXPECT_THAT(*modules->kernels[1].loadable, ElementsAre("cramfs"));
}

} // namespace
} // namespace hostward::hardening
