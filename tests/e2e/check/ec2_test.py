# SPDX-License-Identifier: Apache-2.0
"""The `ec2` profile on this running host, in a network namespace where the simulator is the metadata service.

Environment: HOSTWARD_BUILT, the build folder with hostward. Argument: --simulator PROGRAM.
"""
import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "clients"))
import clients_guarded  # noqa: E402
import harness  # noqa: E402
from harness import V4, V6, Namespace, expect, expect_equal  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
HOSTWARD = Path(os.environ.get("HOSTWARD_BUILT", ROOT / "build/release")).resolve() / "hostward"
LOOKED = {0, 10}  # the check took place
ABSENT_LIMIT_S = 8  # sanitizers and busy machines; the program itself waits a second, once
SECRET = "correct-horse-battery"
GUARD_RULES = ("guard-loaded", "guard-enforcing", "guard-layers")
IMDS_RULES = ("imds-token-required", "imds-hop-limit", "imds-tags-off", "user-data-no-secrets", "instance-role-present")


def check(namespace, *rules, more=(), root="/", prefix=()):
    """{rule: finding} of the rules, asked within the namespace."""
    words = [str(HOSTWARD), "check", "--library", str(ROOT / "hardening"), "--profile", "ec2", "--root", str(root), "--format", "json"]
    for rule in rules or ("*",):
        words += ["--rule", rule]
    # Not `ip netns exec`: it hides /sys.
    done = subprocess.run(["nsenter", f"--net=/run/netns/{namespace.name}", *prefix, *words, *more], capture_output=True,
                          timeout=harness.CLIENT_LIMIT_S, check=False, env={"PATH": harness.CLEAN_PATH})
    expect(done.returncode in LOOKED and not done.stderr, f"hostward ended with {done.returncode}: {done.stderr!r}")
    expect(SECRET.encode() not in done.stdout, "the report shows a secret")
    return {one["rule"]: one for one in json.loads(done.stdout)["findings"] if "rule" in one}


def verdict(namespace, rule, more=()):
    return check(namespace, rule, more=more)[rule]["verdict"]


def a_get_without_a_token_decides(lab):
    for tokens, wanted in (("required", "pass"), ("optional", "fail")):
        with lab.simulator("--http-tokens", tokens) as simulator:
            expect_equal(verdict(lab.namespace, "imds-token-required"), wanted, tokens)
            asked = simulator.requests()
            expect_equal([one["token"] for one in asked], ["v1", "call"], "one probe of each, no more")
    with lab.simulator("--http-endpoint", "disabled"):
        expect_equal(verdict(lab.namespace, "imds-token-required"), "pass", "turned off")


def the_hop_limit_is_the_answers_ttl(lab):
    for limit, wanted in ((1, "pass"), (2, "pass"), (3, "fail"), (17, "fail"), (64, "fail")):
        with lab.simulator("--hop-limit", str(limit)):
            found = check(lab.namespace, "imds-hop-limit")["imds-hop-limit"]
            expect_equal(found["verdict"], wanted, f"hop limit {limit}")
            shown = found["evidence"][0]["found"]
            expect(shown.startswith(str(limit)), f"hop limit {limit}: the evidence says {shown}")
            if limit == 3:
                expect_equal(verdict(lab.namespace, "imds-hop-limit", ("--set", "imds-hop-limit.most=3")), "pass", "3 is wanted")


def slow_and_broken_answers_are_not_told(lab):
    for fault in ("hang", "reset", "garbage", "status=503"):
        with lab.simulator("--fault", fault) as simulator:
            started = time.monotonic()
            found = check(lab.namespace, *IMDS_RULES)
            expect_equal({one["verdict"] for one in found.values()}, {"cannot-tell"}, fault)
            expect(time.monotonic() - started < 2 * ABSENT_LIMIT_S, f"{fault}: took too long")
            expect(len(simulator.requests()) < 20, f"{fault}: asked {len(simulator.requests())} times")


def an_absent_service_costs_one_attempt(lab):
    started = time.monotonic()
    found = check(lab.namespace, *IMDS_RULES)
    expect(time.monotonic() - started < ABSENT_LIMIT_S, "nobody there: took too long")
    expect_equal({one["verdict"] for one in found.values()}, {"cannot-tell"}, "nobody there")
    # Nobody answers at all: packets go nowhere.
    silent = Namespace("hwtest-ec2-silent")
    silent.ip("link", "add", "dark", "type", "veth", "peer", "name", "end")
    for device in ("dark", "end"):
        silent.ip("link", "set", device, "up")
    silent.ip("addr", "add", "10.0.0.1/24", "dev", "dark")
    silent.ip("route", "add", V4, "dev", "dark")
    silent.ip("neigh", "add", V4, "lladdr", "02:00:00:00:00:01", "dev", "dark", "nud", "permanent")
    started = time.monotonic()
    found = check(silent, *IMDS_RULES)
    expect(time.monotonic() - started < ABSENT_LIMIT_S, "silence: took too long")
    expect_equal({one["verdict"] for one in found.values()}, {"cannot-tell"}, "silence")


def items_decide_about_tags_role_and_user_data(lab):
    with lab.simulator("--builtin", "tags") as simulator:
        expect_equal(verdict(lab.namespace, "imds-tags-off"), "fail", "tags")
        calls = [one for one in simulator.requests() if one["token"] == "call"]
        expect_equal(len(calls), 1, "tokens for one rule")
    with lab.simulator("--builtin", "no-role"):
        found = check(lab.namespace, "imds-tags-off", "instance-role-present")
        expect_equal(found["imds-tags-off"]["verdict"], "pass", "no tags")
        expect_equal(found["instance-role-present"]["verdict"], "manual", "no role")
        expect_equal(verdict(lab.namespace, "instance-role-present", ("--set", "instance-role-present.absent=fail")), "fail", "a role is wanted")
    with lab.simulator("--builtin", "plain"):
        expect_equal(verdict(lab.namespace, "instance-role-present"), "pass", "a role")


def user_data_is_looked_into(lab):
    data = lab.folder / "user-data"
    for text, wanted in (("#cloud-config\npackages: [nginx]\n", "pass"), (f"#cloud-config\npassword: {SECRET}\n", "fail"),
                         ("#!/bin/sh\nPASSWORD=$(aws ssm get-parameter --name x)\n", "pass")):
        data.write_text(text, encoding="utf-8")
        with lab.simulator("--leaf", f"user-data={data}"):
            expect_equal(verdict(lab.namespace, "user-data-no-secrets"), wanted, text)


def an_image_is_never_asked_about(lab):
    image = lab.folder / "image"
    (image / "etc").mkdir(parents=True)
    (image / "etc/os-release").write_text("ID=debian\n", encoding="utf-8")
    with lab.simulator("--http-tokens", "optional") as simulator:
        found = check(lab.namespace, root=image)
        expect_equal(simulator.requests(), [], "requests for an image")
        for rule in ("imds-token-required", "imds-hop-limit", "imds-tags-off", "guard-loaded"):
            expect_equal(found[rule]["verdict"], "cannot-tell", rule)
    # What was started from it leaves its copy.
    copy = image / "var/lib/cloud/instance/user-data.txt"
    copy.parent.mkdir(parents=True)
    copy.write_text(f"chpasswd:\n  list: |\n    ubuntu:{SECRET}\n", encoding="utf-8")
    expect_equal(check(lab.namespace, "user-data-no-secrets", root=image)["user-data-no-secrets"]["verdict"], "fail", "a copy")


def the_whole_profile_takes_few_requests(lab):
    with lab.simulator() as simulator:
        found = check(lab.namespace)
        expect(len(found) > 20, f"only {len(found)} rules")
        asked = simulator.requests()
        expect(len(asked) <= 8, f"{len(asked)} requests")
        expect_equal([one["token"] for one in asked].count("v1"), 1, "requests without a token")
        expect(not [one for one in asked if one["path"].endswith("security-credentials/")], "credentials were asked for")
    with lab.simulator("--listen", V6):
        expect_equal(verdict(lab.namespace, "imds-token-required"), "cannot-tell", "IPv6 alone is not asked")


def the_guard_is_asked(lab):
    none = check(lab.namespace, "guard-*", more=("--pin-dir", "/sys/fs/bpf/hostward-of-nobody"))
    expect_equal({rule: none[rule]["verdict"] for rule in GUARD_RULES}, dict.fromkeys(GUARD_RULES, "fail"), "not loaded")
    for mode, wanted in (("enforce", "pass"), ("audit", "fail")):
        clients_guarded.POLICY = f'[guard]\nmode = "{mode}"\n[[guard.rule]]\nname = "clients"\naction = "allow"\nuser = ["root"]\n'
        with clients_guarded.Guard(lab) as guard:
            found = check(lab.namespace, "guard-*", more=("--pin-dir", str(guard.bpf / "hostward")))
            status = json.loads(harness.run(*guard.command("status", "--json")).stdout)
        expect_equal(found["guard-loaded"]["verdict"], "pass", mode)
        expect_equal(found["guard-enforcing"]["verdict"], wanted, mode)
        missing = [one["name"] for one in status["layers"] if one["state"] in ("off", "partial") and one["name"] != "seal"]
        expect_equal(found["guard-layers"]["verdict"], "fail" if missing else "pass", f"layers that are off: {missing}")


def a_refusal_by_the_guard_is_not_an_answer(lab):
    clients_guarded.POLICY = '[guard]\nmode = "enforce"\n[[guard.rule]]\nname = "clients"\naction = "allow"\nuser = ["nobody"]\n'
    words = [str(HOSTWARD), "check", "--library", str(ROOT / "hardening"), "--profile", "ec2", "--format", "json"]
    with lab.simulator("--http-tokens", "optional") as simulator, clients_guarded.Guard(lab) as guard:
        done = guard.client(*words, *(word for rule in IMDS_RULES for word in ("--rule", rule)))
        expect(done.returncode in LOOKED, f"hostward ended with {done.returncode}: {done.stderr}")
        expect_equal(simulator.requests(), [], "requests past the guard")
    found = {one["rule"]: one for one in json.loads(done.stdout)["findings"]}
    expect_equal({found[rule]["verdict"] for rule in IMDS_RULES}, {"cannot-tell"}, "refused by the guard")
    expect("guard" in found["imds-token-required"]["reason"], f"the reason: {found['imds-token-required']['reason']}")


def the_hop_limit_needs_no_raw_socket(lab):
    with lab.simulator("--hop-limit", "3"):
        # Without CAP_NET_RAW the socket filter has to do.
        prefix = ["setpriv", "--inh-caps=-net_raw", "--bounding-set=-net_raw"]
        expect_equal(check(lab.namespace, "imds-hop-limit", prefix=prefix)["imds-hop-limit"]["evidence"][0]["found"][0], "3", "by the filter")


if __name__ == "__main__":
    harness.main([value for value in list(globals().values())
                  if callable(value) and getattr(value, "__module__", "") == "__main__" and value.__name__ not in ("check", "verdict")])
