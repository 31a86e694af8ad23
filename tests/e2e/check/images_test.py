#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real Debians 11, 12 and 13, as installed and hardened by our own remediation texts: every text that can be pasted makes its
rule pass, and hardening leaves only what is a choice. Environment: HOSTWARD_BUILT, the build folder."""
import collections
import os
import sys
import unittest

import harden
import images
import scan

FOLDERS = {}
# What fails on purpose: the other time daemon, firewall and log transport are chosen.
CHOICES = {"timesyncd-on", "ufw-installed", "ufw-on", "iptables-installed", "journal-remote-installed", "journal-upload-on"}
# Their texts are tried one at a time only: pasted in both rounds, a rule is there twice, and auditctl stops at the second.
TOGETHER_LATER = {rule for rule in harden.rules() if rule.startswith("audit-")}
# What an image cannot tell: it has no kernel that runs, no sockets, no interfaces.
NOT_IN_AN_IMAGE = {"apparmor-profiles-active", "apparmor-profiles-enforcing", "mta-loopback-only", "no-wireless-interface",
                   "audit-loaded"}
# Texts with commands that do not help alone, and what is missing.
NOT_ALONE = {
    "faillock-deny": "pam_faillock is not in the stack", "faillock-root": "the same", "faillock-unlock-time": "the same",
    "pwhistory-remember": "pam_pwhistory is not in the stack", "pwhistory-root": "the same",
    "homes-closed": "the name of the home", "password-max-days": "chage for accounts that exist", "password-min-days": "the same",
    "mount-tmp": "Debian's copy of the unit, which stands in a sentence",
    "audit-mac-policy": "only the watches of what is installed are to be written", "audit-network-names": "the same",
    "audit-sudo-log": "sudo has no log file yet",
    "timesyncd-on": "systemd-timesyncd is not installed", "ufw-on": "ufw is not installed",
    "journal-upload-on": "systemd-journal-remote is not installed",
}
# Debian 12's benchmark on another release: what is the release's and not the owner's.
OF_THE_RELEASE = {"bullseye": {"pam-version", "aide-scheduled"}, "bookworm": set(), "trixie": set()}
UNKNOWN_OF_THE_RELEASE = {
    "bullseye": {"sshd-ciphers", "sshd-kex-algorithms", "sshd-macs"},  # OpenSSH 8.4's own defaults
    "trixie": {"default-umask", "root-path-safe", "root-umask", "shell-timeout"},  # its start files ask programs
}


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.program = scan.Program()
        cls.layers = images.Layers()

    @classmethod
    def tearDownClass(cls):
        cls.layers.remove()
        cls.program.remove()

    def tree(self, suite):
        tree, _ = self.layers.over(FOLDERS[suite])
        images.prepare(tree)
        return tree

    def sound(self, suite, state, tree):
        """Every format of every profile; {row: verdict} of Debian's."""
        for profile in scan.PROFILES:
            self.program.all_formats(tree, profile)
        found = images.verdicts(self.program, tree)
        print(suite, state, dict(collections.Counter(found.values())), flush=True)
        unknown = {rule for (rule, _), verdict in found.items() if verdict == "cannot-tell"}
        self.assertLessEqual(unknown, NOT_IN_AN_IMAGE | UNKNOWN_OF_THE_RELEASE.get(suite, set()), suite)
        return found

    def test_plain_and_hardened(self):
        for suite in FOLDERS:
            with self.subTest(suite):
                tree = self.tree(suite)
                before = self.sound(suite, "plain", tree)
                images.harden_all(self.program, tree)
                after = self.sound(suite, "hardened", tree)
                failed = {rule for (rule, _), verdict in after.items() if verdict == "fail"} - TOGETHER_LATER
                self.assertEqual(failed, (CHOICES | OF_THE_RELEASE[suite]) & failed, "these should pass now")
                spoilt = {rule for (rule, number), verdict in after.items()
                          if verdict == "fail" and before[rule, number] == "pass"}
                self.assertEqual(spoilt, set(), "these passed before")
                self.assertGreater(sum(verdict == "pass" for verdict in after.values()), 200)

    def test_the_running_kernel_is_not_asked(self):
        """Of an image: whatever this machine has in its own /proc and /sys is not its."""
        found = images.verdicts(self.program, self.tree("bookworm"))
        for rule in NOT_IN_AN_IMAGE:
            self.assertEqual({verdict for (name, _), verdict in found.items() if name == rule}, {"cannot-tell"}, rule)

    def test_each_text_makes_its_rule_pass(self):
        """One at a time, on a plain Debian 12."""
        library = harden.rules()
        plain = self.tree("bookworm")
        changes = plain.parent / "changes"
        failed = {rule for (rule, _), verdict in images.verdicts(self.program, plain).items() if verdict == "fail"}
        self.layers.close(plain, keep=True)
        wrong, helped = [], 0
        for rule in sorted(failed):
            tree, _ = self.layers.over(changes, FOLDERS["bookworm"])
            if harden.remedy(tree, library[rule]):
                after = self.program.findings(tree, images.PROFILE, "--rule", rule)
                passes = {one["verdict"] for one in after.values()} == {"pass"}
                helped += passes
                if passes == (rule in NOT_ALONE):  # also when it helps now
                    wrong.append((rule, [(one["verdict"], one["evidence"][:2]) for one in after.values()]))
            self.layers.close(tree)
        print(f"{helped} of {len(failed)} rules pass after what their text says was pasted", flush=True)
        self.assertEqual(wrong, [], "\n".join(map(str, wrong)))
        self.assertGreater(helped, 40)


if __name__ == "__main__":
    FOLDERS.update(images.start(os.path.realpath(__file__)))
    sys.exit(unittest.main())
