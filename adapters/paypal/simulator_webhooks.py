"""PayPal's webhooks in memory, signed under a certificate authority of the simulator's own.

Source: developer.paypal.com/api/rest/webhooks/rest and /event-names, read 2026-11.
"""

import base64
import datetime as dt
import functools
import json
import uuid
import zlib
from typing import Any, Final, TypeAlias

import httpx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.kit.deliveries import Deliveries, DeliveryPlan

Json: TypeAlias = dict[str, Any]

CERTIFICATE: Final = "/v1/notifications/certs/CERT-simulated"
ROOT: Final = "/v1/notifications/certs/ROOT-simulated"
_NAME: Final = "messageverificationcerts.paypal.com"


class WebhookPlan(DeliveryPlan, frozen=True, kw_only=True):
    """How deliveries misbehave, and when slow things happen.

    Attributes:
        settle_s: A pending capture, and a pending refund, is under way so long.
        refund_pending: Whether refunds are under way at first.
    """

    settle_s: float = 5.0
    refund_pending: bool = False


class Webhooks(Deliveries[WebhookPlan, httpx.Request]):
    """Deliveries of one webhook.

    Args:
        url: Where events go; empty for nowhere.
        webhook_id: Part of what is signed.
        origin: Where the certificate is served.
    """

    def __init__(self, url: str, webhook_id: str, origin: str) -> None:
        super().__init__(WebhookPlan())
        self._url = url
        self._webhook_id = webhook_id
        self._origin = origin

    def emit(self, event_type: str, resource: Json, now: float) -> None:
        """Queue an event."""
        if not self._url:
            return
        request = self._event(event_type, resource, now)
        self.put(request, now)

    def _event(self, event_type: str, resource: Json, now: float) -> httpx.Request:
        event_id, transmission = f"WH-{uuid.uuid4().hex[:17].upper()}", str(uuid.uuid4())
        content = {
            "id": event_id,
            "event_version": "1.0",
            "create_time": moment(now),
            "resource_type": event_type.rsplit(".", 2)[-2].lower(),
            "resource_version": "2.0",
            "event_type": event_type,
            "summary": event_type,
            "resource": resource,
            "links": [],
        }
        body = json.dumps(content, separators=(",", ":")).encode()
        text = f"{transmission}|{moment(now)}|{self._webhook_id}|{zlib.crc32(body)}"
        headers = {
            "Content-Type": "application/json",
            "PayPal-Transmission-Id": transmission,
            "PayPal-Transmission-Time": moment(now),
            "PayPal-Transmission-Sig": sign(text),
            "PayPal-Cert-Url": f"{self._origin}{CERTIFICATE}",
            "PayPal-Auth-Algo": "SHA256withRSA",
        }
        return httpx.Request("POST", self._url, headers=headers, content=body)


def moment(now: float) -> str:
    """A time as PayPal writes it."""
    return dt.datetime.fromtimestamp(now, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def sign(text: str) -> str:
    """The signature of a text, in Base64."""
    signature = _pair()[0].sign(text.encode(), padding.PKCS1v15(), SHA256())
    return base64.b64encode(signature).decode()


def certificate() -> bytes:
    """PEM of what the signatures are checked by."""
    return _pair()[1]


def root() -> bytes:
    """PEM of the authority, to be trusted by whoever is tested."""
    return _authority()[1]


@functools.cache
def _authority() -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key, _issued(key, "PayPal Simulator Root", key, "PayPal Simulator Root", authority=True)


@functools.cache
def _pair() -> tuple[rsa.RSAPrivateKey, bytes]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    return key, _issued(key, _NAME, _authority()[0], "PayPal Simulator Root", authority=False)


def _issued(
    key: rsa.RSAPrivateKey, name: str, by: rsa.RSAPrivateKey, issuer: str, *, authority: bool
) -> bytes:
    subject, signer = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, issuer)
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2044, 12, 31, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .sign(by, SHA256())
    )
    return made.public_bytes(Encoding.PEM)
