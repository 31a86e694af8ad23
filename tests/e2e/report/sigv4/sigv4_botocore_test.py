# SPDX-License-Identifier: Apache-2.0
"""Random requests signed by us and by Debian's botocore: the same Authorization, the same presigned signature.

The seed is printed; SIGV4_SEED runs one again. A URL is given in the form that botocore wants (it does not encode): what
our signer does with other forms is a matter of the unit tests and of AWS's own suite.
"""
import datetime
import json
import os
import random
import string
import subprocess
import sys
from unittest import mock
from urllib.parse import parse_qs, quote, urlsplit

try:
    import botocore.auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
except ImportError as missing:
    print(f"SKIP: Debian's python3-botocore is not installed: {missing}")
    sys.exit(77)

SIGNER = os.environ["SIGV4_LINES"]
SERVICES = ("sts", "s3", "securityhub", "logs", "ssm")
REGIONS = ("us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1")
CASES = 2000
PRESIGNED_EACH = 4  # one case in so many
TEXT = string.ascii_letters + string.digits + "=+-_.~ /%&?:;,*'()!@$[]äß€😀"
PATH = TEXT.replace("/", "")


def words(source, alphabet, longest):
    return "".join(source.choice(alphabet) for _ in range(source.randint(0, longest)))


def make_path(source, service):
    segments = [words(source, PATH, 12) or "x" for _ in range(source.randint(0, 4))]
    if service != "s3":
        segments += source.choices(["", ".", "..", "a"], k=source.randint(0, 3))
        source.shuffle(segments)
    # Encoded as the SDK's serializers do; a slash at the end now and then.
    return "/" + "/".join(quote(s, safe="~") for s in segments) + source.choice(["", "/"] if segments else [""])


def make_query(source, presigned):
    pairs = [(words(source, TEXT, 8) or "k", words(source, TEXT, 12)) for _ in range(source.randint(0, 5))]
    if presigned:  # botocore drops a name that is repeated there
        pairs = list(dict(pairs).items())
    return "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in pairs)


def make_headers(source):
    names = ["Content-Type", "X-Amz-Target", "x-hostward-nonce", "X-Amz-Meta-A", "x-amz-meta-a", "X-Amz-Meta-B",
             "Content-Encoding", "If-None-Match", "x-amz-checksum-sha256"]
    alphabet = string.ascii_letters + string.digits + "  \t=+/*;:,\"'"
    return [(source.choice(names), words(source, alphabet, 20)) for _ in range(source.randint(0, 6))]


def make_case(source):
    service = source.choice(SERVICES)
    presigned = source.randrange(PRESIGNED_EACH) == 0
    port = source.choice(["", "", ":8443", ":5000"])
    query = make_query(source, presigned)
    return {"method": source.choice(["GET", "POST", "PUT", "HEAD", "DELETE"]), "service": service,
            "url": f"https://{service}.{source.choice(REGIONS)}.example.com{port}{make_path(source, service)}" +
                   (f"?{query}" if query else ""),
            "headers": [] if presigned else make_headers(source),
            "body": "" if presigned else words(source, TEXT + "\n\0", 200),  # botocore would move it to the query
            "id": words(source, string.ascii_uppercase, 20) or "A", "secret": words(source, TEXT, 40) or "s",
            "token": source.choice(["", words(source, string.ascii_letters + "+/=", 200)]),
            "region": source.choice(REGIONS), "time": source.randint(0, 4102444800),
            "expires": source.randint(1, 604800) if presigned else 0}


def frozen(case):
    now = datetime.datetime.fromtimestamp(case["time"], datetime.timezone.utc).replace(tzinfo=None)
    clock = mock.Mock(wraps=datetime)
    clock.datetime.utcnow.return_value = now
    return mock.patch.object(botocore.auth, "datetime", clock)


def botocore_answer(case):
    request = AWSRequest(method=case["method"], url=case["url"], data=case["body"].encode())
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    keys = Credentials(case["id"], case["secret"], case["token"] or None)
    is_s3 = case["service"] == "s3"
    if case["expires"]:
        kind = botocore.auth.S3SigV4QueryAuth if is_s3 else botocore.auth.SigV4QueryAuth
        signer = kind(keys, case["service"], case["region"], expires=case["expires"])
    else:
        kind = botocore.auth.S3SigV4Auth if is_s3 else botocore.auth.SigV4Auth
        signer = kind(keys, case["service"], case["region"])
    with frozen(case):
        signer.add_auth(request)
    if case["expires"]:
        return {"signature": parse_qs(urlsplit(request.url).query)["X-Amz-Signature"]}
    return {"authorization": request.headers["Authorization"], "content": request.headers.get("X-Amz-Content-SHA256", "")}


def our_answer(line):
    answer = json.loads(line)
    if "url" in answer:
        return {"signature": parse_qs(urlsplit(answer["url"]).query)["X-Amz-Signature"]}
    return answer


def main():
    seed = int(os.environ.get("SIGV4_SEED", random.SystemRandom().randrange(2**32)))
    print(f"seed {seed}")
    source = random.Random(seed)
    cases = [make_case(source) for _ in range(CASES)]
    done = subprocess.run([SIGNER], input="".join(json.dumps(case) + "\n" for case in cases), capture_output=True,
                          text=True, check=True, timeout=100)
    answers = [our_answer(line) for line in done.stdout.splitlines()]
    differing = [(case, ours, theirs) for case, ours in zip(cases, answers, strict=True)
                 if ours != (theirs := botocore_answer(case))]
    for case, ours, theirs in differing[:5]:
        print(f"DIFFERS {json.dumps(case)}\n  ours   {ours}\n  theirs {theirs}")
    kinds = {(case["service"], bool(case["expires"])) for case in cases}
    print(f"{len(cases)} requests, {len(kinds)} kinds, {len(differing)} differ")
    return 1 if differing or len(kinds) != 2 * len(SERVICES) else 0


if __name__ == "__main__":
    sys.exit(main())
