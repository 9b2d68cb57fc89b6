"""Signatures under a certificate: whose chain, whose name, which time, whose key."""

import base64
import datetime as dt

import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from gateway.errors import Misconfigured, Rejected
from gateway.kit.signatures import certificates
from tests.adapters.paypal.authority import NAME, Signer, between, root, signer

NOW = dt.datetime(2026, 3, 1, tzinfo=dt.UTC).timestamp()
_MESSAGE = b"a|b|c|1"


def judge(
    *chain: Signer,
    by: Signer | None = None,
    trusted: Signer | None = None,
    now: float = NOW,
    message: bytes = _MESSAGE,
    signature: str | None = None,
) -> str:
    """The code with which the message is refused; empty when it is accepted."""
    made = (by or chain[0]).key.sign(_MESSAGE, padding.PKCS1v15(), SHA256())
    try:
        certificates.verify(
            b"".join(one.pem for one in chain),
            message,
            base64.b64encode(made).decode() if signature is None else signature,
            store=certificates.store_of((trusted or root()).pem.decode()),
            domain=".paypal.com",
            now=now,
        )
    except Rejected as error:
        return error.code
    return ""


def test_a_whole_chain_is_accepted() -> None:
    """With the intermediate in any place behind the signer's, and with strangers beside it."""
    leaf, stranger = signer(NAME, between()), root("Somebody")

    assert "" == judge(leaf, between())
    assert "" == judge(leaf, stranger, between(), root())


def test_other_names_are_refused() -> None:
    """The vendor's certificates are below its domain, not beside it."""
    for name in ("paypal.com", "evil.example", "xpaypal.com", "a.paypal.com.evil.example", "*"):
        assert "certificate_name" == judge(signer(name, between()), between())
    assert "" == judge(signer("A.PayPal.com", between()), between())


def test_other_chains_are_refused() -> None:
    """Nobody vouches, somebody else does, or the one between is missing."""
    leaf = signer(NAME, between())

    assert "certificate_untrusted" == judge(signer(NAME))
    assert "certificate_untrusted" == judge(leaf)
    assert "certificate_untrusted" == judge(signer(NAME, root("Evil")), root("Evil"))
    assert "certificate_untrusted" == judge(leaf, between(), trusted=root("Other"))


def test_a_certificate_without_authority_vouches_for_nobody() -> None:
    """Whoever has any certificate under the root could else make one for the vendor's name."""
    anybody = signer("shop.example", between())
    forged = signer(NAME, anybody)

    assert "certificate_untrusted" == judge(forged, anybody, between())


def test_the_chain_is_valid_when_the_message_comes() -> None:
    """Not before and not after, on the second."""
    leaf = signer(NAME, between(), years=(2026, 2026))
    end = dt.datetime(2026, 12, 31, tzinfo=dt.UTC).timestamp()

    assert "" == judge(leaf, between(), now=end)
    assert "certificate_untrusted" == judge(leaf, between(), now=end + 1)
    assert "certificate_untrusted" == judge(
        leaf, between(), now=dt.datetime(2025, 12, 31, 23, 59, tzinfo=dt.UTC).timestamp()
    )


def test_other_signatures_are_refused() -> None:
    """Another key, another message, another hash, no Base64, nothing."""
    leaf = signer(NAME, between())
    weak = leaf.key.sign(_MESSAGE, padding.PKCS1v15(), SHA1())  # noqa: S303 - what must not pass

    assert "signature_invalid" == judge(leaf, between(), by=signer("b.paypal.com", between()))
    assert "signature_invalid" == judge(leaf, between(), message=b"a|b|c|2")
    for signature in (base64.b64encode(weak).decode(), "", "=", "é", "AAAA", "A" * 10_000):
        assert "signature_invalid" == judge(leaf, between(), signature=signature)


@pytest.mark.parametrize("chain", [b"", b"no certificate", b"\xff", b"-----BEGIN CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused(chain: bytes) -> None:
    """Whatever the vendor's host answered."""
    with pytest.raises(Rejected) as refused:
        certificates.verify(
            chain, b"", "", store=certificates.store_of(root().pem.decode()), domain="", now=NOW
        )

    assert "certificate_unreadable" == refused.value.code


def test_a_long_chain_is_refused() -> None:
    """Building paths through a heap of certificates costs more than a stranger may ask for."""
    assert "certificate_unreadable" == judge(signer(NAME, between()), *[between()] * 8)


def test_roots_are_those_of_mozilla_or_of_the_settings() -> None:
    """What is no certificate is a mistake in the settings."""
    assert certificates.store_of("")
    with pytest.raises(Misconfigured):
        certificates.store_of("no certificate")
