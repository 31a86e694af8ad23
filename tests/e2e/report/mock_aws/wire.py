# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 as bytes: requests read strictly and kept exactly as they came, because a signature is over what came."""
from dataclasses import dataclass, field

HEAD_MAX = 64 * 1024
BODY_MAX = 32 << 20
METHODS = {"GET", "PUT", "POST", "HEAD", "DELETE"}
REASONS = {200: "OK", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 400: "Bad Request",
           403: "Forbidden", 404: "Not Found", 409: "Conflict", 412: "Precondition Failed", 429: "Too Many Requests",
           500: "Internal Server Error", 503: "Service Unavailable"}


class BadRequest(Exception):
    pass


@dataclass
class Request:
    method: str
    target: str
    headers: list[tuple[str, str]]  # names lower-case
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def header(self, name: str, default: str = "") -> str:
        return next((value for key, value in self.headers if key == name.lower()), default)


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    bodyless: bool = False  # the answer to HEAD: Content-Length of what is not sent


def read_head(stream) -> list[bytes]:
    lines, size = [], 0
    while True:
        line = stream.readline(HEAD_MAX)
        size += len(line)
        if not line and not lines:
            return []
        if not line.endswith(b"\r\n") or size > HEAD_MAX:
            raise BadRequest("head is no HTTP")
        if line == b"\r\n":
            return lines
        lines.append(line[:-2])


def parse_head(lines: list[bytes]) -> Request:
    try:
        text = [line.decode("ascii") for line in lines]
    except UnicodeDecodeError:
        raise BadRequest("a byte that is no ASCII in the head") from None
    parts = text[0].split(" ")
    if len(parts) != 3 or parts[2] != "HTTP/1.1" or parts[0] not in METHODS or not parts[1].startswith("/"):
        raise BadRequest("request line")
    if any(ord(c) < 33 or ord(c) > 126 or c in '#"<>\\^`{|}' for c in parts[1]):
        raise BadRequest("a character that no target has")
    headers = []
    for line in text[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or any(not (c.isalnum() or c in "-_.!#$%&'*+^`|~") for c in name):
            raise BadRequest("header line")
        if any(ord(c) < 32 or ord(c) == 127 for c in value):
            raise BadRequest("control character in a header")
        headers.append((name.lower(), value.strip(" ")))
    return Request(parts[0], parts[1], headers)


def read_request(stream, go_on) -> Request | None:
    """The next request, or nothing when the peer is done. `go_on` sends 100 Continue."""
    lines = read_head(stream)
    if not lines:
        return None
    request = parse_head(lines)
    if request.header("expect").lower() == "100-continue":
        go_on()
    if request.header("transfer-encoding"):
        raise BadRequest("a transfer encoding")
    length = request.header("content-length", "0")
    if not length.isdigit() or int(length) > BODY_MAX:
        raise BadRequest("content length")
    request.body = stream.read(int(length))
    if len(request.body) != int(length):
        raise BadRequest("body ends early")
    return request


def response_bytes(response: Response, date: str, request_id: str) -> bytes:
    headers = {"Date": date, "Server": "mock_aws", "x-amzn-RequestId": request_id,
               "Content-Length": str(len(response.body)), **response.headers}
    head = f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Status')}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode() + b"\r\n" + (b"" if response.bodyless else response.body)
