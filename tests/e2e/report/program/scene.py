# SPDX-License-Identifier: Apache-2.0
"""A host to report from: the simulator of the metadata service, the mock of AWS, a configuration and its folders."""
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE.parents[3]
sys.path.insert(0, str(HERE.parent / "mock_aws"))

import tokens  # noqa: E402,F401
from server import MockAws  # noqa: E402
from signatures import Key  # noqa: E402

BUILT = Path(os.environ["HOSTWARD_BUILT"])
HOSTWARD = BUILT / "hostward"
VECTORS = SOURCE.parent / "shared/vectors/iid"
NOBODY = 65534
# What the simulator's built-in tree says.
ACCOUNT = "111122223333"
REGION = "eu-central-1"
INSTANCE = "i-0123456789abcdef0"
SECRETS = {"identity secret": "synthetic/instance/secret/of/simulator+2",
           "profile secret": "synthetic/role/secret/of/the/simulator+1"}
IDENTITY_TOKEN = "c3ludGhldGljIHNlc3Npb24gdG9rZW4gb2YgdGhlIHNpbXVsYXRvciwgaW5zdGFuY2UgaWRlbnRpdHk="
PROFILE_TOKEN = "c3ludGhldGljIHNlc3Npb24gdG9rZW4gb2YgdGhlIHNpbXVsYXRvciwgcm9sZSB3ZWItc2VydmVy"
SINKS = """
[sink.archive]
type = "s3"
bucket = "fleet"
prefix = "prod/"
expected_bucket_owner = "{account}"
endpoint = "{aws}"

[sink.collector]
type = "https"
url = "{aws}/collector"

[sink.compliance]
type = "ssm-compliance"
endpoint = "{aws}"

[sink.hub]
type = "securityhub"
endpoint = "{aws}"

[sink.inventory]
type = "ssm-inventory"
path = "{state}/ssm"

[sink.local]
type = "file"
path = "{state}/reports"

[sink.logs]
type = "cloudwatch-logs"
log_group = "/fleet/posture"
endpoint = "{aws}"
"""


@dataclass
class Done:
    code: int
    out: str
    err: str


class Imds:
    """The simulator on loopback, with its log and a control file."""

    def __init__(self, folder: Path, *options: str):
        self.log = folder / "imds.jsonl"
        self.control = folder / "imds.control"
        command = [BUILT / "tests/imds_sim", "--listen", "127.0.0.1", "--port", "0", "--log", self.log, "--control", self.control]
        self.process = subprocess.Popen([*map(str, command), *options], stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.port = self.find_port()

    def find_port(self) -> int:
        """Of its listening socket: it was told to take any."""
        inodes = {os.readlink(f"/proc/{self.process.pid}/fd/{fd}") for fd in os.listdir(f"/proc/{self.process.pid}/fd")}
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                return int(fields[1].split(":")[1], 16)
        raise RuntimeError("the simulator listens nowhere")

    def set(self, *settings: str) -> None:
        draft = self.control.with_suffix(".new")
        draft.write_text("".join(f"{one}\n" for one in settings))
        draft.rename(self.control)

    def requests(self) -> list[dict]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def end(self) -> None:
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


@dataclass
class Instance:
    """Who the metadata service says we are."""
    account: str = ACCOUNT
    region: str = REGION
    instance: str = INSTANCE
    imds: tuple[str, ...] = ()

    def keys(self) -> dict[str, Key]:
        arn = f"arn:aws:sts::{self.account}:assumed-role/"
        return {"ASIAEXAMPLEINSTANCE1": Key(SECRETS["identity secret"], f"{arn}aws:ec2-instance/{self.instance}", self.account,
                                            IDENTITY_TOKEN),
                "ASIAEXAMPLEROLE00001": Key(SECRETS["profile secret"], f"{arn}web-server/{self.instance}", self.account,
                                            PROFILE_TOKEN)}


def genuine_instance() -> Instance | None:
    """One whose document AWS signed, if its data lie beside the tree."""
    document, signature = (VECTORS / f"B-us-west-2-2018.{end}" for end in ("json", "rsa2048.b64"))
    if not document.exists():
        return None
    said = json.loads(document.read_text())
    return Instance(said["accountId"], said["region"], said["instanceId"],
                    ("--leaf", f"dynamic/instance-identity/document={document}",
                     "--leaf", f"dynamic/instance-identity/rsa2048={signature}"))


class Scene:
    def __init__(self, instance: Instance = Instance()):
        self.folder = Path(tempfile.mkdtemp(prefix="hostward-report-"))
        self.folder.chmod(0o755)
        self.state = self.folder / "state"
        self.instance = instance
        self.aws = MockAws(region=instance.region, keys=instance.keys()).start()
        self.aws.state.bucket_owners = {"fleet": instance.account}
        self.imds = Imds(self.folder, *instance.imds)
        self.config = self.folder / "report.toml"
        self.write_config(SINKS)

    def write_config(self, sinks: str, **report: str) -> None:
        settings = {"audience": "posture.example.com", "state_dir": str(self.state), "sts_endpoint": self.aws.url, **report}
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items())
        self.config.write_text("[report]\nprofiles = [\"cis-debian-12\"]\n" + lines +
                               sinks.format(aws=self.aws.url, state=self.state, account=self.instance.account))
        self.config.chmod(0o644)

    def environment(self, **other: str) -> dict[str, str]:
        return {"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{self.imds.port}", **other}

    def collect(self) -> None:
        """What hostward-check.service does, and the packages' folders for the user who reports."""
        command = [HOSTWARD, "check", "--posture", "--report-config", self.config, "--library", SOURCE / "hardening", "--no-sweep"]
        subprocess.run(list(map(str, command)), check=True, capture_output=True, env=self.environment())
        (self.state / "ssm" / self.instance.instance).mkdir(parents=True, exist_ok=True)  # as the SSM agent makes it
        for folder in ("spool", "reports", "ssm"):
            for path in [self.state / folder, *(self.state / folder).rglob("*")]:
                os.chown(path, NOBODY, NOBODY)
        for path in (self.state, self.state / "posture"):  # root's: the user reads
            os.chown(path, 0, NOBODY)
            path.chmod(0o750)

    def start(self, *arguments: str, user: int = NOBODY, **environment: str) -> subprocess.Popen:
        command = [str(HOSTWARD), "report", "--config", str(self.config), *arguments]

        def become():
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment(**environment), preexec_fn=become, cwd="/")

    def report(self, *arguments: str, user: int = NOBODY, **environment: str) -> Done:
        process = self.start(*arguments, user=user, **environment)
        out, err = process.communicate()
        return Done(process.returncode, out, err)

    def memory_kib(self, *arguments: str) -> tuple[int, int]:
        """Highest resident memory of a run, and of what is its own of it (not pages of files that others map, too)."""
        process = self.start(*arguments)
        peak, own = 0, 0
        while process.poll() is None:
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            found = dict(re.findall(r"^(Name|VmHWM|RssAnon):\s+(\w+)", status, re.M))
            if found.get("Name") == "hostward" and "VmHWM" in found:  # not the interpreter before it became the program
                peak, own = max(peak, int(found["VmHWM"])), max(own, int(found["RssAnon"]))
        process.communicate()
        return peak, own

    def end(self) -> None:
        self.imds.end()
        self.aws.shutdown()
        self.aws.server_close()
        shutil.rmtree(self.folder)


# A test that is ended does not leave the simulator behind.
resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
