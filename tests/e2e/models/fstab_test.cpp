// SPDX-License-Identifier: Apache-2.0
// fstab as libmount reads it, and which options give nodev, nosuid and noexec.
#include "hardening/models/fstab.h"
#include "tests/e2e/models/random.h"
#include "tests/unit/host/temp_tree.h"

#include <gtest/gtest.h>

#include <libmount/libmount.h>
#include <sys/mount.h>

#include <memory>

namespace hostward::hardening {
namespace {

struct DropTable {
    void operator()(libmnt_table* table) const { mnt_unref_table(table); }
};
struct DropIterator {
    void operator()(libmnt_iter* iterator) const { mnt_free_iter(iterator); }
};

std::string random_options(e2e::Random& random)
{
    static const std::vector<std::string> kOptions{
        "defaults", "nodev",  "dev",     "nosuid",       "suid",    "noexec", "exec", "user",
        "users",    "owner",  "group",   "x-nodev-note", "nodev=1", "ro",     "",     "context=\"a,nodev\"",
        "noauto",   "nouser", "size=1g", "NODEV"};
    std::string text = random.of(kOptions);
    for (auto more = random.below(5); more > 0; --more) {
        text += "," + random.of(kOptions);
    }
    return text;
}

std::string random_line(e2e::Random& random)
{
    const std::string blank = random.of<std::string>({" ", "\t", "   "});
    const std::string start = random.of<std::string>({"", "", "", "", "#", " ", "\t#"});
    std::string line = start + random.of<std::string>({"/dev/a", "LABEL=x", "tmpfs", "/dev/with\\040blank", "a:/b"}) +
                       blank + random.of<std::string>({"/tmp", "/home", "/mnt/a\\040b", "/var/", "none", "/dev/shm"});
    if (random.one_in(12)) {
        return line + "\n";
    }
    line += blank + random.of<std::string>({"ext4", "tmpfs", "swap", "nfs"});
    if (!random.one_in(6)) {
        line += blank + random_options(random);
        line += random.one_in(2) ? " 0 2" : "";
    }
    return line + random.of<std::string>({"\n", "\n", " \n", "\n\n"});
}

std::vector<std::string> as_libmount_reads(const std::string& path)
{
    const std::unique_ptr<libmnt_table, DropTable> table(mnt_new_table());
    const std::unique_ptr<libmnt_iter, DropIterator> iterator(mnt_new_iter(MNT_ITER_FORWARD));
    mnt_table_set_parser_errcb(table.get(), [](libmnt_table*, const char*, int) { return 1; }); // go on
    EXPECT_EQ(mnt_table_parse_file(table.get(), path.c_str()), 0);
    std::vector<std::string> lines;
    for (libmnt_fs* fs = nullptr; mnt_table_next_fs(table.get(), iterator.get(), &fs) == 0;) {
        const char* options = mnt_fs_get_options(fs);
        unsigned long flags = 0;
        EXPECT_EQ(options == nullptr ? 0 : mnt_optstr_get_flags(options, &flags, mnt_get_builtin_optmap(MNT_LINUX_MAP)),
                  0);
        std::string target = mnt_fs_get_target(fs);
        target = target.ends_with('/') ? target.substr(0, target.size() - 1) : target; // libmount compares them so
        lines.push_back(std::string(mnt_fs_get_source(fs)) + "|" + target + "|" + mnt_fs_get_fstype(fs) +
                        ((flags & MS_NODEV) != 0 ? "|nodev" : "") + ((flags & MS_NOSUID) != 0 ? "|nosuid" : "") +
                        ((flags & MS_NOEXEC) != 0 ? "|noexec" : ""));
    }
    return lines;
}

std::vector<std::string> as_we_read(const std::string& text)
{
    std::vector<std::string> lines;
    for (const auto& entry : parse_fstab(text, "f")) {
        std::string line = entry.source + "|" + entry.point + "|" + entry.type;
        for (const auto* wanted : {"nodev", "nosuid", "noexec"}) {
            line += options_give(entry.options, wanted) ? std::string("|") + wanted : "";
        }
        lines.push_back(line);
    }
    return lines;
}

TEST(FstabModel, AgreesWithLibmount)
{
    e2e::Random random;
    const host::TempTree tree;
    std::size_t seen = 0;
    for (std::size_t round = 0; round < e2e::rounds(3000); ++round) {
        std::string text;
        for (auto lines = random.below(6); lines > 0; --lines) {
            text += random_line(random);
        }
        tree.write("fstab", text);
        const auto ours = as_we_read(text);
        ASSERT_EQ(ours, as_libmount_reads(tree.path("fstab"))) << "seed " << random.seed() << "\n" << text;
        seen += ours.size();
    }
    EXPECT_GT(seen, 100U);
}

} // namespace
} // namespace hostward::hardening
