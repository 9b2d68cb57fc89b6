"""Agreements of wallets: a setup token that the payer approves, and what the vault makes of it."""

import base64
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import httpx
import msgspec

from adapters.paypal import translation, wire
from adapters.paypal.settings import Settings
from adapters.paypal.translation import Translation
from gateway.errors import InDoubt, Rejected
from gateway.kit import mapping
from gateway.kit.adapter import segment
from gateway.kit.answers import believed, mismatch
from gateway.model.held_mandate import HeldMandate, ProviderMandate, Signing
from gateway.model.mandate import MandateState
from gateway.ports.exchange import Exchange

_SETUPS: Final = "/v3/vault/setup-tokens"
_TOKENS: Final = "/v3/vault/payment-tokens"
_VERSION: Final = 7  # of the UUIDs that our ids are
# Setup tokens that the payer has approved; by some the vault has made a token already.
_APPROVED: Final = frozenset({"APPROVED", "VAULTED", "TOKENIZED"})


class _Customer(msgspec.Struct, frozen=True):
    id: str = ""


class _Vaulted(msgspec.Struct, frozen=True, kw_only=True):
    """A setup token or a payment token: whose it is, and how far."""

    id: str
    status: str = ""
    customer: _Customer = _Customer()


class _Page(msgspec.Struct, frozen=True):
    payment_tokens: tuple[msgspec.Raw, ...] = ()


_VAULTED: Final = msgspec.json.Decoder(_Vaulted)
_PAGE: Final = msgspec.json.Decoder(_Page)


class PayPalMandates:
    """The agreements of one account.

    A customer of the vault has our id of the mandate, in the 22 characters that PayPal takes. So
    what was made is found by it, and an answer about another mandate is known for one.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    signing = MappingProxyType({"paypal_vault": frozenset({Signing.PAGE})})

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._wire = wire.Wire(settings)
        self._translation = Translation(mappings or translation.load(settings), settings)

    def create_mandate(
        self,
        mandate: HeldMandate,
        *,
        key: str,  # noqa: ARG002 - the look-up has to find it without
    ) -> Exchange[ProviderMandate]:
        """A setup token with the page on which the payer approves it."""
        if mandate.method_code not in self.signing:
            message = "method_code is nothing that PayPal holds agreements for through us."
            raise Rejected(message, code="method_unsupported")
        body = self._translation.setup_body(mandate, customer_of(mandate.mandate_id))
        response = yield self._wire.post(_SETUPS, body, key=f"{mandate.mandate_id}:setup")
        return self._setup(response, mandate, wrote=True)

    def find_mandate(self, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
        """The agreement that the vault has; else the setup token, which is completed here.

        Setup tokens cannot be searched. PayPal answers a key that it knows from its store, and one
        that never arrived is executed now: nobody has agreed to anything by that.
        """
        if not mandate.request_ref:
            return (yield from self.create_mandate(mandate, key=""))
        customer = customer_of(mandate.mandate_id)
        response = yield self._wire.get(f"{_TOKENS}?customer_id={customer}")
        if not wire.missing(response):
            known = wire.read(response, _PAGE, wrote=False).payment_tokens
            if known:
                return self._token(bytes(known[0]), mandate)
            if mandate.provider_ref:
                return ProviderMandate(state=MandateState.REVOKED)
        return None if mandate.provider_ref else (yield from self._approved(mandate))

    def revoke_mandate(self, mandate: HeldMandate, *, key: str) -> Exchange[ProviderMandate]:
        """Delete the agreement. A setup token has no such call: nobody completes it any more."""
        found = yield from self.find_mandate(
            msgspec.structs.replace(mandate, revoke_requested_at="now")
        )
        reference = found.provider_ref if found else mandate.provider_ref
        if reference:
            response = yield self._wire.delete(f"{_TOKENS}/{segment(reference)}", key=key)
            if not wire.missing(response):
                wire.check(response, wrote=True)
        return ProviderMandate(state=MandateState.REVOKED, provider_ref=reference)

    def _approved(self, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
        """What has become of the setup token."""
        response = yield self._wire.get(f"{_SETUPS}/{segment(mandate.request_ref)}")
        if wire.missing(response):
            return None
        found = wire.read(response, _VAULTED, wrote=False)
        wanted = mandate.state is MandateState.PENDING and not mandate.revoke_requested_at
        if found.status in _APPROVED and wanted:
            return (yield from self._completed(mandate))
        return self._setup(response, mandate, wrote=False)

    def _completed(self, mandate: HeldMandate) -> Exchange[ProviderMandate | None]:
        """What the payer has approved becomes an agreement, once, whoever looks how often."""
        body = self._translation.token_body(mandate)
        key = f"{mandate.mandate_id}:{mandate.request_ref}:token"
        response = yield self._wire.post(_TOKENS, body, key=key)
        wire.check(response, wrote=False)
        return self._token(response.content, mandate)

    def _setup(
        self, response: httpx.Response, mandate: HeldMandate, *, wrote: bool
    ) -> ProviderMandate:
        found = wire.read(response, _VAULTED, wrote=wrote)
        known = mandate.request_ref
        if (known and found.id != known) or not _is_of(found, mandate):
            raise mismatch("PayPal")
        return believed(lambda: self._translation.setup_in(response.content))

    def _token(self, body: bytes, mandate: HeldMandate) -> ProviderMandate:
        try:
            found = _VAULTED.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InDoubt("PayPal's answer cannot be read.", code="unreadable") from error
        if not _is_of(found, mandate):
            raise mismatch("PayPal")
        return believed(lambda: self._translation.token_in(body))


def customer_of(mandate_id: str) -> str:
    """Our id of a mandate as the customer of PayPal's vault: the same 16 bytes, 22 characters."""
    try:
        return base64.urlsafe_b64encode(uuid.UUID(mandate_id).bytes).decode("ascii").rstrip("=")
    except ValueError as error:
        raise Rejected("mandate_id is no UUID.", code="mandate_id") from error


def mandate_of(customer: str) -> str:
    """The reverse; empty for a customer of somebody else."""
    try:
        found = uuid.UUID(bytes=base64.urlsafe_b64decode(f"{customer}=="))
    except ValueError:
        return ""
    ours = found.version == _VERSION and customer_of(str(found)) == customer
    return str(found) if ours else ""


def _is_of(found: _Vaulted, mandate: HeldMandate) -> bool:
    return found.customer.id == customer_of(mandate.mandate_id)
