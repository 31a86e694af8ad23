# SPDX-License-Identifier: Apache-2.0
"""What is looked at in the boots of the golden image."""
import json
import shlex
import time

import root
import steps
from cloud import came_up, user_data_ran
from guarding import GUARD_UNIT, guards, state
from hands import expect
from remote import METADATA

TOKEN = f"http://{METADATA}/latest/api/token"
UNITS = ("hostward-guard.service", "hostward-check.service", "hostward-report.service")
REPORT_LIMIT_S = 300
BACK_LIMIT_S = 90
# The test's hands are no unit that a policy knows; the services start a document's steps below the SSM agent's.
AS_SSM_AGENT = ("systemd-run", "-q", "--wait", "--pipe", "--unit=amazon-ssm-agent.service")
CURL_REFUSED = 7  # curl: could not connect


def clock_ahead_s(instance):
    """How far this machine's clock is ahead of the instance's, and how wrong that can be: half of the quickest question's way."""
    best = None
    for _ in range(8):
        before = time.time()
        there = float(instance.read("date +%s.%N"))
        after = time.time()
        if best is None or after - before < best[1] * 2:
            best = ((before + after) / 2 - there, (after - before) / 2)
    return best


def guard_was_first(instance):
    """The guard's pins are older than the first request that the metadata service saw of this boot, whoever made it. Pins carry
    the instance's time and requests ours: the difference of the clocks is measured, and its error counts against us."""
    pins = instance.read("find /sys/fs/bpf/hostward -type f -printf '%T@ %p\\n'").splitlines()
    expect(len(pins) > 10, f"the guard has no pins: {pins}")
    ahead_s, error_s = clock_ahead_s(instance)
    newest_s = max(float(line.split()[0]) for line in pins) + ahead_s
    first = min(instance.requests(), key=lambda request: request["time_ms"])
    lead_s = first["time_ms"] / 1000 - newest_s
    print(f"{len(pins)} pins, the last {lead_s:.2f} s before the first request, by {first['user_agent']} "
          f"(clocks: {ahead_s:+.3f} s, known within {error_s:.3f} s)", flush=True)
    expect(lead_s > error_s, f"the first request came {-lead_s:.2f} s before the last pin")
    expect((first["user_agent"] or "").startswith("Cloud-Init"), f"the first to ask was {first['user_agent']}")


def denied(instance):
    status = state(instance)
    return sum(entry["denied"] for kind in ("rules", "endpoints") for entry in status[kind])


def is_refused(instance, counted=True, user="curious"):
    """A user that the policy does not name gets EPERM at once, nothing leaves the machine, and it is counted."""
    before, arrived = denied(instance) if counted else 0, len(instance.asked("curl"))
    command = f"curl --verbose --silent --max-time 20 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {TOKEN}"
    answer = instance.guest.ask(f"runuser -u {user} -- {command}")
    expect(answer["code"] == CURL_REFUSED and "Operation not permitted" in answer["err"], f"curl of {user}: {answer}")
    expect(len(instance.asked("curl")) == arrived, f"a request of {user} arrived")
    expect(not counted or denied(instance) > before, "the refusal was not counted")


def reported(instance, remote):
    """The timer alone made root check and its user report; the receiver proves whose report it is."""
    name, envelope = remote.first_report(REPORT_LIMIT_S)
    expect(name, lambda: f"no report came\n{instance.read('systemctl list-timers --all; journalctl -b --no-pager -u hostward-check -u hostward-report')}")
    proven = remote.verified(envelope)
    expect(remote.who.instance in json.dumps(proven), f"another instance: {proven}")
    print(f"report {name}, {len(envelope)} bytes, proven: {json.dumps(proven)[:600]}", flush=True)
    instance.run("until [ \"$(systemctl show --value -p ActiveState hostward-report.service)\" = inactive ]; do sleep 1; done; "
                 "stat -c '%A %U:%G %n' /var/lib/hostward /var/lib/hostward/*")
    for unit in ("check", "report"):
        result, ended = (instance.read(f"systemctl show --value -p {key} hostward-{unit}.service") for key in ("Result", "ExecMainExitTimestampMonotonic"))
        expect(result == "success" and int(ended) > 0, f"hostward-{unit} ended at {ended} with {result}")


def exposure(instance):
    for unit in UNITS:
        lines = instance.read(f"systemd-analyze security --no-pager {unit}").splitlines()
        print(lines[-1], flush=True)


def agent_pid(instance):
    return int(instance.read(f"systemctl show --value --property=MainPID {GUARD_UNIT}"))


def killed(instance):
    """Without an agent the kernel goes on refusing; systemd brings a new one."""
    old = agent_pid(instance)
    instance.run(f"systemctl kill --signal=KILL {GUARD_UNIT}")
    is_refused(instance, counted=False)
    deadline = time.monotonic() + BACK_LIMIT_S
    while (new := agent_pid(instance)) in (0, old) or not state(instance)["agent"]["running"]:
        expect(time.monotonic() < deadline, lambda: f"no agent after {old} was killed\n{instance.evidence()}")
        time.sleep(1)
    print(f"agent {old} was killed, {new} is there", flush=True)
    guards(instance, "enforce", at_boot=False)
    is_refused(instance)


def knockers(instance, start):
    for user in ("curious", "app"):
        unit = f"knock-{user}"
        if start:
            instance.run(f"systemd-run -q --unit={unit} --uid={user} -p StandardOutput=file:/run/{unit} /usr/bin/python3 -S {root.KNOCK} {unit}")
        else:
            instance.run(f"systemctl stop {unit}")
    return {} if start else {user: instance.value(f"cat /run/knock-{user}") for user in ("curious", "app")}


def fetched(instance, package):
    url, digest = root.address_of(package)
    instance.run(f"curl -fsS -o /root/{package.name} {url} && echo '{digest}  /root/{package.name}' | sha256sum --check --quiet")
    return f"/root/{package.name}"


def upgraded(instance, package):
    """The next revision is installed while two users ask all the time: one is never let through, one never refused."""
    file, old = fetched(instance, package), agent_pid(instance)
    knockers(instance, True)
    instance.run(f"DEBIAN_FRONTEND=noninteractive apt-get install -y -q {file}")
    answers = knockers(instance, False)
    print(f"during the upgrade: {answers}", flush=True)
    expect(set(answers["curious"]["answers"]) == {"EPERM"}, "somebody got another answer than a refusal")
    expect(set(answers["app"]["answers"]) == {"200"}, "somebody allowed was refused")
    expect(min(sum(one["answers"].values()) for one in answers.values()) > 20, "the knocking was too slow to mean anything")
    expect(not instance.asked("knock-curious"), "a request of the curious arrived")
    expect(len(instance.asked("knock-app")) >= answers["app"]["answers"]["200"], "the metadata service saw fewer requests")
    revision = instance.read("dpkg-query --show --showformat '${Version}' hostward").rpartition("-")[2]
    expect(revision == "2" and agent_pid(instance) not in (0, old), f"revision {revision}, agent {agent_pid(instance)}, was {old}")
    expect("collector" in instance.read("cat /etc/hostward/report.toml"), "the upgrade replaced an edited configuration")
    guards(instance, "enforce", at_boot=False)
    is_refused(instance)


def run_steps(instance, prepared):
    for step in prepared:
        words = [word.replace("$", "$$") for word in step.command()]  # systemd-run expands variables itself
        answer = instance.guest.ask(shlex.join([*AS_SSM_AGENT, *words]), step.timeout_s)
        print(f"--- {step.name}\n{answer['out']}{answer['err']}".rstrip(), flush=True)
        expect(answer["code"] == 0, lambda: f"step {step.name} ended with {answer['code']}\n{instance.evidence()}")


def booted(instance, remote):
    """cloud-init did its work, behind a guard that was there before."""
    came_up(instance, remote.who.instance)
    user_data_ran(instance, remote.who.instance)
    guards(instance, "enforce")
    guard_was_first(instance)
    is_refused(instance)


def first_boot(instance, remote, packages):
    booted(instance, remote)
    url, digest = root.address_of(packages["1"])
    run_steps(instance, steps.component("test", PackageUrl=url, PackageSha256=digest))
    reported(instance, remote)
    exposure(instance)
    killed(instance)
    upgraded(instance, packages["2"])


def second_boot(instance, remote, before):
    booted(instance, remote)
    removed(instance, before)


# Of the first boot: systemd's mark, cloud-init's user and network.
OTHERS = ("/etc/.updated", "/etc/subgid-", "/etc/subuid-", "/etc/systemd/network/10-cloud-init-", "/etc/udev/rules.d/90-cloud-init-",
          "/root/", "/proc/", "/var/log/journal/")
GONE = {
    "pins": "ls -A /sys/fs/bpf",
    "units": "systemctl list-unit-files --no-legend 'hostward*'; systemctl list-units --all --no-legend 'hostward*'",
    "user and group": "getent passwd hostward; getent group hostward",
    "processes": "pgrep -a hostward",
}


def removed(instance, before):
    """Nothing is left: no pin, no unit, no user, and of the files none that the root did not have before."""
    instance.run("systemctl stop hostward-report.timer; rm -rf /etc/systemd/system/hostward-*.d")
    instance.run("DEBIAN_FRONTEND=noninteractive apt-get remove -y -q hostward")
    expect(instance.read(GONE["pins"]) == "", "removed, and the guard's pins are there")
    instance.run("runuser -u curious -- curl --fail --silent --show-error --max-time 20 -o /dev/null -X PUT "
                 f"-H 'X-aws-ec2-metadata-token-ttl-seconds: 60' {TOKEN}")
    instance.run("DEBIAN_FRONTEND=noninteractive apt-get purge -y -q hostward")
    for what, command in GONE.items():
        left = instance.read(command)
        expect(left == "", f"purged, and there are {what}: {left}")
    files = set(instance.read("find / -xdev -iname '*hostward*' -o -xdev -nouser -o -xdev -nogroup").splitlines())
    files |= set(instance.read("find /etc /usr /opt /srv -xdev ! -type d -not -name '*.pyc'").splitlines()) - before
    files |= set(instance.read("find /run /dev -iname '*hostward*'").splitlines())
    unexpected = sorted(file for file in files - before if not file.startswith(OTHERS))
    print(f"left: {unexpected}", flush=True)
    expect(not unexpected, f"purged, and there are files: {unexpected}")
