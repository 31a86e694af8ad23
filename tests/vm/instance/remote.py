# SPDX-License-Identifier: Apache-2.0
"""The rest of the world, as a machine on QEMU's user network sees it: other hosts, which are addresses on loopback of the
story's own network namespace. The metadata service, STS, a collector of reports, and a server of packages."""
import functools
import gzip
import http.server
import json
import os
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/e2e/report/program"))

from hands import expect  # noqa: E402

METADATA = "169.254.169.254"
PACKAGES = "203.0.113.10"  # a documentation address
COLLECTOR_PORT, STS_PORT = 8443, 8081
# QEMU gives addresses and a default route; what is not its own it connects to from here. Its own gateway is our loopback.
NETWORK = "user,ipv6=off,net=10.0.2.0/24"
GATEWAY = "10.0.2.2"
AUDIENCE = "posture.example.com"


def listen_everywhere():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (METADATA, PACKAGES):
        subprocess.run(["ip", "address", "replace", f"{address}/32", "dev", "lo"], check=True)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Remote:
    """Context manager. `folder` holds what it shows: ca.pem, and below packages/ what can be fetched over HTTPS."""

    def __init__(self, build, folder):
        os.environ["HOSTWARD_BUILT"] = str(build)
        self._build = build
        self.folder = folder
        self.packages = folder / "packages"
        self.packages.mkdir()
        self._servers = []

    def __enter__(self):
        from scene import Instance, MockAws, genuine_instance  # reads the variable above
        from certificates import Authority
        listen_everywhere()
        authority = Authority(self.folder)
        genuine = genuine_instance()
        self.genuine = genuine is not None  # else its identity document is the simulator's, which AWS did not sign
        self.who = genuine or Instance()
        self.sts = MockAws(STS_PORT, self.who.region, self.who.keys()).start()
        self.collector = MockAws(COLLECTOR_PORT, self.who.region, self.who.keys(), tls=authority.issue("collector", GATEWAY)).start()
        shop = http.server.ThreadingHTTPServer((PACKAGES, 443), functools.partial(Quiet, directory=self.packages))
        shop.socket = _over_tls(shop.socket, authority.issue("packages", PACKAGES))
        threading.Thread(target=shop.serve_forever, daemon=True).start()
        self._servers = [self.sts, self.collector, shop]
        return self

    def __exit__(self, *_):
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def report_config(self):
        return (f'[report]\naudience = "{AUDIENCE}"\nsts_endpoint = "{self.sts.url}"\n\n[sink.local]\ntype = "file"\n\n[sink.collector]\n'
                f'type = "https"\nurl = "https://{GATEWAY}:{COLLECTOR_PORT}/collector"\nca_file = "/etc/ssl/certs/ca-certificates.crt"\n')

    def first_report(self, limit_s):
        """Name and envelope of the first report that came; no name: none came in time."""
        deadline = time.monotonic() + limit_s
        while not self.collector.state.collected:
            if time.monotonic() > deadline:
                return "", b""
            time.sleep(1)
        return next(iter(self.collector.state.collected.items()))

    def verified(self, envelope):
        """What `hostward verify` proves of an envelope, on the receiver's side."""
        file = self.folder / "envelope.json"
        file.write_bytes(envelope if self.genuine else _without_document(envelope))
        command = [self._build / "hostward", "verify", file, "--audience", AUDIENCE, "--sts", "--trusted-sts", self.sts.url, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        identity = json.loads(gzip.decompress(envelope))["report"]["identity"]
        expect(done.returncode == 0, f"the report is not proven: {done.stdout}{done.stderr}\nit says of its host: {identity}")
        return json.loads(done.stdout)


def _over_tls(listening, pair):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*map(str, pair))
    return context.wrap_socket(listening, server_side=True)


def _without_document(envelope):
    """No certificate of AWS verifies the simulator's document; what STS says of the caller stands without it."""
    whole = json.loads(gzip.decompress(envelope))
    del whole["proof"]["identity"]
    return (json.dumps(whole, separators=(",", ":"), ensure_ascii=False) + "\n").encode()
