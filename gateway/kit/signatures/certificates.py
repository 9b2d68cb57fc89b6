"""Signatures under a certificate: the chain, the name, and RSA with SHA-256 over the message.

Source: cryptography's ``x509.verification``, and what paypalrestsdk 1.13.3 checks
(``notifications/webhooks.py``), read 2026-11.
"""

import base64
import binascii
import contextlib
import datetime as dt
import functools
import warnings
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from gateway.errors import Misconfigured, Rejected

_END: Final = b"-----END CERTIFICATE-----"
_MOST: Final = 8  # certificates in a chain that somebody sends us


def verify(
    chain: bytes, message: bytes, signature: str, *, store: Store, domain: str, now: float
) -> None:
    """Accept the message or raise.

    Args:
        chain: PEM, the signer's certificate first, intermediate ones behind it.
        signature: In Base64.
        store: Whom we trust; see ``store_of``.
        domain: The signer's common name lies below it, such as ``.paypal.com``.
        now: Seconds since the epoch, for the validity of the certificates.

    Raises:
        Rejected: The chain does not hold, is somebody else's, or the signature is not of it.
    """
    signer, *others = _read(chain)
    names = signer.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    if len(names) != 1 or not str(names[0].value).lower().endswith(domain):
        raise Rejected("The certificate is somebody else's.", code="certificate_name")
    moment = dt.datetime.fromtimestamp(now, dt.UTC)
    builder = PolicyBuilder().store(store).time(moment)
    builder = builder.extension_policies(ca_policy=_authority(), ee_policy=_anybody())
    try:
        builder.build_client_verifier().verify(signer, others)
    except VerificationError as error:
        raise Rejected("The certificate is not trusted.", code="certificate_untrusted") from error
    key = signer.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise Rejected("The certificate has no RSA key.", code="certificate_untrusted")
    try:
        key.verify(
            base64.b64decode(signature, validate=True), message, padding.PKCS1v15(), SHA256()
        )
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise Rejected("No signature matches.", code="signature_invalid") from error


@functools.lru_cache(maxsize=32)
def store_of(roots: str) -> Store:
    """Trusted roots; empty for those that Mozilla trusts.

    Args:
        roots: PEM.

    Raises:
        Misconfigured: There is no certificate in it.
    """
    if not roots:
        return _mozilla()
    try:
        return Store(x509.load_pem_x509_certificates(roots.encode()))
    except ValueError as error:
        raise Misconfigured("The trusted roots are no PEM.", code="certificates") from error


def _mozilla() -> Store:
    """Without the few old roots that break the rules for certificates, and with them the parser."""
    import certifi

    found = []
    for block in certifi.contents().encode().split(_END)[:-1]:
        broken = contextlib.suppress(ValueError, CryptographyDeprecationWarning)
        with warnings.catch_warnings(), broken:
            warnings.simplefilter("error", CryptographyDeprecationWarning)
            found.append(x509.load_pem_x509_certificate(block + _END))
    return Store(found)


@functools.lru_cache(maxsize=256)
def _read(chain: bytes) -> tuple[x509.Certificate, ...]:
    try:
        found = tuple(x509.load_pem_x509_certificates(chain))
    except ValueError as error:
        raise Rejected("The certificate cannot be read.", code="certificate_unreadable") from error
    if len(found) > _MOST:
        raise Rejected("The chain is too long.", code="certificate_unreadable")
    return found


def _anybody() -> ExtensionPolicy:
    """The name is checked by ourselves; who signs messages need not be a server."""
    return ExtensionPolicy.permit_all()


def _authority() -> ExtensionPolicy:
    """Only an authority vouches for others; the library looks into what has to be there."""
    return ExtensionPolicy.permit_all().require_present(
        x509.BasicConstraints, Criticality.AGNOSTIC, None
    )
