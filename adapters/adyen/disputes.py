"""Disputes: claims of payers, accepted or contested through the Disputes API.

Source: docs.adyen.com/risk-management/disputes-api, DisputeService v30, read 2026-11.
"""

import base64
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from adapters.adyen import wire
from adapters.adyen.settings import Settings
from gateway.errors import Rejected
from gateway.kit import mapping, pages
from gateway.model.dispute import DisputeAnswer, DisputeState, ProviderDispute
from gateway.model.money import Money
from gateway.model.movement import MovementKind
from gateway.model.payment import Payment
from gateway.ports.exchange import Exchange

# Material of any kind, where Adyen takes it for a claim.
_GENERIC: Final = "SupplyDefenseMaterial"
# Whose absence keeps a defence from being sent, the strictest first.
_NEEDED: Final = ("Required", "AlternativeRequired", "OneOrMore")
_SECOND: Final = "-2"


class _Result(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    success: bool
    error_message: str = ""


class _Done(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    dispute_service_result: _Result


class _Document(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    defense_document_type_code: str
    requirement_level: str
    available: bool


class _Reason(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    defense_reason_code: str
    satisfied: bool
    defense_document_types: tuple[_Document, ...] = ()


class _Reasons(_Done, frozen=True, kw_only=True, rename="camel"):
    defense_reasons: tuple[_Reason, ...] = ()


_DONE: Final = msgspec.json.Decoder(_Done)
_REASONS: Final = msgspec.json.Decoder(_Reasons)


class AdyenDisputes:
    """The disputes of one merchant account."""

    def __init__(
        self,
        settings: Settings,
        mappings: Mapping[str, mapping.Mapping] | None = None,  # noqa: ARG002 - nothing to translate
    ) -> None:
        self._wire = wire.Wire(settings, base_url=settings.disputes_url)
        self._account = settings.merchant_account

    def find_dispute(self, payment: Payment, provider_ref: str) -> Exchange[ProviderDispute | None]:  # noqa: ARG002 - nobody can be asked
        """Nothing: the API tells how a claim can be contested, not how it stands; webhooks do."""
        yield from ()
        return None

    def accept_dispute(
        self,
        payment: Payment,
        provider_ref: str,
        *,
        key: str,  # noqa: ARG002 - the API knows none; accepted is accepted
    ) -> Exchange[ProviderDispute]:
        """Not contest it; saying so again changes nothing."""
        amount = _amount(payment, provider_ref)
        yield from self._do("/acceptDispute", provider_ref)
        return _said(provider_ref, amount, DisputeState.ACCEPTED)

    def submit_evidence(
        self,
        payment: Payment,
        provider_ref: str,
        evidence: DisputeAnswer,
        *,
        key: str,  # noqa: ARG002 - the API knows none; what is there is not sent again
    ) -> Exchange[ProviderDispute]:
        """Contest it for one of the reasons that Adyen takes, with our words on a page.

        Raises:
            Rejected: A reason that is not taken, files, or more documents than a text can be.
        """
        amount = _amount(payment, provider_ref)
        if evidence.files:
            message = "files: upload them in Adyen's Customer Area; those are used as they are."
            raise Rejected(message, code="files_unsupported")
        page = _page(evidence.text)
        request = self._wire.ask("/retrieveApplicableDefenseReasons", self._body(provider_ref))
        found = wire.read((yield request), _REASONS, wrote=False)
        _check(found.dispute_service_result)
        reason = _chosen(found.defense_reasons, evidence.reason)
        kind = "" if reason.satisfied else _missing(reason)
        if kind and not page:
            raise Rejected("text: Adyen wants a document for this reason.", code="text_missing")
        if kind:
            document = {
                "content": page,
                "contentType": "application/pdf",
                "defenseDocumentTypeCode": kind,
            }
            yield from self._do("/supplyDefenseDocument", provider_ref, defenseDocuments=[document])
        code = reason.defense_reason_code
        yield from self._do("/defendDispute", provider_ref, defenseReasonCode=code)
        return _said(provider_ref, amount, DisputeState.UNDER_REVIEW)

    def _do(self, path: str, provider_ref: str, **fields: object) -> Exchange[None]:
        response = yield self._wire.ask(path, self._body(provider_ref, **fields))
        _check(wire.read(response, _DONE, wrote=True).dispute_service_result)

    def _body(self, provider_ref: str, **fields: object) -> bytes:
        """Named as Adyen names the claim: a second chargeback is the same one for it."""
        named = {
            "merchantAccountCode": self._account,
            "disputePspReference": provider_ref.removesuffix(_SECOND),
        }
        return msgspec.json.encode(named | fields)


def _check(result: _Result) -> None:
    if not result.success:
        raise Rejected("Adyen does not take this for the dispute.", code="dispute_refused")


def _amount(payment: Payment, provider_ref: str) -> Money:
    for one in payment.movements:
        if one.kind is MovementKind.DISPUTE and one.ref == provider_ref:
            return one.amount
    raise Rejected("The payment has no such dispute.", code="dispute_missing")


def _said(provider_ref: str, amount: Money, state: DisputeState) -> ProviderDispute:
    return ProviderDispute(provider_ref=provider_ref, state=state, amount=amount)


def _page(text: str) -> str:
    """The text as a document; empty where there is none."""
    if not text.strip():
        return ""
    try:
        return base64.b64encode(pages.of_text(text)).decode("ascii")
    except ValueError as error:
        message = "text: Adyen takes documents only, and our pages have Latin letters only."
        raise Rejected(message, code="text_unsupported") from error


def _chosen(reasons: Iterable[_Reason], wanted: str) -> _Reason:
    """The reason that was named; else the only one, or that for material of any kind."""
    known = {one.defense_reason_code: one for one in reasons}
    if wanted:
        found = known.get(wanted)
    else:
        found = next(iter(known.values())) if len(known) == 1 else known.get(_GENERIC)
    if found is None:
        message = f"reason: send one of {', '.join(sorted(known)) or 'none: it takes no defence'}."
        raise Rejected(message, code="reason_unsupported")
    return found


def _missing(reason: _Reason) -> str:
    """The kind of document that is still wanted.

    Raises:
        Rejected: There are several; one text cannot be all of them.
    """
    for level in _NEEDED:
        kinds = [one for one in reason.defense_document_types if one.requirement_level == level]
        wanted = [one for one in kinds if not one.available]
        if level == "Required" and len(wanted) > 1:
            message = "reason: Adyen wants several documents; upload them in its Customer Area."
            raise Rejected(message, code="documents_missing")
        if wanted and (level == "Required" or len(wanted) == len(kinds)):
            return wanted[0].defense_document_type_code
    return ""
