# SPDX-License-Identifier: Apache-2.0
"""What cloud-init made of a boot, and when it first asked."""
from hands import expect

NUMBER = "i-0123456789abcdef0"


def came_up(instance, number=NUMBER):
    """All of the boot came through: systemd, and cloud-init."""
    state = instance.read("systemctl is-system-running --wait")
    failed = instance.read("systemctl list-units --state=failed --no-legend --plain")
    expect(state == "running" and not failed, lambda: f"the system is {state}: {failed}\n{instance.evidence()}")
    expect("status: done" in instance.run("cloud-init status --wait --long"), "cloud-init is not done")
    source = instance.read("cloud-init query --format '{{v1.platform}} {{v1.instance_id}}'")
    expect(source == f"ec2 {number}", f"cloud-init took the instance from elsewhere: {source!r}")
    errors = instance.value("cat /run/cloud-init/result.json")["v1"]["errors"]
    expect(not errors, f"cloud-init complains: {errors}")
    expect(instance.asked("Cloud-Init"), "the metadata service saw nothing of cloud-init")


def user_data_ran(instance, number=NUMBER):
    """The stories' user data leaves a mark in each boot. Gives the boot's id."""
    boot = instance.read("cat /proc/sys/kernel/random/boot_id")
    ran = instance.read("tail -n 1 /var/lib/user-data-ran")
    expect(ran == f"{number} {boot}", lambda: f"the user data left no mark of this boot: {ran!r}\n{instance.evidence()}")
    return boot
