"""Mandates at providers: what is taken, what becomes of them in any order, what is paid by them."""

import itertools
from typing import Any

import msgspec
import pytest

from gateway.model import codec
from gateway.model.held_mandate import (
    DebtorAccount,
    HeldMandate,
    NewHeldMandate,
    ProviderMandate,
    Signing,
)
from gateway.model.instruction import PaymentInstruction
from gateway.model.mandate import MANDATE_STATES, MandateState
from gateway.model.payment import ActionKind, NextAction, PaymentFailure
from gateway.policy import holding
from gateway.policy.validation import Invalid

_S = MandateState
_IBAN = "DE89 3704 0044 0532 0130 00"
_PAGE = frozenset({Signing.PAGE})
_ACCOUNT = frozenset({Signing.ACCOUNT})
_SIGNING = {
    "gc": {"sepa_debit": _PAGE},
    "mollie": {"sepa_debit": _ACCOUNT, "card": _PAGE},
    "both": {"sepa_debit": _PAGE | _ACCOUNT},
}
_GIVEN: dict[str, str] = {"system": "gc", "method_code": "sepa_debit", "customer_id": "C-1"}
_BACK = {"return_url": "https://shop.example/back"}
_OWNER = {"iban": _IBAN, "debtor_name": "Erika Mustermann"}
_URL = NextAction(kind=ActionKind.REDIRECT, url="https://gc.example/1")


def _read(**fields: str) -> NewHeldMandate:
    return holding.read_mandate(codec.encode(_GIVEN | fields), signing=_SIGNING)


def _wrong(**fields: str) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        _read(**fields)
    return [(one.pointer, one.code) for one in caught.value.errors]


def _mandate(**fields: Any) -> HeldMandate:
    values = {"state": _S.ACTIVE, "token": "MD1", "provider_ref": "MD1"} | fields
    return HeldMandate(
        mandate_id="m-1",
        system="gc",
        method_code="sepa_debit",
        customer_id="C-1",
        requested_at="2026-11-22T12:00:00+00:00",
        **values,
    )


def test_page_or_account_as_the_provider_wants() -> None:
    """Where both are possible the account decides."""
    assert _read(**_BACK).return_url
    assert _read(system="mollie", **_OWNER).iban
    assert _read(system="both", **_BACK).return_url
    assert _read(system="both", **_OWNER).iban


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("/return_url", "return_url_missing")),
        ({**_BACK, **_OWNER}, ("/iban", "account_unsupported")),
        ({"system": "mollie"}, ("/iban", "required")),
        ({"system": "mollie", **_BACK}, ("/iban", "required")),
        ({"system": "mollie", "iban": _IBAN}, ("/debtor_name", "required")),
        ({"system": "both", "iban": _IBAN}, ("/debtor_name", "required")),
        ({"system": "both"}, ("/return_url", "return_url_missing")),
        ({"system": "bank"}, ("/system", "no_mandates")),
        ({"method_code": "ideal"}, ("/method_code", "method_unsupported")),
        (
            {"system": "mollie", **_OWNER, "iban": "DE88370400440532013000"},
            ("/iban", "iban_checksum"),
        ),
    ],
)
def test_what_is_missing_or_too_much(fields: dict[str, str], expected: tuple[str, str]) -> None:
    """Each with its pointer and its rule."""
    assert expected in _wrong(**fields)


@pytest.mark.parametrize(
    "body",
    [b'{"system": "bank"}', b'{"system": ["gc"]}', b"{", b"[]", b"\xff", b"[" * 100_000],
)
def test_method_or_holder_means_a_provider(body: bytes) -> None:
    """Anything else, and rubbish, is told by whoever reads mandates of our own."""
    assert holding.is_meant(b'{"method_code": "card"}', {"gc"})
    assert holding.is_meant(b'{"system": "gc"}', {"gc"})
    assert not holding.is_meant(body, {"gc"})


def test_account_is_kept_by_its_end_only_once_the_provider_has_answered() -> None:
    """Before that it is needed; nothing that is shown has it."""
    new = _read(system="mollie", **_OWNER, email="erika@example.com")
    mandate = holding.of_request(new, mandate_id="m-1", at="2026-11-22T12:00:00+00:00")
    assert mandate.account is not None
    assert ("DE89370400440532013000", "********3000") == (mandate.account.iban, mandate.iban)

    said = ProviderMandate(state=_S.ACTIVE, request_ref="cst_1", token="cst_1-mdt_1")
    later = [
        holding.apply(mandate, said)[0],
        holding.refused(mandate, PaymentFailure(code="refused"))[0],
        holding.given_up(mandate)[0],
        holding.without_account(mandate),
    ]

    for one in later:
        assert "Erika" not in codec.encode(one).decode()
        assert "53201" not in codec.encode(one).decode()
    assert "Erika" not in repr(mandate)
    assert "53201" not in repr(new)
    assert "********3000" == later[0].iban


def test_words_in_any_order_lead_where_the_table_leads() -> None:
    """What has ended stays so, and an event is told for each change of state."""
    for words in itertools.product(_S, repeat=3):
        now = _mandate(state=_S.PENDING)
        for word in words:
            before = now
            now, told = holding.apply(now, ProviderMandate(state=word))
            assert now.state is before.state or MANDATE_STATES.allows(before.state, now.state)
            assert (now.state is not before.state) == bool(told)
            if before.state in holding.ENDED:
                assert before.state is now.state


def test_page_is_kept_until_the_payer_has_agreed() -> None:
    """A look-up that names none leaves the known one."""
    asked, _ = holding.apply(
        _mandate(state=_S.PENDING), ProviderMandate(state=_S.PENDING, next_action=_URL)
    )
    again, told = holding.apply(asked, ProviderMandate(state=_S.PENDING, request_ref="BRQ1"))
    agreed, _ = holding.apply(again, ProviderMandate(state=_S.ACTIVE, token="MD2"))

    assert (_URL, ()) == (again.next_action, told)
    assert (None, "BRQ1", "MD2") == (agreed.next_action, agreed.request_ref, agreed.token)


def test_what_was_not_asked_for_in_the_end() -> None:
    """Only while it is PENDING; an answer that came first stays."""
    failure = PaymentFailure(code="refused")
    pending, active = _mandate(state=_S.PENDING), _mandate()

    assert _S.FAILED is holding.refused(pending, failure)[0].state
    assert _S.REVOKED is holding.given_up(pending)[0].state
    assert (active, ()) == holding.refused(active, failure)
    assert (active, ()) == holding.given_up(active)


def test_instruction_gets_holder_and_token() -> None:
    """Whether or not the front-end names them."""
    asked = PaymentInstruction(method_code="sepa_debit", mandate_id="m-1")
    for one in (asked, msgspec.structs.replace(asked, provider="gc")):
        for customer in ("", "C-1"):
            paid = holding.pay_with(one, _mandate(), customer_id=customer)
            assert ("gc", "MD1") == (paid.provider, paid.token)


@pytest.mark.parametrize("state", [one for one in _S if one is not _S.ACTIVE])
def test_only_an_active_mandate_pays(state: MandateState) -> None:
    """The rule names the state."""
    asked = PaymentInstruction(method_code="sepa_debit", mandate_id="m-1")
    with pytest.raises(Invalid) as caught:
        holding.pay_with(asked, _mandate(state=state), customer_id="")

    (error,) = caught.value.errors
    assert ("/payment/mandate_id", f"mandate_{state.lower()}") == (error.pointer, error.code)


def test_mandate_that_was_taken_back_pays_nothing() -> None:
    """Although the provider still has it."""
    asked = PaymentInstruction(method_code="sepa_debit", mandate_id="m-1")
    gone = holding.revoking(_mandate(), at="2026-11-22T12:00:00+00:00")
    with pytest.raises(Invalid) as caught:
        holding.pay_with(asked, gone, customer_id="")

    assert ["mandate_revoked"] == [one.code for one in caught.value.errors]


def test_events_name_nobody() -> None:
    """Neither token, nor account, nor the address of a page."""
    account = DebtorAccount(debtor_name="Erika", iban="DE89370400440532013000")
    told = holding.event(_mandate(account=account, next_action=_URL), "created")

    assert "headrace.mandate.created.v1" == told.type
    text = codec.encode(told).decode()
    assert [] == [secret for secret in ("MD1", "Erika", "DE89", "gc.example") if secret in text]
