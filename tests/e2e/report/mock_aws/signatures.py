# SPDX-License-Identifier: Apache-2.0
"""Checks AWS Signature Version 4 with somebody else's code: botocore signs the request again, from what arrived."""
import base64
import calendar
import hashlib
import re
import time
from dataclasses import dataclass
from urllib.parse import quote_from_bytes, unquote_to_bytes

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from wire import Request

SKEW_MAX_S = 300
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})")
UNSIGNED = "UNSIGNED-PAYLOAD"


@dataclass
class Key:
    """One access key and whom it belongs to."""
    secret: str
    arn: str
    account: str
    token: str = ""  # none: a long-lived key
    expires_s: float = float("inf")


@dataclass
class Caller:
    key: Key
    access_key: str
    region: str
    service: str


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def canonical_s3_path(raw: str) -> str:
    """S3 signs the decoded key, encoded its own way. A path that is neither that nor free of `%` is not ours."""
    encoded = quote_from_bytes(unquote_to_bytes(raw), safe="/~")
    if raw != encoded and "%" in raw:
        raise Refused(403, "SignatureDoesNotMatch", "path is not in its canonical form")
    return encoded


def signature_of(request: Request, caller: Caller, names: list[str], stamp: str) -> str:
    kind = S3SigV4Auth if caller.service == "s3" else SigV4Auth
    signer = kind(Credentials(caller.access_key, caller.key.secret), caller.service, caller.region)
    path = canonical_s3_path(request.path) if caller.service == "s3" else request.path
    # Host is always among the signed headers: the URL's own host is not looked at.
    url = f"http://localhost{path}" + (f"?{request.query}" if "?" in request.target else "")
    again = AWSRequest(method=request.method, url=url, data=request.body)
    for name, value in request.headers:
        if name in names:
            again.headers.add_header(name, value)
    again.context["timestamp"] = stamp
    return signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)


def check_payload(request: Request, service: str) -> None:
    stated = request.header("x-amz-content-sha256")
    if service == "s3" and not stated:
        raise Refused(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    if stated and stated != UNSIGNED and stated != hashlib.sha256(request.body).hexdigest():
        raise Refused(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match.")
    checksum = request.header("x-amz-checksum-sha256")
    if checksum and checksum != base64.b64encode(hashlib.sha256(request.body).digest()).decode():
        raise Refused(400, "BadDigest", "The SHA256 you specified did not match the calculated checksum.")


def check_date(stamp: str, now_s: float, service: str) -> None:
    try:
        sent = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    except ValueError:
        raise Refused(403, "AccessDenied", "no valid date") from None
    if abs(now_s - sent) > SKEW_MAX_S:
        code = {"s3": "RequestTimeTooSkewed", "sts": "SignatureDoesNotMatch"}.get(service, "InvalidSignatureException")
        raise Refused(403, code, "Signature expired or not yet current")


def check_names(request: Request, names: list[str]) -> None:
    if names != sorted(set(names)) or "host" not in names:
        raise Refused(403, "SignatureDoesNotMatch", "SignedHeaders")
    present = [name for name, _ in request.headers]
    if any(name not in present for name in names) or any(present.count(name) > 1 for name in names):
        raise Refused(403, "SignatureDoesNotMatch", "a signed header is missing, or there twice")
    unsigned = [name for name in present if name.startswith("x-amz-") and name not in names]
    if unsigned:
        raise Refused(403, "AccessDenied", f"There were headers present in the request which were not signed: {unsigned}")


def verify(request: Request, keys: dict[str, Key], now_s: float, region: str) -> Caller:
    """Who sent it, or Refused: as the services refuse, without ever saying what would have been right."""
    parsed = AUTHORIZATION.fullmatch(request.header("authorization"))
    if not parsed:
        raise Refused(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
    access, day, scope_region, service, names, signature = parsed.groups()
    stamp = request.header("x-amz-date")
    key = keys.get(access)
    if key is None:
        code = {"s3": "InvalidAccessKeyId", "sts": "InvalidClientTokenId"}.get(service, "UnrecognizedClientException")
        raise Refused(403, code, "The security token included in the request is invalid.")
    if not stamp.startswith(day) or scope_region != region:
        raise Refused(403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region and date")
    check_names(request, names.split(";"))
    check_date(stamp, now_s, service)
    if request.header("x-amz-security-token") != key.token:
        raise Refused(403, "InvalidToken" if service == "s3" else "UnrecognizedClientException", "The token is invalid")
    caller = Caller(key, access, scope_region, service)
    if signature_of(request, caller, names.split(";"), stamp) != signature:
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not match")
    check_payload(request, service)
    if key.expires_s <= now_s:
        code = "ExpiredToken" if service in ("s3", "sts") else "ExpiredTokenException"
        raise Refused(400 if service == "s3" else 403, code, "The security token included in the request is expired")
    return caller
