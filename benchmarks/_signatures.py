"""Genuine deliveries of every scheme, 2 KB each, and what it costs to verify one."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import time
import zlib
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import Encoding

from gateway import configuring
from gateway.ports.notification import Notification

NOW: Final = 1_772_442_000
BODY: Final = json.dumps({"id": "1", "type": "x", "text": "x" * 2_000}).encode()
_KEY: Final = "5FAF1C66E0022591EEFE896B8E3D62138D79C90CB642A116B8D730D29220B718"
_SECRET: Final = "c2VjcmV0"  # noqa: S105 - invented
Given = tuple[str, dict[str, Any], Notification]


def measure(seconds: float) -> dict[str, float]:
    """Microseconds for each scheme; the fastest of several rounds, because others disturb."""
    found = {}
    for name, (product, settings, notification) in deliveries().items():
        adapter = configuring.load_adapter(product)
        port = adapter.port("webhooks", adapter.settings(**settings))
        found[name] = _best(lambda port=port, n=notification: port.verify(n, now=NOW), seconds)
    return found


def _best(verify: Callable[[], object], seconds: float) -> float:
    verify()
    best, until = float("inf"), time.perf_counter() + seconds
    while time.perf_counter() < until:
        started = time.perf_counter()
        for _ in range(20):
            verify()
        best = min(best, (time.perf_counter() - started) / 20 * 1e6)
    return best


def deliveries() -> dict[str, Given]:
    """Scheme to adapter, settings and delivery."""
    plain, whole = _mac(BODY), base64.b64encode(_mac(BODY, bytes.fromhex(_KEY))).decode()
    adyen = {"api_key": "k", "merchant_account": "A", "webhook_secrets": (_KEY,)}
    payone = {"merchant_id": "P", "api_key_id": "k", "api_secret": "s", "webhook_key_ids": ("k",)}
    keys = {"webhook_secrets": (_SECRET,)}
    stripe = f"t={NOW},v1={_mac(b'%d.%s' % (NOW, BODY)).hex()}"
    standard = base64.b64encode(_mac(b"i.%d.%s" % (NOW, BODY), b"secret")).decode()
    return {
        "GitHub": (
            "webhook",
            {"scheme": "github", **keys},
            _with(("x-hub-signature-256", f"sha256={plain.hex()}")),
        ),
        "GoCardless": (
            "gocardless",
            {"access_token": "t", **keys},
            _with(("webhook-signature", plain.hex())),
        ),
        "Mollie": ("mollie", {"api_key": "k", **keys}, _with(("x-mollie-signature", plain.hex()))),
        "Stripe": ("stripe", {"secret_key": "k", **keys}, _with(("stripe-signature", stripe))),
        "Standard Webhooks": (
            "webhook",
            {"scheme": "standard_webhooks", **keys},
            _with(
                ("webhook-id", "i"),
                ("webhook-timestamp", str(NOW)),
                ("webhook-signature", f"v1,{standard}"),
            ),
        ),
        "PAYONE": (
            "payone",
            {**payone, **keys},
            _with(
                ("x-gcs-signature", base64.b64encode(plain).decode()),
                ("x-gcs-keyid", "k"),
            ),
        ),
        "Adyen, platform": ("adyen", adyen, _with(("hmacsignature", whole))),
        "Adyen, 5 items": ("adyen", adyen, Notification(body=_items())),
        "Braintree": ("webhook", {"scheme": "braintree", "public_key": "p", **keys}, _braintree()),
        "TrueLayer": ("webhook", {"scheme": "truelayer"}, _truelayer()),
        "PayPal": _paypal(),
    }


def _mac(message: bytes, key: bytes = _SECRET.encode()) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def _with(*headers: tuple[str, str], body: bytes = BODY, keys: bytes = b"") -> Notification:
    return Notification(target="/hook", headers=headers, body=body, keys=keys)


def _items() -> bytes:
    """Source: Adyen 16.0.0 (``util.py``)."""
    signature = _mac(b"1::A:r:1999:EUR:CAPTURE:true", bytes.fromhex(_KEY))
    item = {
        "additionalData": {"hmacSignature": base64.b64encode(signature).decode()},
        "amount": {"currency": "EUR", "value": 1999},
        "eventCode": "CAPTURE",
        "merchantAccountCode": "A",
        "merchantReference": "r",
        "pspReference": "1",
        "success": "true",
        "reason": "x" * 200,
    }
    return json.dumps({"notificationItems": [{"NotificationRequestItem": item}] * 5}).encode()


def _braintree() -> Notification:
    """Source: braintree 4.48.0 (``crypto.py``)."""
    payload = base64.encodebytes(BODY).decode()
    key = hashlib.sha1(_SECRET.encode()).digest()  # noqa: S324 - Braintree's algorithm
    digest = hmac.new(key, payload.encode(), hashlib.sha1).hexdigest()
    form = urlencode({"bt_signature": f"p|{digest}", "bt_payload": payload})
    return _with(body=form.encode())


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _truelayer() -> Notification:
    """Source: truelayer-signing 0.4.0."""
    key = ec.generate_private_key(ec.SECP521R1())
    head = _text(json.dumps({"alg": "ES512", "kid": "k", "tl_version": "2"}).encode())
    payload = b"POST /hook\n" + BODY
    text = f"{head}.{_text(payload)}"
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(SHA512())))
    numbers = key.public_key().public_numbers()
    x, y = (_text(one.to_bytes(66)) for one in (numbers.x, numbers.y))
    keys = {"keys": [{"kid": "k", "kty": "EC", "crv": "P-521", "x": x, "y": y}]}
    signature = f"{head}..{_text(r.to_bytes(66) + s.to_bytes(66))}"
    return _with(("tl-signature", signature), keys=json.dumps(keys).encode())


def _paypal() -> Given:
    """Source: paypalrestsdk 1.13.3 (``webhooks.py``)."""
    root_key, root = _certificate("Root")
    key, leaf = _certificate("certs.paypal.com", issuer=(root_key, root))
    text = f"i|t|w|{zlib.crc32(BODY)}".encode()
    signature = base64.b64encode(key.sign(text, padding.PKCS1v15(), SHA256())).decode()
    roots = root.public_bytes(Encoding.PEM).decode()
    settings = {
        "client_id": "c",
        "client_secret": _SECRET,
        "webhook_id": "w",
        "trusted_roots": roots,
    }
    notification = _with(
        ("paypal-auth-algo", "SHA256withRSA"),
        ("paypal-transmission-id", "i"),
        ("paypal-transmission-time", "t"),
        ("paypal-transmission-sig", signature),
        keys=leaf.public_bytes(Encoding.PEM),
    )
    return "paypal", settings, notification


def _certificate(
    name: str, issuer: tuple[rsa.RSAPrivateKey, x509.Certificate] | None = None
) -> tuple[rsa.RSAPrivateKey, x509.Certificate]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(2025, 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(2034, 12, 31, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    return key, builder.sign(issuer[0] if issuer else key, SHA256())
