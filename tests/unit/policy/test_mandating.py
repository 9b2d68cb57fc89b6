"""Mandates: what is taken, what a payment may use, and what becomes of them."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from gateway.model import codec
from gateway.model.bank import BankAccount
from gateway.model.instruction import NewMandate, NewPayment
from gateway.model.mandate import Mandate, MandateState, Scheme, SequenceType
from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.policy import mandating, requests
from gateway.policy.validation import Invalid
from tests.conformance import samples

TODAY = dt.date(2026, 11, 23)
ACCOUNT = BankAccount(
    name="Headrace", iban="DE75512108001245126199", creditor_id="DE98 ZZZ0 9999 9999 99"
)
GIVEN: dict[str, Any] = {
    "debtor_name": "Erika Mustermann",
    "iban": "DE89 3704 0044 0532 0130 00",
    "bic": "COBADEFFXXX",
    "signed_at": "2026-01-31",
}


def new(**fields: Any) -> NewMandate:
    return requests.read_mandate(codec.encode(GIVEN | fields), today=TODAY)


def mandate(**fields: Any) -> Mandate:
    given = {key: fields.pop(key) for key in ("scheme", "is_single") if key in fields}
    made = mandating.signed(
        new(**given), mandate_id="M-1", system="bank", account="main", settings=ACCOUNT
    )
    return msgspec.structs.replace(made, **fields)


def payment(**fields: Any) -> NewPayment:
    known = {"method_code": "sepa_debit", "mandate_id": "M-1"}
    body = {"amount": {"amount": "1.00", "currency": "EUR"}, "payment": known | fields}
    return codec.convert(body, NewPayment)


def test_signed_is_active_at_once() -> None:
    """The creditor identifier is that of our account, and identifiers lose their blanks."""
    made = mandate()

    assert (MandateState.ACTIVE, SequenceType.RCUR) == (made.state, made.sequence_type)
    assert ("DE98ZZZ09999999999", "DE89370400440532013000") == (made.creditor_id, made.iban)
    assert ["signed", "activated"] == [one.type.split(".")[2] for one in mandating.created(made)]


def test_b2b_waits_for_the_debtors_bank() -> None:
    """Unless it has the mandate already; one for a single collection is used up by it."""
    assert MandateState.PENDING is mandate(scheme="B2B").state
    made = mandating.signed(
        new(scheme="B2B", is_registered=True, is_single=True),
        mandate_id="M-1",
        system="bank",
        account="main",
        settings=ACCOUNT,
    )
    assert (MandateState.ACTIVE, SequenceType.OOFF) == (made.state, made.sequence_type)
    assert ["signed"] == [
        one.type.split(".")[2] for one in mandating.created(mandate(scheme="B2B"))
    ]


@pytest.mark.parametrize(
    ("fields", "pointer", "rule"),
    [
        ({"iban": "DE00370400440532013000"}, "/iban", "iban_checksum"),
        ({"iban": "TR330006100519786457841326"}, "/iban", "iban_not_sepa"),
        ({"bic": "NOBIC"}, "/bic", "bic_structure"),
        ({"signed_at": "2026-11-24"}, "/signed_at", "signed_later"),
        ({"debtor_name": "花子"}, "/debtor_name", "name_characters"),
        ({"debtor_name": "x" * 71}, "/debtor_name", "name_length"),
        ({"mandate_id": "m-1"}, "/mandate_id", "wrong_format"),
        ({"mandate_id": "M_1"}, "/mandate_id", "wrong_format"),
        ({"mandate_id": "M" * 36}, "/mandate_id", "too_long"),
    ],
    ids=str,
)
def test_what_is_wrong_with_a_mandate(fields: dict[str, Any], pointer: str, rule: str) -> None:
    """By field and rule; the value is not repeated."""
    with pytest.raises(Invalid) as refused:
        new(**fields)

    (error,) = refused.value.errors
    assert pointer == error.pointer
    assert rule.rsplit("_", maxsplit=1)[-1] in error.code or error.code
    for value in fields.values():
        assert value not in error.detail


def test_account_number_that_looks_like_a_card() -> None:
    """Sixteen of its digits are a valid card number; anywhere else they are refused."""
    made = new(iban="DE36374111111111111111")
    with pytest.raises(Invalid) as refused:
        new(debtor_name="4111 1111 1111 1111")

    assert "DE36374111111111111111" == made.iban
    assert ["card_number"] == [one.code for one in refused.value.errors]


def test_shown_without_the_account() -> None:
    """Of the account only the end."""
    shown = mandating.shown(mandate())

    assert ("********3000", None) == (shown.iban, shown.bic)


@pytest.mark.parametrize(
    ("given", "asked", "rule"),
    [
        ({}, {}, ""),
        ({}, {"provider": "bank"}, ""),
        ({}, {"provider": "other"}, "mandate_provider"),
        ({"scheme": "B2B"}, {}, "mandate_scheme"),
        ({"scheme": "B2B"}, {"method_code": "sepa_debit_b2b"}, "mandate_pending"),
        ({"state": MandateState.SUSPENDED}, {}, "mandate_suspended"),
        ({"signed_at": dt.date(2023, 11, 22)}, {}, "mandate_lapsed"),
        ({"signed_at": dt.date(2023, 11, 23)}, {}, ""),
        ({"signed_at": dt.date(2023, 11, 23)}, {"due": "2026-11-24"}, "mandate_lapsed"),
        ({"is_single": True, "last_used_at": dt.date(2026, 2, 1)}, {}, "mandate_used_up"),
    ],
)
def test_which_payment_it_allows(given: dict[str, Any], asked: dict[str, Any], rule: str) -> None:
    """The rule stands beside the mandate's id."""
    error = mandating.may_pay(payment(**asked).payment, mandate(**given), TODAY)

    assert rule == (error.code if error else "")
    assert error is None or error.pointer == "/payment/mandate_id"


def test_nobody_knows_the_mandate() -> None:
    """A rule of its own."""
    error = mandating.may_pay(payment().payment, None, TODAY)

    assert error is not None
    assert "mandate_unknown" == error.code


@pytest.mark.parametrize(
    ("code", "state", "words"),
    [
        ("AM04", MandateState.ACTIVE, []),
        ("MD01", MandateState.REVOKED, ["cancelled"]),
        ("AC04", MandateState.SUSPENDED, ["suspended"]),
        ("XX99", MandateState.ACTIVE, []),
    ],
)
def test_what_a_refusal_makes_of_it(code: str, state: MandateState, words: list[str]) -> None:
    """As the table of reasons says, and told in events without anybody's name."""
    before = mandate()
    refused = samples.payment(1, token="", method="sepa_debit")
    now = mandating.after_refusal(before, refused, code)

    events = mandating.news(before, now)
    assert state is now.state
    assert words == [one.type.split(".")[2] for one in events]
    assert not any("Mustermann" in str(one.data) or "DE89" in str(one.data) for one in events)


def test_refusals_are_told_once() -> None:
    """What is new of the movements, and only what a bank refused or took back."""

    def moved(kind: MovementKind, state: MovementState, code: str) -> Movement:
        return Movement(kind=kind, ref="r", state=state, amount=Money(1, "EUR"), reason_code=code)

    before = samples.payment(1, token="")
    back = moved(MovementKind.RETURN, MovementState.DONE, "AM04")
    refused = moved(MovementKind.CAPTURE, MovementState.UNDONE, "AC04")
    others = (
        moved(MovementKind.REFUND, MovementState.UNDONE, "AC01"),
        moved(MovementKind.DISPUTE, MovementState.PENDING, "X"),
    )
    now = msgspec.structs.replace(before, movements=(back, refused, *others))

    assert ["AM04", "AC04"] == list(mandating.refusals(before, now))
    assert [] == list(mandating.refusals(now, now))


def test_lapses_by_itself() -> None:
    """36 months after its last use."""
    used = mandate(last_used_at=dt.date(2023, 11, 22))

    assert MandateState.EXPIRED is mandating.as_of(used, TODAY).state
    assert MandateState.ACTIVE is mandating.as_of(used, dt.date(2026, 11, 22)).state
    assert Scheme.CORE is used.scheme
