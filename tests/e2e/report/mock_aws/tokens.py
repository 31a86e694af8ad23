# SPDX-License-Identifier: Apache-2.0
"""Web identity tokens as STS issues them (outbound identity federation), signed with a key of this run."""
import base64
import json
import uuid

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from signatures import Key

ISSUER = "https://00000000-0000-4000-8000-000000000000.tokens.sts.global.api.aws"
KEY_ID = "key-1"
COORDINATE_BYTES = 48
_KEY = ec.generate_private_key(ec.SECP384R1())


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwks() -> dict:
    numbers = _KEY.public_key().public_numbers()
    x, y = (encode(n.to_bytes(COORDINATE_BYTES, "big")) for n in (numbers.x, numbers.y))
    return {"keys": [{"kty": "EC", "crv": "P-384", "use": "sig", "alg": "ES384", "kid": KEY_ID, "x": x, "y": y}]}


def issue(audience: str, tags: dict, key: Key, region: str, now_s: int, duration_s: int) -> str:
    instance = key.arn.rpartition("/")[2]
    aws = {"aws_account": key.account, "source_region": region, "request_tags": tags,
           "ec2_source_instance_arn": f"arn:aws:ec2:{region}:{key.account}:instance/{instance}"}
    claims = {"iss": ISSUER, "aud": audience, "sub": key.arn, "iat": now_s, "exp": now_s + duration_s,
              "jti": str(uuid.uuid4()), "https://sts.amazonaws.com/": aws}
    head = {"alg": "ES384", "kid": KEY_ID, "typ": "JWT"}
    text = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
    r, s = decode_dss_signature(_KEY.sign(text.encode(), ec.ECDSA(hashes.SHA384())))
    return text + "." + encode(r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big"))
