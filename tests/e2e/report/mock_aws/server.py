#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The AWS services that hostward talks to, on one loopback port, verifying every signature with botocore.

Usage: server.py [--port N] [--region R] [--keys FILE] [--control FILE] [--tls CERT KEY]
Prints `listening PORT`. Keys: {"ACCESS KEY": {"secret", "token", "arn", "account", "expires_s"}}; see KEYS for those that
are always there. Control: faults.py. A request without a signature to /collector is for the collector.
"""
import argparse
import email.utils
import json
import socket
import socketserver
import ssl
import struct
import sys
import threading
import time
from pathlib import Path

import services
import signatures
from faults import Faults
from signatures import Key, Refused
from wire import BadRequest, Request, Response, read_request, response_bytes

ACCOUNT = "123456789012"
INSTANCE = "i-0123456789abcdef0"
REGION = "eu-central-1"
SLOW_BYTE_S = 0.5
HANG_S = 60.0
KEYS = {
    # What the metadata service gives every instance: it may only ask who it is.
    "ASIAIDENTITYROLE0001": Key("identity-secret-EXAMPLE", f"arn:aws:sts::{ACCOUNT}:assumed-role/aws:ec2-instance/{INSTANCE}",
                                ACCOUNT, "identity-token-EXAMPLE"),
    # The instance profile's.
    "ASIAINSTANCEROLE0001": Key("profile-secret-EXAMPLE", f"arn:aws:sts::{ACCOUNT}:assumed-role/fleet/{INSTANCE}",
                                ACCOUNT, "profile-token-EXAMPLE"),
    # An administrator's, who reads back.
    "AKIAADMINISTRATOR001": Key("admin-secret-EXAMPLE", f"arn:aws:iam::{ACCOUNT}:user/admin", ACCOUNT),
}


def load_keys(path: Path) -> dict[str, Key]:
    return {access: Key(**key) for access, key in json.loads(path.read_text()).items()}


class MockAws(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, port: int = 0, region: str = REGION, keys=None, control=None, tls=None):
        super().__init__(("127.0.0.1", port), Handler)
        self.region = region
        self.keys: dict[str, Key] = dict(KEYS if keys is None else keys)
        self.faults = Faults(control)
        self.state = services.State()
        self.seen: list[tuple[Request, int]] = []  # requests with the status they got
        self.tls = None
        if tls:
            self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.tls.load_cert_chain(*map(str, tls))

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def now_s(self) -> float:
        return time.time() + self.faults.clock_offset_s

    def start(self) -> "MockAws":
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def handle_error(self, request, client_address):
        kind = sys.exc_info()[0]
        if not issubclass(kind, (ConnectionError, ssl.SSLError, TimeoutError)):
            super().handle_error(request, client_address)

    def answer(self, request: Request) -> Response | None:
        """The answer of whichever service is meant. None: the connection ends without one."""
        parsed = signatures.AUTHORIZATION.fullmatch(request.header("authorization"))
        service = parsed.group(4) if parsed else "collector" if request.path == "/collector" else ""
        self.faults.read_control()
        fault = self.faults.next(service)
        if fault and fault["do"] in ("status", "throttle"):
            refused = Refused(fault.get("status", 503), fault.get("code", "ServiceUnavailable"), "planted")
            out = services.error_response(service, refused)
            out.headers.update(fault.get("headers", {}))
            out.body = fault.get("body", "").encode() or out.body
            return out
        if fault and fault["do"] == "redirect":
            return Response(301, b"", {"Location": fault["location"]})
        if service == "collector":
            with self.state.lock:
                out = services.collector(request, self.state)
        else:
            out = self.signed_answer(request, service, fault)
        return self.spoil(out, fault) if fault else out

    def signed_answer(self, request: Request, service: str, fault) -> Response:
        try:
            caller = signatures.verify(request, self.keys, self.now_s(), self.region)
            handler = services.SERVICES.get(caller.service)
            if handler is None:
                raise Refused(400, "UnknownService", caller.service)
            with self.state.lock:
                return handler(request, caller, self.state, fault, self.now_s())
        except Refused as refused:
            return services.error_response(service or "sts", refused)

    @staticmethod
    def spoil(out: Response, fault: dict) -> Response:
        """Faults after the service did its work: the client cannot know that it did."""
        out.headers = dict(out.headers)
        if fault["do"] in ("slow", "hang", "reset", "garbage", "early_end"):
            out.headers["X-Fault"] = fault["do"]
        return out


class Handler(socketserver.StreamRequestHandler):
    server: MockAws

    def setup(self):
        if self.server.tls:
            self.request.settimeout(10)
            self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.request.settimeout(HANG_S)
        super().setup()

    def handle(self):
        while True:
            try:
                request = read_request(self.rfile, lambda: self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n"))
            except BadRequest as problem:
                self.send(Response(400, str(problem).encode(), {"Connection": "close"}))
                return
            if request is None:
                return
            response = self.server.answer(request)
            self.server.seen.append((request, response.status))
            if not self.misbehave(response):
                self.send(response)
            else:
                return

    def encoded(self, response: Response) -> bytes:
        date = email.utils.formatdate(self.server.now_s(), usegmt=True)
        return response_bytes(response, date, "00000000-0000-0000-0000-000000000000")

    def send(self, response: Response):
        self.wfile.write(self.encoded(response))

    def misbehave(self, response: Response) -> bool:
        """True: the connection is over."""
        fault = response.headers.pop("X-Fault", "")
        if fault == "early_end":
            response.body = response.body or b"never sent"
        data = self.encoded(response)
        if fault == "slow":
            for byte in data:
                self.wfile.write(bytes([byte]))
                time.sleep(SLOW_BYTE_S)
        elif fault == "hang":
            time.sleep(HANG_S)
        elif fault == "reset":
            # Linger of zero: the close is a reset.
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.request.close()
        elif fault == "garbage":
            self.wfile.write(b"\x00\xff not HTTP at all\r\n\r\n")
        elif fault == "early_end":
            self.wfile.write(data[:max(1, len(data) - 5)])
        return bool(fault)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--region", default=REGION)
    parser.add_argument("--keys", type=Path)
    parser.add_argument("--control", type=Path)
    parser.add_argument("--tls", nargs=2, type=Path)
    options = parser.parse_args()
    keys = {**KEYS, **(load_keys(options.keys) if options.keys else {})}
    server = MockAws(options.port, options.region, keys, options.control, options.tls)
    print("listening", server.port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
