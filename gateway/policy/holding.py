"""Holding mandates at providers: what is asked for, what becomes of it, and what is paid by it."""

from collections.abc import Container, Iterator, Mapping
from typing import Final

import msgspec

from gateway.kit.sepa import identifiers
from gateway.model.event import Event
from gateway.model.held_mandate import (
    DebtorAccount,
    HeldMandate,
    NewHeldMandate,
    ProviderMandate,
    Signing,
)
from gateway.model.instruction import PaymentInstruction
from gateway.model.mandate import MANDATE_STATES, MandateState
from gateway.model.payment import PaymentFailure
from gateway.model.reference import EntityKind, ExternalReference
from gateway.policy.mandating import WORD_OF
from gateway.policy.validation import FieldError, Invalid, read

_S = MandateState
ENDED: Final = frozenset({_S.REVOKED, _S.EXPIRED, _S.FAILED})
_SHOWN: Final = 4
_HERE: Final = "/payment/mandate_id"


class _Meant(msgspec.Struct, frozen=True):
    method_code: object = None
    system: object = None
    signed_at: object = None


_MEANT: Final = msgspec.json.Decoder(_Meant)


def is_meant(body: bytes, systems: Container[str]) -> bool:
    """Whether a request for a mandate means one that a provider holds.

    Ours name no method, and the day on which they were signed.

    Args:
        systems: Those that hold mandates.
    """
    try:
        found = _MEANT.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    named = isinstance(found.system, str) and found.system in systems
    return (named and found.signed_at is None) or found.method_code is not None


def read_mandate(
    body: bytes, *, signing: Mapping[str, Mapping[str, frozenset[Signing]]]
) -> NewHeldMandate:
    """The mandate that a provider is to be asked for.

    Args:
        signing: For each system that holds mandates, and each method, how a payer can agree.

    Raises:
        Invalid: With everything that is wrong.
    """

    def rules(new: NewHeldMandate) -> Iterator[FieldError]:
        methods = signing.get(new.system)
        if methods is None:
            known = ", ".join(sorted(signing)) or "none is configured"
            yield FieldError("/system", "no_mandates", f"Send one of: {known}.")
        elif new.method_code not in methods:
            detail = f"This system holds mandates for {', '.join(sorted(methods))}."
            yield FieldError("/method_code", "method_unsupported", detail)
        else:
            yield from _signing_errors(new, methods[new.method_code])
        if new.iban and (fault := identifiers.payable_fault(new.iban)):
            detail = "Send an IBAN of the SEPA zone; its checksum has to fit."
            yield FieldError("/iban", fault, detail)

    return read(body, NewHeldMandate, rules)


def of_request(new: NewHeldMandate, *, mandate_id: str, at: str) -> HeldMandate:
    """The mandate before its provider has heard of it.

    Args:
        at: ISO 8601 in UTC.
    """
    iban = identifiers.compact(new.iban)
    given = DebtorAccount(debtor_name=new.debtor_name, iban=iban, email=new.email)
    return HeldMandate(
        mandate_id=mandate_id,
        system=new.system,
        method_code=new.method_code,
        customer_id=new.customer_id,
        return_url=new.return_url,
        account=given if new.iban or new.email or new.debtor_name else None,
        iban="*" * 8 + iban[-_SHOWN:] if iban else "",
        requested_at=at,
    )


def without_account(mandate: HeldMandate) -> HeldMandate:
    """The mandate as it is shown, and written into a journal: nobody's name and no account."""
    return msgspec.structs.replace(mandate, account=None)


def apply(mandate: HeldMandate, said: ProviderMandate) -> tuple[HeldMandate, tuple[Event, ...]]:
    """The mandate after its provider's word, which holds the account from now on.

    Words are read one after the other, so the later one counts, as far as the table of states
    leads there: what has ended stays so.
    """
    moves = MANDATE_STATES.allows(mandate.state, said.state)
    state = said.state if moves else mandate.state
    waits = state is _S.PENDING
    changed = msgspec.structs.replace(
        without_account(mandate),
        state=state,
        request_ref=said.request_ref or mandate.request_ref,
        provider_ref=said.provider_ref or mandate.provider_ref,
        token=said.token or mandate.token,
        next_action=(said.next_action or mandate.next_action) if waits else None,
        failure=said.failure if moves else mandate.failure,
    )
    return changed, _news(mandate, changed)


def refused(mandate: HeldMandate, failure: PaymentFailure) -> tuple[HeldMandate, tuple[Event, ...]]:
    """The mandate that its provider does not want."""
    return _ended(mandate, _S.FAILED, failure)


def given_up(mandate: HeldMandate) -> tuple[HeldMandate, tuple[Event, ...]]:
    """The mandate that nobody was asked for after all."""
    return _ended(mandate, _S.REVOKED, None)


def revoking(mandate: HeldMandate, *, at: str) -> HeldMandate:
    """The mandate that was taken back here; its provider is told next.

    Args:
        at: ISO 8601 in UTC.
    """
    return msgspec.structs.replace(mandate, revoke_requested_at=at)


def is_known(mandate: HeldMandate) -> bool:
    """Whether the provider has answered with a name of its own, by which it can be asked."""
    return bool(mandate.request_ref or mandate.provider_ref)


def pay_with(
    instruction: PaymentInstruction, mandate: HeldMandate, *, customer_id: str
) -> PaymentInstruction:
    """The instruction with the provider and the token of the mandate that it names.

    Args:
        customer_id: Who pays; empty where nobody is known.

    Raises:
        Invalid: It cannot be collected by it.
    """
    errors = tuple(
        FieldError(place, rule, detail)
        for place, rule, detail, is_wrong in (
            (
                _HERE,
                f"mandate_{mandate.state.lower()}",
                "Send a mandate that can be collected by; show it to see its state.",
                mandate.state is not _S.ACTIVE,
            ),
            (
                _HERE,
                "mandate_revoked",
                "It was taken back; ask for another one.",
                mandate.state is _S.ACTIVE and bool(mandate.revoke_requested_at),
            ),
            (
                _HERE,
                "mandate_method",
                f"It is for {mandate.method_code}; send that as /payment/method_code.",
                instruction.method_code != mandate.method_code,
            ),
            (
                _HERE,
                "mandate_provider",
                "Leave /payment/provider out, or name the system of the mandate.",
                instruction.provider not in {"", mandate.system},
            ),
            (
                _HERE,
                "mandate_customer",
                "Send one of the payer's own.",
                bool(customer_id) and customer_id != mandate.customer_id,
            ),
            (
                "/payment/token",
                "mandate_token",
                "Leave it out: the mandate has one.",
                bool(instruction.token),
            ),
        )
        if is_wrong
    )
    if errors:
        raise Invalid(errors)
    return msgspec.structs.replace(instruction, provider=mandate.system, token=mandate.token)


def event(mandate: HeldMandate, word: str) -> Event:
    """The event of a mandate; no token and nobody's account."""
    return Event(
        type=f"headrace.mandate.{word}.v1",
        aggregate="mandate",
        aggregate_id=mandate.mandate_id,
        data={
            "state": mandate.state.value,
            "method_code": mandate.method_code,
            "system": mandate.system,
            "customer_id": mandate.customer_id,
            "failure": mandate.failure.code if mandate.failure else None,
        },
    )


def references(mandate: HeldMandate) -> tuple[ExternalReference, ...]:
    """What its provider calls the mandate, and the request for it."""
    named = {
        EntityKind.MANDATE: mandate.provider_ref,
        EntityKind.MANDATE_REQUEST: mandate.request_ref,
    }
    return tuple(
        ExternalReference(
            entity=kind,
            entity_id=mandate.mandate_id,
            system=mandate.system,
            external_id=external_id,
        )
        for kind, external_id in named.items()
        if external_id
    )


def _signing_errors(new: NewHeldMandate, ways: frozenset[Signing]) -> Iterator[FieldError]:
    """What is missing for the ways in which a payer can agree; the account goes first."""
    by_account = Signing.ACCOUNT in ways and bool(new.iban or Signing.PAGE not in ways)
    if by_account and not new.iban:
        yield FieldError("/iban", "required", "Send the account that the payer has named.")
    if by_account and not new.debtor_name.strip():
        yield FieldError("/debtor_name", "required", "Send whose account it is.")
    if not by_account and new.iban:
        detail = "Leave it out: the payer gives it on the provider's page."
        yield FieldError("/iban", "account_unsupported", detail)
    if not by_account and not new.return_url:
        detail = "Send where the payer comes back to."
        yield FieldError("/return_url", "return_url_missing", detail)


def _ended(
    mandate: HeldMandate, state: MandateState, failure: PaymentFailure | None
) -> tuple[HeldMandate, tuple[Event, ...]]:
    if mandate.state is not _S.PENDING:
        return mandate, ()
    changed = msgspec.structs.replace(
        without_account(mandate), state=state, failure=failure, next_action=None
    )
    return changed, _news(mandate, changed)


def _news(before: HeldMandate, now: HeldMandate) -> tuple[Event, ...]:
    word = WORD_OF.get(now.state)
    if word is None or before.state is now.state:
        return ()
    return (event(now, word),)
