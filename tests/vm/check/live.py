#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same Debian 12 as a running host and as an image: where both can tell, `hostward check` says the same.

Booted are the root of tests/e2e/check as installed, and hardened by our own remediation texts. In the machine the check runs
live, and with --root on a second view of the same file system, which has no /proc, /sys, /dev and /run of the running one.
Where they differ, a reason must stand below, and a reason that nothing needs any more is a failure, too.

Usage: live.py --build BUILD
Ends with 0 when all came out as it should, 1 otherwise, 77 when this machine cannot run it (the reason is printed).
"""
import argparse
import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "disk"), str(ROOT / "tests/e2e/check")]

from guest import Guest  # noqa: E402
from initramfs import Error  # noqa: E402
from machine import Lost  # noqa: E402
from run import SKIPPED, Skip, kernel_folder  # noqa: E402
from stage import Stage, initrds  # noqa: E402

KERNEL = "6.1"
PROFILE = "cis-debian-12"
SUITE = "bookworm"
TOLD = ("pass", "fail", "not-applicable")
FSTAB = ("/dev/vda / ext4 defaults 0 1\n"
         "tmpfs /tmp tmpfs nosuid,nodev,noexec 0 0\n"
         "tmpfs /dev/shm tmpfs nosuid,nodev,noexec 0 0\n")
# Rule: why the running host differs from what its files say.
DIFFERENT = {
    "kernel-apparmor-on": "the machine is started by its emulator, not by the GRUB that its files configure",
    "kernel-audit-on": "the same",
    "kernel-audit-backlog": "the same",
    "nft-hooks": "as installed, nothing loads /etc/nftables.conf: in an image its text counts all the same, see docs/checks.md",
    "nft-table": "the same",
}


def expect(condition, text):
    if not condition:
        raise Error(text)


def trees(work, build):
    """(state, tree) of the image as installed, then hardened; in layers that are gone at the end."""
    os.environ["HOSTWARD_BUILT"] = str(build)
    import images
    import scan
    folder = dict(line.split() for line in os.environ["HOSTWARD_IMAGES"].splitlines())[SUITE]
    layers, program = images.Layers(), scan.Program()
    try:
        tree, _ = layers.over(Path(folder))
        images.prepare(tree)
        yield "as installed", tree
        images.harden_all(program, tree)
        yield "hardened", tree
    finally:
        program.remove()
        layers.remove()


def make_disk(tree, kernel, build, target):
    """The tree with what a boot needs: a kernel's modules, its own disk in fstab, hostward, and our hands in it."""
    stage = Stage(tree, target.with_suffix(".stage"))
    try:
        stage.bootable(kernel, FSTAB)
        stage.place(build / "hostward", "/usr/sbin/hostward", 0o755)
        stage.check_program("/usr/sbin/hostward")
        for kind in ("rules", "profiles"):
            for file in sorted((ROOT / "hardening" / kind).glob("*.toml")):
                stage.place(file, f"/usr/share/hostward/hardening/{kind}/{file.name}")
        return stage.disk(target)
    finally:
        shutil.rmtree(stage.folder, ignore_errors=True)


def verdicts(guest, *more):
    """{(rule, number): finding} of one run in the machine."""
    words = " ".join(("hostward check --format json --profile", PROFILE, *more))
    answer = guest.ask(words)
    expect(answer["code"] in (0, 10), f"{words!r} ended with {answer['code']}: {answer['err']}")
    findings = json.loads(answer["out"])["findings"]
    return {(one["rule"], one["number"]): one for one in findings if "rule" in one}


def both_views(guest):
    """(live, as an image), on a host that has come up."""
    guest.ask("systemctl is-system-running --wait")
    failed = guest.ask("systemctl list-units --state=failed --no-legend --plain")["out"].strip()
    print(f"failed units: {failed or 'none'}", flush=True)
    expect(guest.ask("mkdir -p /run/image && mount --bind / /run/image")["code"] == 0, "no second view of the file system")
    image = verdicts(guest, "--root /run/image")
    return verdicts(guest), image


def differences(state, live, image):
    """Rules whose verdicts differ where both are told; prints each with what was found."""
    expect(live.keys() == image.keys(), "the two runs looked at different rows")
    counts = collections.Counter((one["verdict"], image[row]["verdict"]) for row, one in live.items())
    print(f"{state}: (live, image): {dict(counts)}", flush=True)
    both = [row for row in live if live[row]["verdict"] in TOLD and image[row]["verdict"] in TOLD]
    expect(len(both) > 200, f"only {len(both)} rows are told by both: the machine is not a host")
    found = set()
    for row in both:
        if live[row]["verdict"] != image[row]["verdict"]:
            found.add(row[0])
            print(f"  {row[0]} is {live[row]['verdict']} live and {image[row]['verdict']} in the image: {DIFFERENT.get(row[0], 'UNEXPECTED')}\n"
                  f"    live:  {live[row].get('evidence') or live[row].get('reason')}\n"
                  f"    image: {image[row].get('evidence') or image[row].get('reason')}", flush=True)
    return found


def boot_and_compare(work, kernel, archives, state, tree, build):
    start = time.monotonic()
    disk = make_disk(tree, kernel, build, work / "check.ext4")
    with Guest(kernel, archives, disk, "user,restrict=on,ipv6=off") as guest:
        found = differences(state, *both_views(guest))
    disk.unlink()
    print(f"{state}: {time.monotonic() - start:.0f} s", flush=True)
    return found


def compare(build, kernel):
    with tempfile.TemporaryDirectory(prefix="hostward-live.") as folder:
        work = Path(folder)
        archives = initrds(kernel, work)
        found = set()
        for state, tree in trees(work, build):
            try:
                found |= boot_and_compare(work, kernel, archives, state, tree, build)
            except Lost as lost:  # as in run.py: through no fault of what runs in it. Once, and never silently
                print(f"--- {lost}\n--- the machine was lost: once more", flush=True)
                found |= boot_and_compare(work, kernel, archives, state, tree, build)
    expect(found <= DIFFERENT.keys(), f"without a reason: {sorted(found - DIFFERENT.keys())}")
    expect(DIFFERENT.keys() <= found, f"reasons that nothing needs any more: {sorted(DIFFERENT.keys() - found)}")


def fetch_and_start_again():
    """This program again in network and mount namespaces of its own; what has to be fetched is fetched before."""
    if os.geteuid() != 0:
        raise Skip("needs root for chroot and mounts")
    if not shutil.which("mmdebstrap"):
        raise Skip("mmdebstrap is not installed")
    kernel = kernel_folder(KERNEL)
    answer = subprocess.run([ROOT / "tests/e2e/check/fetch_images.sh"], stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode != 0:
        raise Skip("no images: fetch_images.sh says why above")
    os.environ["HOSTWARD_IMAGES"] = answer.stdout
    os.execvp("unshare", ["unshare", "--net", "--mount", "--propagation", "private", sys.executable, "-B", *sys.argv,
                          "--kernel", str(kernel)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="the build folder")
    parser.add_argument("--kernel", type=Path, help="what the fetch script printed; with it this runs in the present namespaces")
    options = parser.parse_args()
    # As for an exception: the machine and the folder go, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if not options.kernel:
            fetch_and_start_again()
        compare(options.build.resolve(), options.kernel)
    except Skip as reason:
        print(f"SKIP: {reason}")
        return SKIPPED
    except Error as error:
        print(f"live.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
