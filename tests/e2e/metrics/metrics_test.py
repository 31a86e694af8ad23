#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The metrics file through Prometheus' own parser and a real node_exporter; events on a full disk.

Environment: HOSTWARD_BUILT, the build folder with hostward. Runs in a network and mount namespace of its own, and in a
cgroup of its own.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request
from pathlib import Path

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    print("SKIP: python3-prometheus-client is not installed")
    sys.exit(77)

ROOT = Path(__file__).resolve().parents[3]
HOSTWARD = Path(os.environ.get("HOSTWARD_BUILT", ROOT / "build/release")) / "hostward"
SCHEMA_TEST = ROOT / "tests/golden/events/schema_test.py"
NODE_EXPORTER = "/usr/bin/prometheus-node-exporter"
LISTEN = "127.0.0.1:9100"
WORK = Path("/mnt")
METRICS = WORK / "textfile/hostward.prom"
IMDS = "169.254.169.254"
OTHER = "169.254.170.2"
NOBODY = 65534
WAIT_S = 30
EVERY_S = 15  # kMetricsEvery of the agent
COMPLAINTS_MAX = 2  # of the agent about a full disk, in less than a minute

ROOT_RULE = '[[guard.rule]]\nname = "root"\naction = "allow"\nuser = ["root"]\n'
NOBODY_RULE = '[[guard.rule]]\nname = "not-nobody"\naction = "deny"\nuser = ["nobody"]\n'
IMDS_ENDPOINT = f'[[guard.endpoint]]\nname = "imds"\naddresses = ["{IMDS}"]\n'
OTHER_ENDPOINT = f'[[guard.endpoint]]\nname = "other"\naddresses = ["{OTHER}"]\n'


def policy(*tables):
    return f'[guard]\nmode = "enforce"\nmetrics_file = "{METRICS}"\n' + "".join(tables)


def wait_for(what, condition):
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited in vain: {what}")


def cgroup2_mount():
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if " - cgroup2 " in line:
            return Path(line.split()[4])
    raise RuntimeError("no cgroup2 is mounted")


def removed(folder):
    try:
        folder.rmdir()
        return True
    except OSError:
        return False


def samples(text):
    """{(name, sorted labels): value}, as Prometheus reads it. Raises for what it would not take."""
    out = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            key = (sample.name, tuple(sorted(sample.labels.items())))
            if key in out:
                raise AssertionError(f"{key} twice")
            out[key] = sample.value
    return out


def decisions(text, decision, rule="", endpoint=""):
    labels = (("decision", decision), ("endpoint", endpoint), ("rule", rule))
    return samples(text).get(("hostward_guard_decisions_total", labels))


def single(text, name):
    return samples(text).get((name, ()))


def ask(uid, address=IMDS):
    """One connect as this user, in a child that is in the guarded cgroup."""
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
        try:
            socket.create_connection((address, 80), 1).close()
        except OSError:
            pass
        os._exit(0)
    os.waitpid(child, 0)


class Guarded(unittest.TestCase):
    """A guard on the cgroup that the callers, this process's children, are in."""

    def setUp(self):
        self.home = cgroup2_mount() / Path("/proc/self/cgroup").read_text().split("0::/")[1].split("\n")[0]
        self.cgroup = cgroup2_mount() / f"hwtest-metrics.{os.getpid()}"
        self.cgroup.mkdir()
        (self.cgroup / "callers").mkdir()
        for folder, kind, options in (("run", "tmpfs", "size=192k,mode=0755"), ("bpf", "bpf", "mode=0700"),
                                      ("textfile", "tmpfs", "size=1m,mode=0755")):
            (WORK / folder).mkdir(exist_ok=True)
            subprocess.run(["mount", "-t", kind, "-o", options, kind, str(WORK / folder)], check=True)
        self.config = WORK / "hostward.toml"
        self.log = WORK / "agent.log"
        self.agent = None
        (self.cgroup / "callers/cgroup.procs").write_text(str(os.getpid()))

    def tearDown(self):
        (self.home / "cgroup.procs").write_text(str(os.getpid()))
        if self.agent and self.agent.poll() is None:
            self.agent.terminate()
            self.agent.wait(WAIT_S)
        self.guard("unload")
        for folder in ("run", "bpf", "textfile"):
            subprocess.run(["umount", "--lazy", str(WORK / folder)], check=True)
        wait_for("the cgroup is empty", lambda: removed(self.cgroup / "callers") and removed(self.cgroup))

    def arguments(self, *words):
        return [str(HOSTWARD), "guard", *words, "--config", str(self.config), "--cgroup", str(self.cgroup), "--pin-dir",
                str(WORK / "bpf/hostward"), "--run-dir", str(WORK / "run")]

    def guard(self, *words):
        return subprocess.run(self.arguments(*words), capture_output=True, text=True, check=False, timeout=WAIT_S)

    def start(self, text):
        self.config.write_text(text)
        with open(self.log, "wb") as log:
            self.agent = subprocess.Popen(self.arguments("run"), stdout=subprocess.DEVNULL, stderr=log)
        wait_for("the agent is ready", lambda: "guard ready" in self.log.read_text() or self.agent.poll() is not None)
        self.assertIsNone(self.agent.poll(), self.log.read_text())

    def reload(self, text):
        """Another policy, or the same: both write the file."""
        self.config.write_text(text)
        before = METRICS.stat().st_ino if METRICS.exists() else 0
        self.agent.send_signal(signal.SIGHUP)
        wait_for("the file is written", lambda: METRICS.exists() and METRICS.stat().st_ino != before)
        return METRICS.read_text()


class Metrics(Guarded):
    def test_node_exporter_hands_them_on(self):
        self.start(policy(ROOT_RULE))
        for uid in (0, 0, NOBODY, NOBODY, NOBODY):
            ask(uid)
        text = self.reload(policy(ROOT_RULE))
        self.assertEqual(METRICS.stat().st_mode & 0o7777, 0o644)
        self.assertEqual([path.name for path in METRICS.parent.iterdir()], ["hostward.prom"])
        scraped = self.scrape()
        self.assertEqual(scraped[("node_textfile_scrape_error", ())], 0)
        for key, value in samples(text).items():
            self.assertEqual(scraped.get(key), value, key)
        self.assertEqual(decisions(text, "allow", rule="root"), 2)
        self.assertEqual(decisions(text, "deny", endpoint="imds"), 3)
        self.compare_with_status(text)

    def scrape(self):
        """By a user like node_exporter's own."""
        exporter = subprocess.Popen(
            [NODE_EXPORTER, "--collector.disable-defaults", "--collector.textfile", "--web.disable-exporter-metrics",
             f"--collector.textfile.directory={METRICS.parent}", f"--web.listen-address={LISTEN}"],
            stderr=subprocess.DEVNULL, user=NOBODY, group=NOBODY, extra_groups=[])
        try:
            return samples(wait_for("node_exporter answers", self.fetch))
        finally:
            exporter.kill()
            exporter.wait()

    @staticmethod
    def fetch():
        try:
            with urllib.request.urlopen(f"http://{LISTEN}/metrics", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return None

    def compare_with_status(self, text):
        status = json.loads(self.guard("status", "--json").stdout)
        for rule in status["rules"]:
            for decision, count in (("allow", "allowed"), ("deny", "denied"), ("would-deny", "would_deny")):
                self.assertEqual(decisions(text, decision, rule=rule["name"]), rule[count])
        values = samples(text)
        self.assertEqual(values[("hostward_guard_policy_info", (("digest", status["policy_digest"]),))], 1)
        self.assertEqual(values[("hostward_guard_denials_total", (("reason", "default"),))], 3)
        for layer in status["layers"]:
            self.assertEqual(values[("hostward_guard_layer_active", (("layer", layer["name"]),))],
                             int(layer["state"] == "on"))
        self.assertEqual(single(text, "hostward_guard_ways_open"), sum(not row["closed"] for row in status["rows"]))
        now = time.time()
        for name in ("hostward_guard_policy_load_timestamp_seconds", "hostward_agent_start_time_seconds"):
            self.assertTrue(now - 60 <= single(text, name) <= now, name)

    def test_counters_follow_their_names(self):
        self.start(policy(IMDS_ENDPOINT, ROOT_RULE))
        ask(0)
        ask(NOBODY)
        # Other rules and endpoints come before them: what was counted stays with its name.
        tables = (OTHER_ENDPOINT, IMDS_ENDPOINT, NOBODY_RULE, ROOT_RULE)
        text = self.reload(policy(*tables))
        self.assertEqual(decisions(text, "allow", rule="root"), 1)
        self.assertEqual(decisions(text, "deny", endpoint="imds"), 1)
        self.assertEqual(decisions(text, "deny", endpoint="other"), 0)
        self.assertEqual(decisions(text, "deny", rule="not-nobody"), 0)
        ask(0)
        ask(NOBODY)
        ask(1, OTHER)
        text = self.reload(policy(*tables))
        self.assertEqual(decisions(text, "allow", rule="root"), 2)
        self.assertEqual(decisions(text, "deny", rule="not-nobody"), 1)
        self.assertEqual(decisions(text, "deny", endpoint="imds"), 1)
        self.assertEqual(decisions(text, "deny", endpoint="other"), 1)
        # Gone, and back again: it starts anew, which Prometheus takes for a restart.
        text = self.reload(policy(IMDS_ENDPOINT, NOBODY_RULE))
        self.assertIsNone(decisions(text, "allow", rule="root"))
        self.assertIsNone(decisions(text, "deny", endpoint="other"))
        self.assertEqual(decisions(self.reload(policy(IMDS_ENDPOINT, ROOT_RULE)), "allow", rule="root"), 0)

    def test_a_folder_of_others_is_not_written_to(self):
        METRICS.parent.chmod(0o777)
        self.start(policy(ROOT_RULE))
        self.assertIn("is writable by everybody", self.log.read_text())
        self.assertEqual(list(METRICS.parent.iterdir()), [])
        METRICS.parent.chmod(0o755)
        self.assertEqual(single(self.reload(policy(ROOT_RULE)), "hostward_guard_loaded"), 1)
        self.assertIn("metrics are written again", self.log.read_text())


class Timer(Guarded):
    def test_the_file_is_as_old_as_the_agent_lets_it(self):
        self.start(policy(ROOT_RULE))
        written = METRICS.stat().st_mtime_ns
        ask(NOBODY)
        wait_for(f"the file is written every {EVERY_S} s", lambda: METRICS.stat().st_mtime_ns != written)
        self.assertEqual(decisions(METRICS.read_text(), "deny", endpoint="imds"), 1)
        self.assertEqual(single(METRICS.read_text(), "hostward_guard_agent_running"), 1)
        self.agent.terminate()
        self.assertEqual(self.agent.wait(WAIT_S), 0)
        self.assertFalse(METRICS.exists(), "nobody keeps it up to date any more")
        ask(NOBODY)
        printed = self.guard("metrics")
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertEqual(decisions(printed.stdout, "deny", endpoint="imds"), 2)
        self.assertEqual(single(printed.stdout, "hostward_guard_agent_running"), 0)
        self.assertIsNone(single(printed.stdout, "hostward_agent_start_time_seconds"))
        self.guard("unload")
        printed = self.guard("metrics")
        self.assertEqual(printed.returncode, 4)
        self.assertEqual(single(printed.stdout, "hostward_guard_loaded"), 0)


class FullDisk(Guarded):
    def lost(self):
        return single(self.reload(policy(ROOT_RULE)), "hostward_agent_event_lines_lost_total")

    def test_events_on_a_full_disk(self):
        self.start(policy(ROOT_RULE))
        filler = WORK / "run/filler"
        with open(filler, "wb", buffering=0) as out, self.assertRaises(OSError):
            while True:
                out.write(b"x" * 4096)
        callers = 100
        for uid in range(2000, 2000 + callers):
            ask(uid)
        wait_for("all lines are lost", lambda: self.lost() == callers)
        complaints = [line for line in self.log.read_text().splitlines() if "cannot write" in line]
        self.assertTrue(1 <= len(complaints) <= COMPLAINTS_MAX, complaints)
        self.assertIsNone(self.agent.poll(), "the agent has ended")
        self.assertEqual(decisions(METRICS.read_text(), "deny", endpoint="imds"), callers)
        filler.unlink()
        ask(4000)
        wait_for("events are written again", lambda: "events are written again" in self.log.read_text())
        self.agent.terminate()
        self.assertEqual(self.agent.wait(WAIT_S), 0)
        events = WORK / "run/events.jsonl"
        self.assertIn('"uid":4000', events.read_text())
        # Every line is whole, and as the schema says.
        done = subprocess.run(["/usr/bin/python3", "-B", str(SCHEMA_TEST), str(events)], capture_output=True, text=True,
                              check=False, timeout=WAIT_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


def enter():
    """Namespaces of our own: what is mounted, listens or is guarded here ends with us."""
    os.environ["HOSTWARD_METRICS_INSIDE"] = "1"
    os.execv("/usr/bin/unshare", ["unshare", "--mount", "--net", "--propagation", "private", sys.executable, "-B",
                                  str(Path(__file__).resolve()), *sys.argv[1:]])


if __name__ == "__main__":
    if os.geteuid() != 0:
        print("SKIP: needs root for namespaces, cgroups and BPF")
        sys.exit(77)
    if not Path(NODE_EXPORTER).exists():
        print("SKIP: prometheus-node-exporter is not installed")
        sys.exit(77)
    if "HOSTWARD_METRICS_INSIDE" not in os.environ:
        enter()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(WORK)], check=True)
    for command in ("link set lo up", f"address add {IMDS}/32 dev lo", f"address add {OTHER}/32 dev lo"):
        subprocess.run(["ip", *command.split()], check=True)
    unittest.main()
