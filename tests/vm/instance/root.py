# SPDX-License-Identifier: Apache-2.0
"""The golden image: a Debian's root, through the phases of the Image Builder component, then on a disk."""
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE.parent / "disk"), str(ROOT / "tests/e2e/examples")]

import steps  # noqa: E402
from hands import expect  # noqa: E402
from remote import PACKAGES  # noqa: E402
from stage import Stage  # noqa: E402

KNOCK = "/usr/local/lib/vm-agent/knock.py"
# In namespaces of its own but for the network's, which is the story's: $0 is the root, what follows is run there.
CHROOT = """
mount -t proc none "$0/proc"
mount -t tmpfs none "$0/dev"
for device in null zero full random urandom; do
  : > "$0/dev/$device"
  mount --bind "/dev/$device" "$0/dev/$device"
done
exec chroot "$0" "$@"
"""
# What the team that makes the image adds: its application may ask.
APP_RULE = """[[guard.rule]]
name = "app"
action = "allow"
user = ["app"]
endpoint = "imds"
why = "takes the credentials of its role"
"""
# Due at once: the unit's own times are for a fleet.
SOON = "[Timer]\nOnBootSec=\nOnBootSec=20s\nRandomizedDelaySec=0\nAccuracySec=1s\n"
# The unit's limit is for a real processor.
SLOW = "[Service]\nTimeoutStartSec=600\n"


def inside(root):
    """What goes before a command so that it runs in the root."""
    return ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--uts", "--ipc",
            "env", "-i", "PATH=/usr/sbin:/usr/bin", "LC_ALL=C.UTF-8", "HOME=/root", "bash", "-euc", CHROOT, str(root)]


def make_packages(build, folder):
    """The package and its next revision, from the same tree."""
    for number in ("1", "2"):
        subprocess.run([ROOT / "packaging/build.sh", "--build", build, "--out", folder, "--release", number, "--deb"], check=True)
    return {number: next(folder.glob(f"hostward_*-{number}_*.deb")) for number in ("1", "2")}


def address_of(package):
    """What the examples want to know of a package: where it is, and its hash."""
    return f"https://{PACKAGES}/{package.name}", hashlib.sha256(package.read_bytes()).hexdigest()


def plain_root(system, kernel, remote, target):
    """A root like any that a team starts from: it boots, it trusts the team's CA, cloud-init sets it up."""
    stage = Stage(system, target)
    stage.bootable(kernel)
    stage.networkd()
    stage.text("/etc/hostname", "instance\n")
    stage.place(HERE.parent / "fleet/cloud.cfg", "/etc/cloud/cloud.cfg.d/90_instance.cfg")
    stage.place(remote.folder / "ca.pem", "/usr/local/share/ca-certificates/story.crt")
    stage.place(HERE / "knock.py", KNOCK, 0o755)
    stage.text("/etc/systemd/system/hostward-guard.service.d/slow.conf", SLOW)
    stage.text("/etc/systemd/system/hostward-report.timer.d/soon.conf", SOON)
    subprocess.run([*inside(stage.folder), "bash", "-euc", "update-ca-certificates >&2; useradd --system app"], check=True)
    return stage


def image_builder(stage, package):
    """The component's phases that run before there is an instance, as the service would run them."""
    url, digest = address_of(package)
    for phase in ("build", "validate"):
        for step in steps.component(phase, PackageUrl=url, PackageSha256=digest):
            done = steps.run(step, inside(stage.folder), check=False)
            print(f"--- {phase}: {step.name}\n{done.stdout}{done.stderr}", flush=True)
            expect(done.returncode == 0, f"step {step.name} of phase {phase} ended with {done.returncode}")


def golden_disk(stage, package, remote, target):
    image_builder(stage, package)
    stage.text("/etc/hostward/policy.d/50-app.toml", APP_RULE)
    stage.text("/etc/hostward/report.toml", remote.report_config())
    return stage.disk(target)


def remove(stage):
    shutil.rmtree(stage.folder, ignore_errors=True)
