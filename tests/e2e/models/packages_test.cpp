// SPDX-License-Identifier: Apache-2.0
// The packages model against dpkg-query, dpkg and rpm, on databases that these programs accept or made themselves.
#include "hardening/models/packages.h"

#include "agent/base/text.h"
#include "tests/e2e/models/oracle.h"
#include "tests/unit/host/temp_tree.h"

#include <algorithm>
#include <array>

namespace hostward::hardening {
namespace {

using oracle::Random;

constexpr std::array kWants{"install", "hold", "deinstall", "purge", "unknown"};
constexpr std::array kStates{"installed",      "config-files",  "unpacked",  "half-configured",
                             "half-installed", "not-installed", "installed", "installed"};
constexpr std::array kArchitectures{"amd64", "i386"};

std::string random_version(Random& random)
{
    std::string version = random.one_in(4) ? std::to_string(random.below(3)) + ":" : "";
    version += std::to_string(random.below(12));
    constexpr std::array kParts{".", "~", "+", "a", "rc", "0", "1", "9", "10", "00", "b.", "~~", "z", "A"};
    for (int i = random.below(5); i > 0; --i) {
        version += random.pick(kParts);
    }
    return version + (random.one_in(2) ? "-" + std::to_string(random.below(12)) : "");
}

std::string random_paragraph(Random& random, int number)
{
    const std::string state = random.pick(kStates);
    // dpkg itself rejects some combinations, and knows no version of what was never installed.
    const bool has_version = state != "not-installed";
    std::string text = std::string(random.one_in(8) ? "package" : "Package") + ": p" + std::to_string(number) + "\n";
    text += "Status: " + std::string(random.pick(kWants)) + " ok " + state + "\n";
    text += std::string("Architecture: ") + random.pick(kArchitectures) + "\n";
    text += number % 3 == 0 ? "Multi-Arch: same\n" : "";
    text += has_version ? "Version: " + random_version(random) + "\n" : "";
    text += "Maintainer: x\nDescription: one\n Package: no\n .\n Status: install ok installed\n";
    const bool was_configured = has_version && state != "installed" && state != "config-files";
    text += was_configured ? "Config-Version: 1\n" : "";
    return text + (random.one_in(6) ? "\n\n" : "\n");
}

std::string sorted(const std::vector<std::string>& lines)
{
    std::vector<std::string> copy(lines);
    std::ranges::sort(copy);
    std::string text;
    for (const auto& line : copy) {
        text += line.empty() ? "" : line + "\n";
    }
    return text;
}

std::vector<std::string> lines_of(const std::string& text)
{
    const auto parts = split(text, '\n');
    std::vector<std::string> lines(parts.begin(), parts.end());
    std::erase(lines, "");
    return lines;
}

std::string sorted(const std::string& text) { return sorted(lines_of(text)); }

std::string model_of(const std::string& root, bool with_state)
{
    const auto host = host::open_host(root);
    Facts facts(**host, 0);
    const auto& packages = facts.get<Packages>();
    if (!packages) {
        return packages.error().text;
    }
    constexpr std::array kWords{"installed", "partial", "config-files"};
    std::vector<std::string> lines;
    for (const auto& [name, package] : packages->all) {
        lines.push_back(name + " " + package.architecture + " " + package.version +
                        (with_state ? std::string(" ") + kWords.at(static_cast<std::size_t>(package.state)) : ""));
    }
    return sorted(lines);
}

/// dpkg's words put as the model does.
std::string dpkg_truth(const std::string& root)
{
    const auto answer = oracle::run({"/usr/bin/dpkg-query", "--admindir=" + root + "/var/lib/dpkg", "-W",
                                     "-f=${Package} ${Architecture} ${Version} ${db:Status-Status}\\n"});
    std::vector<std::string> lines;
    for (std::string text : lines_of(answer.out)) {
        for (const auto* word : {" unpacked", " half-configured", " half-installed"}) {
            if (text.ends_with(word)) {
                text = text.substr(0, text.rfind(' ')) + " partial";
            }
        }
        if (!text.ends_with(" not-installed")) {
            lines.push_back(text);
        }
    }
    return sorted(lines) + answer.err;
}

TEST(PackagesAgainstDpkg, RandomStatusFiles)
{
    Random random;
    for (int round = 0; round < oracle::rounds(); ++round) {
        const host::TempTree tree;
        std::string text;
        for (int i = 0; i < 8; ++i) {
            text += random_paragraph(random, i);
        }
        tree.write("var/lib/dpkg/status", text);
        tree.directory("var/lib/dpkg/updates");
        tree.directory("var/lib/dpkg/info");
        tree.write("var/lib/dpkg/arch", "amd64\ni386\n");
        if (random.one_in(4)) {
            tree.write("var/lib/dpkg/updates/0001", random_paragraph(random, random.below(10)));
        }
        ASSERT_EQ(model_of(tree.root(), true), dpkg_truth(tree.root())) << random.text() << "\n" << text;
    }
}

int sign(int value) { return (value > 0 ? 1 : 0) - (value < 0 ? 1 : 0); }

TEST(VersionsAgainstDpkg, RandomVersions)
{
    Random random;
    for (int round = 0; round < oracle::rounds(); ++round) {
        const std::string a = random_version(random);
        const std::string b = random.one_in(10) ? a : random_version(random);
        const int told = sign(compare_dpkg(a, b));
        const auto* relation = told < 0 ? "lt" : (told > 0 ? "gt" : "eq");
        const auto answer = oracle::run({"/usr/bin/dpkg", "--compare-versions", a, relation, b});
        ASSERT_EQ(answer.exit_code, 0) << a << " " << relation << " " << b << ", " << random.text();
    }
}

TEST(VersionsAgainstRpm, RandomVersions)
{
    Random random;
    constexpr std::array kParts{".", "~", "^", "_", "a", "rc", "0", "1", "9", "10", "00", "+", "~~", "^^", "Z"};
    std::string script;
    std::vector<std::pair<std::string, std::string>> pairs;
    for (int i = 0; i < oracle::rounds(3000); ++i) {
        std::array<std::string, 2> texts;
        for (auto& text : texts) {
            text = std::to_string(random.below(12));
            for (int part = random.below(6); part > 0; --part) {
                text += random.pick(kParts);
            }
        }
        pairs.emplace_back(texts[0], texts[1]);
        script += "print(rpm.vercmp('" + texts[0] + "','" + texts[1] + "')..' ') ";
    }
    const auto answer = oracle::run({"/usr/bin/rpm", "--eval", "%{lua:" + script + "}"});
    const auto told = split(answer.out, ' ');
    ASSERT_GE(told.size(), pairs.size()) << answer.err;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        ASSERT_EQ(sign(compare_rpm(pairs[i].first, pairs[i].second)), parse_number<int>(told[i]))
            << pairs[i].first << " " << pairs[i].second << ", " << random.text();
    }
}

/// One build makes a package file for each name.
std::vector<std::string> build_packages(const host::TempTree& tree, Random& random, int count)
{
    std::string spec =
        "Name: top\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\nBuildArch: noarch\n%description\nx\n";
    for (int i = 0; i < count; ++i) {
        const std::string name = "p" + std::to_string(i) + (random.one_in(3) ? ".sub_Name+x" : "");
        spec += "%package -n " + name + "\nSummary: x\nVersion: " + std::to_string(random.below(9)) + "." +
                std::to_string(random.below(99)) + (random.one_in(4) ? "~rc1" : "") +
                "\nRelease: " + std::to_string(random.below(99)) + ".el9\n" +
                (random.one_in(3) ? "Epoch: " + std::to_string(random.below(4)) + "\n" : "") + "%description -n " +
                name + "\n" + std::string(static_cast<std::size_t>(random.below(5000)), 'd') + "\n%files -n " + name +
                "\n";
    }
    tree.write("x.spec", spec);
    const auto answer =
        oracle::run({"/usr/bin/rpmbuild", "-bb", "--quiet", "--nodebuginfo", "--define",
                     "_topdir " + tree.path("build"), "--define", "_build_id_links none", tree.path("x.spec")});
    EXPECT_EQ(answer.exit_code, 0) << answer.err;
    return lines_of(oracle::run({"/usr/bin/find", tree.path("build/RPMS"), "-name", "*.rpm"}).out);
}

std::vector<std::string> rpm(const std::string& root, const std::string& folder)
{
    return {"/usr/bin/rpm", "--root", root, "--define", "_dbpath " + folder, "--define", "_db_backend sqlite"};
}

std::string rpm_truth(std::vector<std::string> argv)
{
    argv.insert(argv.end(), {"-qa", "--qf", "%{NAME} %{ARCH} %|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\n"});
    const auto answer = oracle::run(argv);
    return sorted(answer.out) + answer.err;
}

/// Debian's rpm makes no ndb, so that form has only its unit tests. Installs and erases at random; the model must say
/// what rpm says each time.
void hold_to_rpm(const std::vector<std::string>& files, const std::string& folder, Random& random)
{
    const host::TempTree tree;
    const auto base = rpm(tree.root(), folder);
    for (int round = 0; round < oracle::rounds(50) / 2; ++round) {
        auto argv = base;
        argv.insert(argv.end(), {"-U", "--justdb", "--nodeps", "--noscripts", "--nosignature", "--force"});
        for (int i = 2 + random.below(20); i > 0; --i) {
            argv.push_back(random.pick(files));
        }
        const auto installed = oracle::run(argv);
        ASSERT_EQ(installed.exit_code, 0) << installed.err << random.text();
        argv = base;
        argv.insert(argv.end(), {"-e", "--justdb", "--nodeps", "--noscripts"});
        auto query = base;
        query.insert(query.end(), {"-qa", "--qf", "%{NAME}\\n"});
        const auto present = lines_of(oracle::run(query).out);
        for (const auto& name : present) {
            if (random.one_in(3)) {
                argv.push_back(name);
            }
        }
        if (argv.size() > base.size() + 4) {
            (void)oracle::run(argv); // what it left is what counts
        }
        ASSERT_EQ(model_of(tree.root(), false), rpm_truth(base)) << folder << ", " << random.text();
    }
}

TEST(PackagesAgainstRpm, DatabasesThatRpmMade)
{
    Random random;
    const host::TempTree build;
    const auto files = build_packages(build, random, 60);
    ASSERT_EQ(files.size(), 60U);
    hold_to_rpm(files, "/var/lib/rpm", random);
    hold_to_rpm(files, "/usr/lib/sysimage/rpm", random);
}

} // namespace
} // namespace hostward::hardening
