#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A golden image and its instance: a real Debian with systemd and cloud-init, and everything outside it on other hosts.

  image    the phases build and validate of packaging/image-builder, in the root
  boot 0   the guard is there before cloud-init asks; the timer's report is proven; the agent is killed; the package upgraded
  boot 1   still guarded; then the package is removed and purged
  --plain  instead an image without hostward: user data installs it in the first boot; removed, SSM's documents install, check,
           report, enforce and upgrade

Usage: story.py 12|13 --build BUILD [--plain]
Ends with 0 when all came out as it should, 1 otherwise, 77 when this machine cannot run it (the reason is printed).
"""
import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "disk")]

from guest import Guest  # noqa: E402
from hands import Instance  # noqa: E402
from initramfs import Error  # noqa: E402
from machine import Lost  # noqa: E402
from run import SKIPPED, Skip, kernel_folder  # noqa: E402
from simulator import Simulator  # noqa: E402
from stage import initrds  # noqa: E402

DEBIANS = {"12": ("bookworm", "6.1"), "13": ("trixie", "6.12")}


def system_folder(suite):
    answer = subprocess.run([HERE / "fetch_roots.sh", suite], stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode != 0:
        raise Skip(f"no root of {suite}: fetch_roots.sh says why above")
    return Path(answer.stdout.strip())


class Story:
    def __init__(self, build, kernel, remote, work):
        self.build, self.kernel, self.remote, self.work = build, kernel, remote, work
        self.archives = initrds(kernel, work)

    def boot(self, title, disk, chapter, tree=HERE / "instance.json"):
        from remote import METADATA, NETWORK
        start = time.monotonic()
        print(f"\n=== boot: {title}", flush=True)
        log = self.work / f"requests.{title.replace(' ', '-')}"
        genuine = self.remote.who.imds
        with Simulator(self.build, (METADATA, "80"), tree, log, *genuine) as _, \
                Guest(self.kernel, self.archives, disk, NETWORK) as guest:
            chapter(Instance(guest, log))
            guest.power_off()
        print(f"=== boot {title} took {time.monotonic() - start:.0f} s", flush=True)


def golden_story(story, stage, packages):
    import chapters
    import root
    before = {"/" + str(path.relative_to(stage.folder)) for path in stage.folder.rglob("*")}
    disk = root.golden_disk(stage, packages["1"], story.remote, story.work / "image.ext4")
    root.remove(stage)
    story.boot("the first of the image", disk, lambda instance: chapters.first_boot(instance, story.remote, packages))
    story.boot("the second", disk, lambda instance: chapters.second_boot(instance, story.remote, before))


def plain_story(story, stage, packages):
    import plain
    import root
    disk = stage.disk(story.work / "plain.ext4")
    root.remove(stage)
    tree = plain.tree_with(packages["1"], story.work / "user-data.json")
    story.boot("by user data", disk, lambda instance: plain.user_data_boot(instance, story.remote, packages), tree)


def tell(build, is_plain, kernel, system, work):
    import root
    from remote import Remote
    outside = work / "outside"
    outside.mkdir()
    with Remote(build, outside) as remote:
        packages = root.make_packages(build, remote.packages)
        stage = root.plain_root(system, kernel, remote, work / "root")
        (plain_story if is_plain else golden_story)(Story(build, kernel, remote, work), stage, packages)


def tell_again_if_lost(*given):
    """As in run.py: an emulated machine can be gone through no fault of what runs in it. Once, and never silently."""
    for attempt in (1, 2):
        with tempfile.TemporaryDirectory(prefix="hostward-instance.") as work:
            try:
                tell(*given, Path(work))
                return
            except Lost as lost:
                if attempt == 2:
                    raise
                print(f"--- {lost}\n--- the machine was lost: once more from the beginning", flush=True)


def fetch_and_start_again(number):
    """This program again in a network namespace of its own: no port is taken, and nothing gets out. What has to be fetched
    is fetched before."""
    if os.geteuid() != 0:
        raise Skip("needs root for a network namespace and a chroot")
    suite, kernel = DEBIANS[number]
    folders = [str(kernel_folder(kernel)), str(system_folder(suite))]
    os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv, "--folders", *folders])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("debian", choices=DEBIANS)
    parser.add_argument("--build", type=Path, required=True, help="the build folder")
    parser.add_argument("--plain", action="store_true", help="instead user data and SSM's documents in an image without hostward")
    parser.add_argument("--folders", type=Path, nargs=2, metavar=("KERNEL", "SYSTEM"),
                        help="what the fetch scripts printed; with these it runs in the present network namespace")
    options = parser.parse_args()
    # As for an exception: the machine and the folder go, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if not options.folders:
            fetch_and_start_again(options.debian)
        tell_again_if_lost(options.build.resolve(), options.plain, *options.folders)
    except Skip as reason:
        print(f"SKIP: {reason}")
        return SKIPPED
    except Error as error:
        print(f"story.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
