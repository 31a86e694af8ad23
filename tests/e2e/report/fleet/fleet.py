# SPDX-License-Identifier: Apache-2.0
"""A fleet as S3 would hold it, made from a seed, and what each question has to answer about it."""
import gzip
import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

ACCOUNTS = [f"{number:012d}" for number in (111111111111, 222222222222, 333333333333)]
REGIONS = ["eu-central-1", "us-east-1"]
DAYS = ["2026-11-11", "2026-11-17", "2026-11-21"]  # the first is more than a week before the last
RULES = {f"1.{number}": f"Recommendation {number}" for number in range(1, 7)}


@dataclass
class Host:
    account: str
    region: str
    instance: str
    image: str
    version: str
    guard: dict
    v1: int
    days: dict[str, dict[str, tuple[str, bool]]] = field(default_factory=dict)  # day: number: verdict, waived

    @property
    def key(self) -> tuple[str, str, str]:
        return self.account, self.region, self.instance


def guard_of(rng: random.Random, v1: int) -> dict:
    kind = rng.choices(["enforce", "audit", "absent", "unknown"], [90, 6, 3, 1])[0]
    if kind == "unknown":
        return {"known": False, "why": "no permission"}
    return {"known": True, "loaded": kind != "absent", "mode": "audit" if kind == "audit" else "enforce",
            "requests": {"v1": v1, "v2": 40, "unknown": 0}}


def make_host(rng: random.Random, number: int) -> Host:
    v1 = rng.randrange(1, 500) if rng.random() < 0.01 else 0
    host = Host(rng.choice(ACCOUNTS), rng.choice(REGIONS), f"i-{number:017x}", f"ami-{rng.randrange(40):017x}",
                rng.choices(["0.3.0", "0.2.1", "0.1.0"], [90, 8, 2])[0], guard_of(rng, v1), v1)
    bad = 0.02 + int(host.image[-2:], 16) / 400
    verdicts = {n: (rng.choices(["fail", "cannot-tell", "pass"], [bad, 0.001, 1 - bad])[0], rng.random() < 0.05)
                for n in RULES}
    days = [DAYS[2]] if rng.random() > 0.004 else [DAYS[1]]  # few have gone silent
    if days == [DAYS[2]] and rng.random() < 0.04:
        days = rng.choice([DAYS[1:], DAYS[::2]])
    for day in days:
        host.days[day] = dict(verdicts)
    if len(days) == 2 and rng.random() < 0.5:
        changed = rng.choice(list(RULES))
        host.days[days[0]][changed] = ("pass", False)
        host.days[days[1]][changed] = ("fail", False)
    return host


def finding(number: str, verdict: str, waived: bool) -> dict:
    out = {"number": number, "title": RULES[number], "automated": True, "verdict": verdict, "rule": f"rule-{number}",
           "severity": "medium", "evidence": [], "evidence_dropped": 0, "took_us": 1}
    if waived and verdict == "fail":
        out["waiver"] = {"rule": f"rule-{number}", "reason": "x", "owner": "y", "state": "holds"}
    return out


def report_of(host: Host, day: str, hour: int, sequence: int, findings: list[dict]) -> dict:
    return {"schema": "hostward.posture/1", "id": f"01JD{sequence:022d}", "sequence": sequence,
            "created_at": f"{day}T{hour:02d}:30:00Z", "agent": {"version": host.version},
            "identity": {"account_id": host.account, "region": host.region, "partition": "aws",
                         "instance_id": host.instance, "image_id": host.image},
            "host": {"hostname": host.instance, "os": {"id": "debian", "version_id": "12", "pretty_name": "Debian 12"},
                     "kernel": "6.1.0", "architecture": "x86_64"},
            "guard": host.guard, "collected_at": f"{day}T{hour:02d}:29:58Z",
            "checks": [{"version": 1, "profile": {"id": "ec2", "title": "EC2", "version": "1"}, "findings": findings}]}


def put(store: Path, host: Host, day: str, hour: int, report: dict):
    folder = store / f"posture/v1/account={host.account}/region={host.region}/dt={day}/hour={hour:02d}"
    folder.mkdir(parents=True, exist_ok=True)
    line = json.dumps({"report": report, "proof": {"version": 1, "nonce": "n"}}, separators=(",", ":")) + "\n"
    (folder / f"{host.instance}.json.gz").write_bytes(gzip.compress(line.encode(), 1))


def write(store: Path, hosts: list[Host], rng: random.Random):
    for host in hosts:
        for day, verdicts in host.days.items():
            hour = rng.randrange(12, 24) if day != DAYS[2] else rng.randrange(4, 12)
            findings = [finding(number, *of) for number, of in verdicts.items()]
            put(store, host, day, hour, report_of(host, day, hour, 7, findings))
            if rng.random() < 0.02:  # an older one of that day, which must not count
                worse = [finding(number, "fail", False) for number in RULES]
                put(store, host, day, hour - 4, report_of(host, day, hour - 4, 6, worse))


def failed(host: Host, day: str) -> list[str]:
    return [number for number, (verdict, waived) in host.days[day].items() if verdict == "fail" and not waived]


def per_group(hosts: list[Host], key) -> dict:
    out = defaultdict(lambda: [0, 0])
    for host in hosts:
        out[key(host)][0] += 1
        out[key(host)][1] += len(failed(host, DAYS[2]))
    return out


def guard_word(guard: dict) -> str:
    return "cannot tell" if not guard["known"] else "not loaded" if not guard["loaded"] else guard["mode"]


def answers(hosts: list[Host]) -> dict[str, list]:
    """Rows as the questions order them; numbers as numbers."""
    today = [host for host in hosts if DAYS[2] in host.days]
    worst = sorted(((*h.key, len(failed(h, DAYS[2]))) for h in today if failed(h, DAYS[2])),
                   key=lambda row: (-row[3], row[2]))
    drift = [(*h.key, "ec2", n, DAYS[1]) for h in today if DAYS[1] in h.days for n in RULES
             if h.days[DAYS[2]][n][0] == "fail" and h.days[DAYS[1]][n][0] == "pass"]
    rules = Counter(n for h in today for n in failed(h, DAYS[2]))
    tell = [(*h.key, sum(v == "cannot-tell" for v, _ in h.days[DAYS[2]].values())) for h in today]
    groups = [(*key, n, f, f / n) for key, (n, f) in per_group(today, lambda h: (h.account, h.region)).items()]
    images = [(image, n, f / n) for image, (n, f) in per_group(today, lambda h: h.image).items()]
    versions = Counter(h.version for h in today)
    return {
        "01-worst-hosts": worst[:20],
        "02-drift-this-week": sorted(drift, key=lambda row: (row[2], row[4])),
        "03-imdsv1-users": sorted(((*h.key, h.v1) for h in today if h.v1 and h.guard["known"]),
                                  key=lambda row: (-row[3], row[2])),
        "04-silent-hosts": sorted(h.key for h in hosts if DAYS[2] not in h.days),
        "05-guard-not-enforcing": sorted(((*h.key, guard_word(h.guard)) for h in today
                                          if guard_word(h.guard) != "enforce"), key=lambda row: (row[3], row[2])),
        "06-most-failed-rules": [("ec2", n, RULES[n], c) for n, c in sorted(rules.items(),
                                                                          key=lambda item: (-item[1], item[0]))][:20],
        "07-accounts-and-regions": sorted(groups, key=lambda row: (-row[4], row[0], row[1])),
        "08-cannot-tell": sorted((row for row in tell if row[3]), key=lambda row: (-row[3], row[2])),
        "09-agent-versions": sorted(versions.items(), key=lambda item: (-item[1], item[0])),
        "10-images": sorted(images, key=lambda row: (-row[2], row[0]))[:20],
    }
