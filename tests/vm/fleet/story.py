#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From audit to enforce on one instance of a fleet: a real Debian with systemd, cloud-init, cron and awscli, booted four
times from one disk, and the commands that README.md shows.

  boot 0  before: no guard. Afterwards hostward is switched on, in audit mode
  boot 1  audit
  boot 2  audit; then the policy is learned, reviewed (with a preset) and enforced
  boot 3  enforced from the first moment; then the journal and the doctor are asked

Usage: story.py --build BUILD
Ends with 0 when all came out as it should, 1 otherwise, 77 when this machine cannot run it (the reason is printed).
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "disk")]

from cloud import came_up, user_data_ran  # noqa: E402
from guarding import GUARD_UNIT, guards, state  # noqa: E402
from guest import Guest  # noqa: E402
from hands import Instance, expect  # noqa: E402
from image import make_disk  # noqa: E402
from initramfs import Error  # noqa: E402
from machine import Lost  # noqa: E402
from run import SKIPPED, Skip, kernel_folder  # noqa: E402
from simulator import Simulator  # noqa: E402
from stage import initrds  # noqa: E402

KERNEL = "6.1"
README_SECTION = "## From audit to enforce"
METADATA = "169.254.169.254"
SIMULATOR = ("127.0.0.1", "8169")  # in a network namespace of the story's own
LEARNED = "/etc/hostward/policy.d/50-seen.toml"
PRESETS = "/etc/hostward/policy.d/40-presets.toml"
PRESET, PRESET_RULE = "debian", "cloud-init.stages"
TOKEN = f"http://{METADATA}/latest/api/token"
CLOUD_INIT_UNITS = ("cloud-init-local.service",)  # the one that asks the metadata service
CURL_REFUSED = 7  # curl: could not connect


def readme_blocks():
    """The commands that the section shows, block by block. A line that ends with `|` goes on in the next one."""
    _, _, section = (ROOT / "README.md").read_text().partition(f"\n{README_SECTION}\n")
    section = section.partition("\n## ")[0]
    return [block.strip().replace("|\n", "| ").splitlines()
            for block in re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)]


def man_commands():
    """The commands of the man page's examples, without its escapes."""
    examples = (ROOT / "docs/man/hostward.8").read_text().partition("\n.SH EXAMPLES\n")[2].partition("\n.SH ")[0]
    plain = examples.replace("\\-", "-").replace("\\(dq", '"').replace("\\(aq", "'").replace("\\e", "\\")
    return [line for block in re.findall(r"^\.EX\n(.*?)^\.EE$", plain, re.MULTILINE | re.DOTALL)
            for line in block.replace("|\n", "| ").splitlines()]


def help_commands(build):
    """The commands that `hostward --help` shows."""
    text = subprocess.run([build / "hostward", "--help"], capture_output=True, text=True, check=True).stdout
    shown = text.partition("\nFrom audit to enforce:\n")[2].partition("\n\n")[0]
    return re.sub(r"\|\n +", "| ", "\n".join(line for line in shown.splitlines() if line.startswith("  "))).replace("\n  ", "\n").strip().splitlines()


def healthy(instance):
    """The boot came through, and the cron job with its credentials."""
    came_up(instance)
    cron_job_ran(instance, user_data_ran(instance))
    print(instance.read("systemd-analyze time"), flush=True)


def cron_job_ran(instance, boot):
    wait = f"until grep -qs {boot} /var/tmp/backup-job.out; do sleep 0.5; done; cat /var/tmp/backup-job.out"
    output = instance.run(f"timeout 300 bash -c '{wait}'")
    expect("AWS_ACCESS_KEY_ID=ASIAEXAMPLEROLE00001" in output and "ended with 0" in output, "the cron job got no credentials")
    expect(instance.asked("aws-cli"), "the metadata service saw nothing of the cron job")


def curl_of_the_curious(instance, code):
    """In a login session, as a person would: what curl ends with, and whether anything left the machine."""
    seconds = "X-aws-ec2-metadata-token-ttl-seconds: 60"
    before = len(instance.asked("curl"))
    instance.run(f"su - curious -c \"curl --silent --show-error --max-time 20 --output /dev/null -X PUT -H '{seconds}' {TOKEN}\"", code)
    arrived = len(instance.asked("curl")) - before
    expect(arrived == (1 if code == 0 else 0), f"{arrived} requests of curl arrived at the metadata service")


def explained(instance, command, action, rule):
    """What `explain` answers to the command of the README, and the same as JSON."""
    expect(f'{action}: rule "{rule}"' in instance.run(command), f"explain does not say {action} by {rule}")
    expect(instance.value(f"{command} --json")["rule"] == rule, "explain --json names another rule")


def rules_for(policy, key, value):
    """Names of the rules of a policy that have this one value for this key."""
    rules = policy.split("[[guard.rule]]\n")[1:]
    return [re.search(r'^name = "(.*)"$', rule, re.MULTILINE)[1] for rule in rules
            if re.search(rf'^{key} = \["{re.escape(value)}"\]$', rule, re.MULTILINE)]


def without_rule(policy, name):
    """The policy without the rule of this name and the comment above it."""
    blocks = re.split(r"\n\n(?=#|\[\[)", policy)
    left = [block for block in blocks if f'\nname = "{name}"\n' not in f"{block}\n"]
    expect(len(left) == len(blocks) - 1, f"no block of its own for rule {name}")
    return "\n\n".join(left)


def reviewed(instance):
    """The person's part: what the curious one did is refused, by name, and cloud-init is left to the preset of the
    distribution. Gives the names of the rules for the cron job and for the curious user."""
    policy = instance.run(f"cat {LEARNED}")
    for unit in CLOUD_INIT_UNITS:
        names = rules_for(policy, "unit", unit)
        expect(len(names) == 1, f"not one rule for {unit} was learned")
        policy = without_rule(policy, names[0])
    instance.run(f"cat > {LEARNED} <<'END'\n{policy.rstrip()}\nEND\n")
    instance.run(f"printf '[guard]\\ninclude = [\"preset:{PRESET}\"]\\n' > {PRESETS}")
    job, curious = (rules_for(policy, "user", user) for user in ("backup-job", "curious"))
    expect(len(job) == 1 and len(curious) == 1, f"not one rule for each user was learned: {job} {curious}")
    instance.run(f"sed -i '/^name = \"{curious[0]}\"$/,/^action/ s/^action = \"allow\"$/action = \"deny\"/' {LEARNED}")
    return job[0], curious[0]


def boot_before(instance, install):
    healthy(instance)
    curl_of_the_curious(instance, 0)
    for command in install:
        instance.run(command)
    expect(state(instance)["state"] == "audit", "the guard is not in audit mode")
    curl_of_the_curious(instance, 0)


def boot_in_audit(instance):
    healthy(instance)
    guards(instance, "audit")
    curl_of_the_curious(instance, 0)


def boot_to_learn(instance, learn, enforce):
    """Gives the names of the rules for the cron job and for the curious user."""
    boot_in_audit(instance)
    for command in learn:
        instance.run(command)
    names = reviewed(instance)
    for command in enforce:
        instance.run(command)
    guards(instance, "enforce")
    curl_of_the_curious(instance, CURL_REFUSED)
    return names


def boot_enforced(instance, explain, names):
    healthy(instance)
    guards(instance, "enforce")
    curl_of_the_curious(instance, CURL_REFUSED)
    events, allowed, refused = explain
    lines = [json.loads(line) for line in instance.run(f"{events} --json").splitlines()]
    denied = {(line["user"], line["rule"]) for line in lines if line["decision"] == "deny"}
    expect(denied == {("curious", names[1])}, f"refused were {denied}")
    by_unit = {(line["unit"], line["rule"]) for line in lines if line["decision"] == "allow"}
    for unit in CLOUD_INIT_UNITS:
        expect((unit, PRESET_RULE) in by_unit, f"the preset did not allow {unit}: {by_unit}")
    in_the_journal(instance, names[1])
    explained(instance, allowed, "allow", names[0])
    explained(instance, refused, "deny", names[1])
    well(instance)
    order_as_systemd_sees_it(instance, f"{GUARD_UNIT}.d", "Before=", late=False)
    order_as_systemd_sees_it(instance, "hostward-.service.d", "DefaultDependencies=yes", late=True)
    expect(doctor(instance)["boot-order"] == "ok", "the drop-ins are gone and the order is not right again")


def in_the_journal(instance, rule):
    """What the curious one was refused is found by its fields, and is the same line."""
    instance.run("journalctl --sync")
    found = instance.run("journalctl --boot --no-pager --output=json HOSTWARD_USER=curious HOSTWARD_DECISION=deny")
    entries = [json.loads(line) for line in found.splitlines()]
    expect(entries, "the journal knows of no refusal")
    for entry in entries:
        line = json.loads(entry["MESSAGE"])
        expect((line["user"], line["decision"], line["rule"]) == ("curious", "deny", rule), f"another line: {line}")
        seen = (entry["HOSTWARD_RULE"], entry["HOSTWARD_EXE"], entry["PRIORITY"], entry["_SYSTEMD_UNIT"])
        expect(seen == (rule, "/usr/bin/curl", "4", GUARD_UNIT), f"other fields: {entry}")
    others = instance.read("journalctl --boot --no-pager --output=cat HOSTWARD_DECISION=deny").splitlines()
    expect(len(others) == len(entries), "the journal has more refusals than those")


def doctor(instance):
    """Severity by question; nothing on this host hinders the guard, and nothing could not be looked at."""
    report = json.loads(instance.guest.ask("hostward guard doctor --json")["out"])
    print("\n".join(f"{finding['severity']}: {finding['title']}" for finding in report["findings"]
                    if finding["severity"] != "ok"), flush=True)
    return {finding["id"]: finding["severity"] for finding in report["findings"]}


def well(instance):
    found = doctor(instance)
    bad = {name: severity for name, severity in found.items() if severity in ("error", "cannot-tell")}
    expect(not bad, f"the doctor complains: {bad}")
    for name in ("guard-loaded", "agent", "policy-in-force", "boot-unit", "boot-order", "boot-before-network"):
        expect(found[name] == "ok", f"{name} is {found[name]}\n{instance.read('hostward guard doctor')}")


def order_as_systemd_sees_it(instance, folder, setting, late):
    """A drop-in for the guard's unit: whether it comes too late then, says systemd and says the doctor."""
    path = f"/etc/systemd/system/{folder}/90-story.conf"
    instance.run(f"mkdir -p $(dirname {path}) && printf '[Unit]\\n{setting}\\n' > {path} && systemctl daemon-reload")
    after = instance.read(f"systemctl show --value --property=After {GUARD_UNIT}").split()
    found = doctor(instance)["boot-order"]
    instance.run(f"rm {path} && systemctl daemon-reload")
    expect(("sysinit.target" in after) == late, f"with {setting} systemd starts the guard after {after}")
    expect(found == ("warning" if late else "ok"), f"with {setting} in {folder} the doctor says {found} of the order")


def network(relay):
    """DHCP, and the metadata service as another host on the link. `relay`: a command that joins its standard input and output to
    the simulator."""
    return (f"user,restrict=on,ipv6=off,net=169.254.0.0/16,host=169.254.1.1,dhcpstart=169.254.10.1,dns=169.254.1.3,"
            f"guestfwd=tcp:{METADATA}:80-cmd:{relay}")


def system_folder():
    answer = subprocess.run([HERE.parent / "fetch_fleet.sh"], stdout=subprocess.PIPE, text=True, check=False)
    if answer.returncode != 0:
        raise Skip("no Debian for the machine: fetch_fleet.sh says why above")
    return Path(answer.stdout.strip())


def same_commands(build):
    """The blocks of README.md; the man page and the help have to show the same commands."""
    blocks = readme_blocks()
    expect(len(blocks) == 4, f"README.md has {len(blocks)} blocks of commands in its story, not 4")
    commands = sum(blocks, [])
    expect(commands == man_commands(), f"README.md and hostward(8) differ:\n{commands}\n{man_commands()}")
    expect(help_commands(build) == sum(blocks[:3], []), f"README.md and --help differ:\n{commands}\n{help_commands(build)}")
    return blocks


def chapters(blocks):
    """Title and what is done in each boot: functions of the instance."""
    install, learn, enforce, explain = blocks
    names = []
    return [("before", lambda instance: boot_before(instance, install)),
            ("audit", boot_in_audit),
            ("audit, learn, enforce", lambda instance: names.extend(boot_to_learn(instance, learn, enforce))),
            ("enforced", lambda instance: boot_enforced(instance, explain, names))]


def tell(build, kernel, system, work):
    blocks = same_commands(build)
    archives = initrds(kernel, work)
    disk = make_disk(system, kernel, build, work / "fleet.ext4")
    for number, (title, chapter) in enumerate(chapters(blocks)):
        start = time.monotonic()
        print(f"\n=== boot {number}: {title}", flush=True)
        log = work / f"requests.{number}"
        with Simulator(build, SIMULATOR, HERE / "instance.json", log), Guest(kernel, archives, disk, network(f"/usr/bin/busybox nc {' '.join(SIMULATOR)}")) as guest:
            chapter(Instance(guest, log))
            guest.power_off()
        print(f"=== boot {number} took {time.monotonic() - start:.0f} s", flush=True)


def tell_again_if_lost(*given):
    """As in run.py: an emulated machine can be gone through no fault of what runs in it. Once, and never silently."""
    with tempfile.TemporaryDirectory(prefix="hostward-fleet.") as work:
        try:
            tell(*given, Path(work))
            return
        except Lost as lost:
            print(f"--- {lost}\n--- the machine was lost: once more from the beginning", flush=True)
    with tempfile.TemporaryDirectory(prefix="hostward-fleet.") as work:
        tell(*given, Path(work))


def fetch_and_start_again():
    """This program again in a network namespace of its own: no port is taken, and nothing gets out. What has to be fetched
    is fetched before."""
    if os.geteuid() != 0:
        raise Skip("needs root for a network namespace and a chroot")
    folders = [str(kernel_folder(KERNEL)), str(system_folder())]
    os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv, "--folders", *folders])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="the build folder")
    parser.add_argument("--folders", type=Path, nargs=2, metavar=("KERNEL", "SYSTEM"),
                        help="what the fetch scripts printed; with these it runs in the present network namespace")
    options = parser.parse_args()
    # As for an exception: the machine and the folder go, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if not options.folders:
            fetch_and_start_again()
        tell_again_if_lost(options.build.resolve(), *options.folders)
    except Skip as reason:
        print(f"SKIP: {reason}")
        return SKIPPED
    except Error as error:
        print(f"story.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
