"""A certificate authority of our own, because PayPal's private key is not to be had."""

import base64
import datetime as dt
import functools
import zlib
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.ports.notification import Notification

ADDRESS = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594"
NAME = "messageverificationcerts.paypal.com"


class Signer(NamedTuple):
    """A certificate with its key, and the chain that leads to a root."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(Encoding.PEM)


@functools.cache
def _key(name: str) -> rsa.RSAPrivateKey:
    del name  # one key for each name, made once
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@functools.cache
def signer(
    name: str,
    issuer: Signer | None = None,
    *,
    authority: bool = False,
    years: tuple[int, int] = (2025, 2034),
) -> Signer:
    """A certificate for this name; without an issuer it vouches for itself."""
    key = _key(name)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(dt.datetime(years[0], 1, 1, tzinfo=dt.UTC))
        .not_valid_after(dt.datetime(years[1], 12, 31, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    return Signer(key, builder.sign(issuer.key if issuer else key, SHA256()))


def root(name: str = "Test Root") -> Signer:
    """Whom a system may trust."""
    return signer(name, authority=True)


def between() -> Signer:
    """An authority under the root."""
    return signer("Test Intermediate", root(), authority=True)


def delivery(
    webhook_id: str,
    body: bytes,
    by: Signer | None = None,
    *,
    chain: tuple[Signer, ...] | None = None,
    address: str = ADDRESS,
    time: str = "2026-01-01T00:00:00Z",
) -> Notification:
    """A delivery as PayPal signs it, with its certificates as they were fetched."""
    by = by or signer(NAME, between())
    text = f"b2c3|{time}|{webhook_id}|{zlib.crc32(body)}".encode()
    signature = by.key.sign(text, padding.PKCS1v15(), SHA256())
    headers = (
        ("paypal-auth-algo", "SHA256withRSA"),
        ("paypal-cert-url", address),
        ("paypal-transmission-id", "b2c3"),
        ("paypal-transmission-time", time),
        ("paypal-transmission-sig", base64.b64encode(signature).decode()),
    )
    sent = (by, between()) if chain is None else (by, *chain)
    return Notification(headers=headers, body=body, keys=b"".join(one.pem for one in sent))
