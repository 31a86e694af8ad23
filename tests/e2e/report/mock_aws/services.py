# SPDX-License-Identifier: Apache-2.0
"""As much of each service as writes reports and lets a real client read them back. Limits are the services' own."""
import hashlib
import json
import threading
from urllib.parse import parse_qs, parse_qsl, unquote
from xml.sax.saxutils import escape

import models
import tokens
from signatures import Caller, Refused
from wire import Request, Response

FINDING_BYTES_MAX = 240 * 1024
LOG_BYTES_MAX = 1_048_576
LOG_EVENT_OVERHEAD = 26
DAY_MS = 24 * 3600 * 1000
STS_NAMESPACE = "/".join(["https:", "", "sts.amazonaws.com", "doc", "2011-06-15", ""])


class State:
    """Everything that was put, for tests to look at."""

    def __init__(self):
        self.lock = threading.RLock()
        self.bucket_owners = {"fleet": "123456789012"}
        self.objects: dict[tuple[str, str], tuple[bytes, dict]] = {}
        self.puts: list[tuple[str, str]] = []  # every PutObject that was stored
        self.findings: dict[str, dict] = {}
        self.imports: list[list[str]] = []  # Ids of every call
        self.compliance: dict[tuple[str, str], dict] = {}
        self.groups: dict[str, dict[str, list]] = {}
        self.collected: dict[str, bytes] = {}
        self.collected_twice = 0


def json_response(value, status: int = 200) -> Response:
    return Response(status, json.dumps(value).encode(), {"Content-Type": "application/x-amz-json-1.1"})


def xml_response(text: str, status: int = 200) -> Response:
    return Response(status, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), {"Content-Type": "text/xml"})


def error_response(service: str, refused: Refused) -> Response:
    if service in ("s3", "sts"):
        inner = f"<Code>{refused.code}</Code><Message>{escape(refused.message)}</Message>"
        if service == "sts":
            inner = f"<Error><Type>Sender</Type>{inner}</Error>"
            return xml_response(f"<ErrorResponse>{inner}</ErrorResponse>", refused.status)
        return xml_response(f"<Error>{inner}</Error>", refused.status)
    out = json_response({"__type": refused.code, "message": refused.message}, refused.status)
    if service == "securityhub":
        out.headers["x-amzn-ErrorType"] = refused.code
    return out


def body_json(request: Request):
    try:
        return json.loads(request.body)
    except ValueError:
        raise Refused(400, "SerializationException", "no JSON") from None


# --- STS

def web_identity(request: Request, caller: Caller, now_s: float) -> Response:
    """GetWebIdentityToken for roles but the instance's own identity, which may only ask who it is."""
    fields = dict(parse_qsl(request.body.decode(), strict_parsing=True))
    if ":assumed-role/aws:ec2-instance/" in caller.key.arn:
        raise Refused(403, "AccessDenied", "not authorized to perform: sts:GetWebIdentityToken")
    if fields.get("SigningAlgorithm") != "ES384" or not 60 <= int(fields.get("DurationSeconds", "300")) <= 3600:
        raise Refused(400, "ValidationError", "SigningAlgorithm, DurationSeconds")
    tags = {fields[f"Tags.member.{i}.Key"]: fields[f"Tags.member.{i}.Value"] for i in (1, 2)}
    token = tokens.issue(fields["Audience.member.1"], tags, caller.key, caller.region, int(now_s), int(fields["DurationSeconds"]))
    return xml_response(f'<GetWebIdentityTokenResponse xmlns="{STS_NAMESPACE}"><GetWebIdentityTokenResult>'
                        f"<WebIdentityToken>{token}</WebIdentityToken></GetWebIdentityTokenResult>"
                        "<ResponseMetadata><RequestId>00000000</RequestId></ResponseMetadata></GetWebIdentityTokenResponse>")


def sts(request: Request, caller: Caller, _state: State, _fault, now_s: float) -> Response:
    if request.method != "POST" or request.path != "/" or request.query:
        raise Refused(400, "InvalidAction", "not an action")
    if request.body.startswith(b"Action=GetWebIdentityToken&"):
        return web_identity(request, caller, now_s)
    if request.body != b"Action=GetCallerIdentity&Version=2011-06-15":
        raise Refused(400, "InvalidAction", "Could not find operation")
    user = "AROAEXAMPLE:" + caller.key.arn.rpartition("/")[2]
    if "json" in request.header("accept"):
        result = {"Account": caller.key.account, "Arn": caller.key.arn, "UserId": user}
        answer = {"GetCallerIdentityResponse": {"GetCallerIdentityResult": result,
                                                "ResponseMetadata": {"RequestId": "00000000"}}}
        return Response(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
    inner = f"<Arn>{escape(caller.key.arn)}</Arn><UserId>{user}</UserId><Account>{caller.key.account}</Account>"
    return xml_response(
        f'<GetCallerIdentityResponse xmlns="{STS_NAMESPACE}">'
        f"<GetCallerIdentityResult>{inner}</GetCallerIdentityResult>"
        "<ResponseMetadata><RequestId>00000000</RequestId></ResponseMetadata></GetCallerIdentityResponse>")


# --- S3

def split_path(request: Request, state: State) -> tuple[str, str]:
    """Path style, or bucket.host."""
    path = unquote(request.path)[1:]
    first = request.header("host").split(":")[0].split(".")[0]
    if first in state.bucket_owners:
        return first, path
    bucket, _, key = path.partition("/")
    return bucket, key


def etag(data: bytes) -> str:
    return '"' + hashlib.md5(data, usedforsecurity=False).hexdigest() + '"'


def put_object(request: Request, state: State, where: tuple[str, str]) -> Response:
    if request.header("if-none-match") == "*" and where in state.objects:
        raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
    kept = {name: request.header(name) for name in ("content-type", "content-encoding") if request.header(name)}
    state.objects[where] = (request.body, kept)
    state.puts.append(where)
    return Response(200, b"", {"ETag": etag(request.body)})


def list_objects(bucket: str, state: State, query: dict) -> Response:
    prefix = query.get("prefix", [""])[0]
    rows = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
        f"<ETag>{escape(etag(data))}</ETag><Size>{len(data)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for (owner, key), (data, _) in sorted(state.objects.items()) if owner == bucket and key.startswith(prefix))
    return xml_response(f"<ListBucketResult><Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix><MaxKeys>1000</MaxKeys>"
                        f"<IsTruncated>false</IsTruncated>{rows}</ListBucketResult>")


def s3(request: Request, _caller: Caller, state: State, _fault, _now_s: float) -> Response:
    bucket, key = split_path(request, state)
    owner = state.bucket_owners.get(bucket)
    if owner is None:
        raise Refused(404, "NoSuchBucket", "The specified bucket does not exist")
    if request.header("x-amz-expected-bucket-owner", owner) != owner:
        raise Refused(403, "AccessDenied", "Access Denied")
    if request.method == "PUT" and key:
        return put_object(request, state, (bucket, key))
    if not key:
        return list_objects(bucket, state, parse_qs(request.query))
    if (bucket, key) not in state.objects:
        raise Refused(404, "NoSuchKey", "The specified key does not exist.")
    data, kept = state.objects[(bucket, key)]
    return Response(200, data, {"ETag": etag(data), "Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", **kept},
                    bodyless=request.method == "HEAD")


# --- Security Hub

def import_failure(finding: dict, caller: Caller, state: State) -> str:
    product = f"arn:aws:securityhub:{caller.region}:{caller.key.account}:product/{caller.key.account}/default"
    if finding["AwsAccountId"] != caller.key.account or finding["ProductArn"] != product:
        return "the finding is not of the caller's account"
    if len(json.dumps(finding).encode()) > FINDING_BYTES_MAX:
        return "Finding does not adhere to Amazon Finding Format: larger than 240 KB"
    known = state.findings.get(finding["Id"])
    if known and finding["UpdatedAt"] < known["UpdatedAt"]:
        return "UpdatedAt is before that of the finding"
    return ""


def import_findings(request: Request, caller: Caller, state: State, fault) -> Response:
    payload = body_json(request)
    models.check("securityhub", "BatchImportFindings", payload)
    if not 1 <= len(payload["Findings"]) <= 100:
        raise Refused(400, "InvalidInputException", "Findings: 1 to 100")
    failed = []
    refuse = fault["count"] if fault and fault["do"] == "partial" else 0
    for place, finding in enumerate(payload["Findings"]):
        text = "planted" if place < refuse else import_failure(finding, caller, state)
        if text:
            failed.append({"Id": finding["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": text})
        else:
            state.findings[finding["Id"]] = finding
    state.imports.append([finding["Id"] for finding in payload["Findings"]])
    return json_response({"FailedCount": len(failed), "SuccessCount": len(payload["Findings"]) - len(failed),
                          "FailedFindings": failed})


def securityhub(request: Request, caller: Caller, state: State, fault, _now_s: float) -> Response:
    if request.method == "POST" and request.target == "/findings/import":
        return import_findings(request, caller, state, fault)
    if request.method == "POST" and request.target == "/findings":
        return json_response({"Findings": list(state.findings.values())})
    raise Refused(404, "ResourceNotFoundException", "no such operation")


# --- Systems Manager

def ssm(request: Request, _caller: Caller, state: State, _fault, _now_s: float) -> Response:
    name = request.header("x-amz-target").removeprefix("AmazonSSM.")
    payload = body_json(request)
    if name not in ("PutComplianceItems", "ListComplianceItems"):
        raise Refused(400, "UnknownOperationException", name)
    models.check("ssm", name, payload)
    if name == "ListComplianceItems":
        items = [{"ComplianceType": kind, "ResourceType": "ManagedInstance", "ResourceId": resource, **item}
                 for (resource, kind), put in state.compliance.items() for item in put["Items"]]
        return json_response({"ComplianceItems": items})
    if not payload["ComplianceType"].startswith("Custom:"):
        raise Refused(400, "ValidationException", "ComplianceType")
    state.compliance[(payload["ResourceId"], payload["ComplianceType"])] = payload
    return json_response({})


# --- CloudWatch Logs

def events_problem(events: list[dict]) -> str:
    size = sum(len(event["message"].encode()) + LOG_EVENT_OVERHEAD for event in events)
    times = [event["timestamp"] for event in events]
    if size > LOG_BYTES_MAX or len(events) > 10_000:
        return "Upload too large"
    if times != sorted(times):
        return "Log events in a single PutLogEvents request must be in chronological order."
    return "The batch of log events spans more than 24 hours." if times[-1] - times[0] > DAY_MS else ""


def put_log_events(payload: dict, state: State, fault, now_s: float) -> Response:
    streams = state.groups.get(payload["logGroupName"])
    if streams is None or payload["logStreamName"] not in streams:
        what = "group" if streams is None else "stream"
        raise Refused(400, "ResourceNotFoundException", f"The specified log {what} does not exist.")
    if problem := events_problem(payload["logEvents"]):
        raise Refused(400, "InvalidParameterException", problem)
    kept = [event for event in payload["logEvents"]
            if now_s * 1000 - 14 * DAY_MS <= event["timestamp"] <= now_s * 1000 + 2 * 3600 * 1000]
    too_old = len(payload["logEvents"]) - len(kept)
    if fault and fault["do"] == "partial":
        kept, too_old = kept[fault["count"]:], fault["count"]
    streams[payload["logStreamName"]] += kept
    out = {"nextSequenceToken": "1"}
    if too_old:
        out["rejectedLogEventsInfo"] = {"tooOldLogEventEndIndex": too_old}
    return json_response(out)


def logs(request: Request, _caller: Caller, state: State, fault, now_s: float) -> Response:
    name = request.header("x-amz-target").removeprefix("Logs_20140328.")
    payload = body_json(request)
    if name not in ("PutLogEvents", "CreateLogGroup", "CreateLogStream", "GetLogEvents"):
        raise Refused(400, "UnknownOperationException", name)
    models.check("logs", name, payload)
    if name == "PutLogEvents":
        return put_log_events(payload, state, fault, now_s)
    group = payload["logGroupName"]
    if name == "CreateLogGroup":
        if group in state.groups:
            raise Refused(400, "ResourceAlreadyExistsException", "The specified log group already exists")
        state.groups[group] = {}
        return json_response({})
    if group not in state.groups:
        raise Refused(400, "ResourceNotFoundException", "The specified log group does not exist.")
    stream = payload["logStreamName"]
    if name == "CreateLogStream":
        if stream in state.groups[group]:
            raise Refused(400, "ResourceAlreadyExistsException", "The specified log stream already exists")
        state.groups[group][stream] = []
        return json_response({})
    events = [{**event, "ingestionTime": int(now_s * 1000)} for event in state.groups[group].get(stream, [])]
    return json_response({"events": events, "nextForwardToken": "f/1", "nextBackwardToken": "b/1"})


# --- a collector of our own: what `https` talks to

def collector(request: Request, state: State) -> Response:
    name = request.header("hostward-report-id")
    if request.method != "POST" or not name or request.header("content-encoding") != "gzip":
        return Response(400, b"a report, gzip, with its id")
    if name in state.collected:
        state.collected_twice += 1
        return Response(409, b"have it")
    state.collected[name] = request.body
    return Response(200, b"")


SERVICES = {"sts": sts, "s3": s3, "securityhub": securityhub, "ssm": ssm, "logs": logs}
