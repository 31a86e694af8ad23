// SPDX-License-Identifier: Apache-2.0
#include "hardening/models/kernel_arguments.h"

#include "tests/unit/hardening/support/memory_host.h"

#include <gmock/gmock.h>

namespace hostward::hardening {
namespace {

using ::testing::IsNull;
using ::testing::NotNull;

std::string text(const std::vector<KernelArgument>& arguments)
{
    std::string out;
    for (const auto& one : arguments) {
        out += (out.empty() ? "" : "|") + one.name + (one.value ? "=" + *one.value : "");
    }
    return out;
}

TEST(KernelArguments, AsTheKernelSplitsThem)
{
    EXPECT_EQ(text(parse_kernel_arguments("")), "");
    EXPECT_EQ(text(parse_kernel_arguments("  quiet\taudit=1 a=\"x y\" \"b=z w\" c= \n")),
              "quiet|audit=1|a=x y|b=z w|c=");
    EXPECT_EQ(text(parse_kernel_arguments("a -- audit=1")), "a");
    EXPECT_EQ(text(parse_kernel_arguments("a=\"open")), "a=open");
    const auto all = parse_kernel_arguments("audit=0 audit=1 audit_backlog-limit=9 noaudit=1");
    EXPECT_EQ(*find_argument(all, "audit")->value, "1");
    EXPECT_EQ(*find_argument(all, "audit_backlog_limit")->value, "9");
    EXPECT_THAT(find_argument(all, "aud"), IsNull());
}

TEST(KernelArguments, GrubConfig)
{
    const auto entries =
        parse_grub_config("set vt=quiet\nset default=\"0\"\n#linux /no audit=1\n"
                          "menuentry 'A' {\n\tlinux\t/vmlinuz root=UUID=1 ro $vt ${none} 'a=b c' audit=1\n}\n"
                          "\tlinuxefi /vmlinuz selinux=0 # end\n\tinitrd /x audit=1\n linux_x /y audit=1\n",
                          "f");
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(text(entries[0].arguments), "root=UUID=1|ro|quiet|a=b c|audit=1");
    EXPECT_EQ(entries[0].where.text(), "f:5");
    EXPECT_EQ(text(entries[1].arguments), "selinux=0");
}

TEST(KernelArguments, BootLoaderSpecificationEntries)
{
    host::MemoryHost host;
    host.file("/boot/grub2/grubenv", "# GRUB Environment Block\nkernelopts=root=/dev/a audit=1 \n####");
    host.file("/boot/loader/entries/1.conf", "title x\noptions $kernelopts audit_backlog_limit=8192 $tuned_params\n");
    host.file("/boot/loader/entries/2.conf", "title optionsx\n");
    host.file("/boot/efi/EFI/amzn/grub.cfg", "configfile $prefix/grub.cfg\n");
    Facts facts(host, 0);
    const auto& entries = facts.get<BootEntries>();
    ASSERT_TRUE(entries.ok());
    ASSERT_EQ(entries->entries.size(), 2U);
    EXPECT_EQ(text(entries->entries[0].arguments), "root=/dev/a|audit=1|audit_backlog_limit=8192");
    EXPECT_EQ(entries->entries[0].where.text(), "/boot/loader/entries/1.conf:2");
    EXPECT_TRUE(entries->entries[1].arguments.empty());
}

TEST(KernelArguments, RunningOnesAreNotInAnImage)
{
    host::MemoryHost host;
    host.file("/proc/cmdline", "quiet\n");
    Facts live(host, 0);
    EXPECT_EQ(text(live.get<RunningArguments>()->arguments), "quiet");
    host.image();
    Facts facts(host, 0);
    EXPECT_EQ(facts.get<RunningArguments>().error().kind, ErrorKind::Unsupported);
    EXPECT_TRUE(facts.get<BootEntries>()->entries.empty());
    host.file("/boot/grub/grub.cfg", "").broken("/boot/grub/grub.cfg", Error{ErrorKind::Denied, 13, "denied"});
    Facts closed(host, 0);
    EXPECT_FALSE(closed.get<BootEntries>().ok());
}

} // namespace
} // namespace hostward::hardening
