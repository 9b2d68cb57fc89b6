"""Detached JWS: every part that is signed, and every way to say it wrongly."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA512

from gateway.errors import Rejected
from gateway.kit.signatures import jws
from gateway.ports.notification import Notification

_KEY = ec.generate_private_key(ec.SECP521R1())
_OTHER = ec.generate_private_key(ec.SECP521R1())
_HEAD = {"alg": "ES512", "kid": "k1", "tl_version": "2", "tl_headers": "X-Tl-Webhook-Timestamp,X-B"}
_HEADERS = (("x-tl-webhook-timestamp", "2026-01-01T00:00:00Z"), ("x-b", "1"), ("x-c", "2"))
_BODY = b'{"type":"payment_executed"}'


def text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def key_set(key: ec.EllipticCurvePrivateKey = _KEY, **changes: Any) -> bytes:
    numbers = key.public_key().public_numbers()
    x, y = (text(one.to_bytes(66)) for one in (numbers.x, numbers.y))
    return json.dumps(
        {
            "keys": [
                {"kid": "k0"},
                {"kid": "k1", "kty": "EC", "crv": "P-521", "x": x, "y": y, **changes},
            ]
        }
    ).encode()


def signature(
    *, path: str = "/hook", body: bytes = _BODY, key: Any = _KEY, head: Any = None, **changes: Any
) -> str:
    full = {**(_HEAD if head is None else head), **changes}
    protected = text(json.dumps(full).encode())
    lines = "X-Tl-Webhook-Timestamp: 2026-01-01T00:00:00Z\nX-B: 1\n"
    payload = text(f"POST {path}\n{lines}".encode() + body)
    r, s = decode_dss_signature(key.sign(f"{protected}.{payload}".encode(), ec.ECDSA(SHA512())))
    return f"{protected}..{text(r.to_bytes(66) + s.to_bytes(66))}"


def judge(signed: str, *, keys: bytes | None = None, path: str = "/hook", **changes: Any) -> str:
    """The code with which the delivery is refused; empty when it is accepted."""
    notification = Notification(**{"headers": _HEADERS, "body": _BODY, **changes})
    try:
        jws.verify(notification, signed, key_set() if keys is None else keys, path=path)
    except Rejected as error:
        return error.code
    return ""


def test_genuine() -> None:
    """With or without a slash at the end of the path; headers that are not named may change."""
    assert "" == judge(signature())
    assert "" == judge(signature(), path="/hook/")
    assert "" == judge(signature(path="/hook/"))
    assert "" == judge(signature(), headers=(*_HEADERS[:2], ("x-c", "other")))


def test_everything_that_is_signed() -> None:
    """Method, path, body, each named header and their order."""
    assert "signature_invalid" == judge(signature(), method="GET")
    assert "signature_invalid" == judge(signature(), path="/other")
    assert "signature_invalid" == judge(signature(), body=_BODY + b" ")
    assert "signature_invalid" == judge(signature(), headers=_HEADERS[1:])
    assert "signature_invalid" == judge(signature(), headers=(_HEADERS[0], ("x-b", "2")))
    assert "signature_invalid" == judge(signature(tl_headers="X-B,X-Tl-Webhook-Timestamp"))
    assert "header_doubled" == judge(signature(), headers=(*_HEADERS, ("x-b", "1")))


def test_keys() -> None:
    """Only the named key of the set, on the right curve."""
    assert "signature_invalid" == judge(signature(), keys=key_set(_OTHER))
    assert "signature_invalid" == judge(signature(key=_OTHER))
    for changed in ({"kid": "k2"}, {"kty": "RSA"}, {"crv": "P-256"}):
        assert "key_unknown" == judge(signature(), keys=key_set(**changed))
    for broken in (key_set(x="AAAA"), key_set(x="!"), b"", b"[]", b"\xff", b'{"keys":7}'):
        assert "key_unreadable" == judge(signature(), keys=broken)


@pytest.mark.parametrize(
    "change",
    [{"alg": "none"}, {"alg": "HS512"}, {"alg": "es512"}, {"tl_version": "1"}, {"tl_version": ""}],
)
def test_other_algorithms_are_refused(change: dict[str, str]) -> None:
    """Whoever signs does not choose how."""
    assert "signature_invalid" == judge(signature(**change))


def test_malformed_signatures() -> None:
    """Each is a refusal, and none an exception of another kind."""
    protected, _, signed = signature().split(".")
    for wrong in (
        "",
        "a",
        "..",
        f"{protected}.{signed}",
        f"x..{signed}",
        f"{protected}==..{signed}",
    ):
        assert "signature_missing" == judge(wrong)
    for wrong in (
        f"{protected}.AAAA.{signed}",
        f"{protected}..",
        f"{protected}..{signed[:-2]}",
        f"{protected}..{signed}==",
        f"{protected}..{'A' * 176}",
        f"{protected}..é",
    ):
        assert "signature_invalid" == judge(wrong)
