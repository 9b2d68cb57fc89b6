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

from adapters.paypal.simulator_rules import Refusal
from gateway.kit.deliveries import Deliveries, DeliveryPlan

Json: TypeAlias = dict[str, Any]

CERTIFICATE: Final = "/v1/notifications/certs/CERT-simulated"
ROOT: Final = "/v1/notifications/certs/ROOT-simulated"
_QUERY: Final = frozenset(
    {"page_size", "start_time", "end_time", "move_to", "index_time", "index_id"}
)
_MOST: Final = 300
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
    """Events of one app, and their deliveries to one webhook.

    Attributes:
        events: Everything that happened, oldest first.

    Args:
        url: Where events go; empty for nowhere.
        webhook_id: Part of what is signed.
        origin: Where the certificate is served.
    """

    def __init__(self, url: str, webhook_id: str, origin: str) -> None:
        super().__init__(WebhookPlan())
        self.events: list[Json] = []
        self._url = url
        self._webhook_id = webhook_id
        self._origin = origin

    def emit(self, event_type: str, resource: Json, now: float) -> None:
        """Keep an event and queue its deliveries."""
        event = {
            "id": f"WH-{uuid.uuid4().hex[:17].upper()}",
            "event_version": "1.0",
            "create_time": moment(now),
            "resource_type": event_type.rsplit(".", 2)[-2].lower(),
            "resource_version": "2.0",
            "event_type": event_type,
            "summary": event_type,
            "resource": resource,
            "links": [],
        }
        self.events.append(event)
        if self._url:
            self.put(self._signed(event, now), now)

    def page(self, query: httpx.QueryParams) -> Json:
        """One page of the events, the newest first."""
        size, index = query.get("page_size", "10"), query.get("index_id", str(len(self.events)))
        if set(query) - _QUERY or not size.isdigit() or not 1 <= int(size) <= _MOST:
            raise Refusal(400, "INVALID_PARAMETER")
        if not index.isdigit() or ("move_to" in query) != ("index_time" in query):
            raise Refusal(400, "INVALID_PARAMETER")
        start, end = query.get("start_time", ""), query.get("end_time", "9")
        # Times of one form are in the order of their texts.
        wanted = [
            (number, one)
            for number, one in enumerate(self.events[: int(index)])
            if start <= one["create_time"] <= end
        ][::-1]
        shown = wanted[: int(size)]
        links = []
        if len(wanted) > len(shown):
            number, last = shown[-1]
            place = {"move_to": "next", "index_time": last["create_time"], "index_id": number}
            params = query.remove("index_time").remove("index_id").merge(place)
            url = f"{self._origin}/v1/notifications/webhooks-events/?{params}"
            links.append({"href": url, "rel": "next", "method": "GET"})
        return {"events": [one for _, one in shown], "count": len(shown), "links": links}

    def _signed(self, event: Json, now: float) -> httpx.Request:
        transmission = str(uuid.uuid4())
        body = json.dumps(event, separators=(",", ":")).encode()
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
