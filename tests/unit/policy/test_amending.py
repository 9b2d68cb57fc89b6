"""What of a mandate may change, what of it the next collection tells, and what is no change."""

import datetime as dt
from typing import Any

import pytest

from gateway.errors import Rejected
from gateway.model import codec
from gateway.model.bank import BankAccount
from gateway.model.instruction import MandateAmendment
from gateway.model.mandate import Amendment, MandateState, Scheme
from gateway.policy import amending
from gateway.policy.validation import Invalid
from tests.unit.policy.test_notifying import mandate

OTHER = "DE02120300000000202051"
ACCOUNT = BankAccount(
    name="Headrace GmbH", iban="DE75512108001245126199", creditor_id="DE98ZZZ09999999999"
)
# The same creditor as in the mandates, and another one.
OTHER_BUSINESS = "DE98ABC09999999999"
OTHER_CREDITOR = "DE51ZZZ12345678901"


def test_new_account_is_told_as_such() -> None:
    """SMNDA with the next collection; the event says what kind of thing is new, and no number."""
    before = mandate(bic="COBADEFF")
    now, (event,) = amending.amended(
        before, MandateAmendment(iban="DE02 1203 0000 0000 2020 51"), ACCOUNT
    )

    assert (OTHER, None, Amendment(has_new_account=True)) == (now.iban, now.bic, now.amended_from)
    assert "headrace.mandate.amended.v1" == event.type
    assert (True, False, False) == tuple(
        event.data[f"has_new_{what}"] for what in ("account", "debtor_name", "creditor")
    )
    assert "1203" not in str(event.data)


@pytest.mark.parametrize(
    ("creditor_id", "told", "events"),
    [
        (OTHER_CREDITOR, Amendment(creditor_id="DE98ZZZ09999999999"), 1),
        (OTHER_BUSINESS, None, 1),
        ("DE98 ZZZ 0999 9999 999", None, 0),
        ("", None, 0),
    ],
)
def test_creditor_of_the_settings(creditor_id: str, told: Amendment | None, events: int) -> None:
    """Another one is told; another business code is the same creditor; none changes nothing."""
    account = BankAccount(name="H", iban=ACCOUNT.iban, creditor_id=creditor_id)
    now, news = amending.amended(mandate(), MandateAmendment(), account)

    assert (told, events) == (now.amended_from, len(news))


def test_names() -> None:
    """A debtor's is not told to banks, ours is."""
    new = MandateAmendment(debtor_name="Erika Musterfrau", creditor_name_before="Old GmbH")
    now, (event,) = amending.amended(mandate(), new, ACCOUNT)

    assert ("Erika Musterfrau", Amendment(creditor_name="Old GmbH")) == (
        now.debtor_name,
        now.amended_from,
    )
    assert event.data["has_new_debtor_name"]
    assert "Muster" not in str(event.data)


def test_same_again_is_no_news() -> None:
    """Whoever repeats himself changes nothing; what was not told yet stays to be told."""
    new = MandateAmendment(iban=OTHER)
    once, _ = amending.amended(mandate(), new, ACCOUNT)
    twice, news = amending.amended(once, new, ACCOUNT)

    assert (once, ()) == (twice, news)
    assert (mandate(), ()) == amending.amended(mandate(), MandateAmendment(), ACCOUNT)


@pytest.mark.parametrize(
    ("scheme", "state", "registered", "expected"),
    [
        (Scheme.CORE, MandateState.ACTIVE, False, MandateState.ACTIVE),
        (Scheme.CORE, MandateState.SUSPENDED, False, MandateState.SUSPENDED),
        (Scheme.B2B, MandateState.ACTIVE, False, MandateState.SUSPENDED),
        (Scheme.B2B, MandateState.ACTIVE, True, MandateState.ACTIVE),
        (Scheme.B2B, MandateState.PENDING, False, MandateState.PENDING),
    ],
)
def test_new_bank_of_a_business_has_to_have_it(
    scheme: Scheme, state: MandateState, expected: MandateState, *, registered: bool
) -> None:
    """Until then nothing is collected; a suspended one is activated by whoever knows."""
    before = mandate(scheme=scheme, state=state)
    now, news = amending.amended(
        before, MandateAmendment(iban=OTHER, is_registered=registered), ACCOUNT
    )

    assert expected is now.state
    words = ["amended", "suspended"] if expected is not state else ["amended"]
    assert words == [one.type.split(".")[2] for one in news]


@pytest.mark.parametrize(
    "state", [MandateState.DRAFT, MandateState.REVOKED, MandateState.EXPIRED, MandateState.FAILED]
)
def test_what_has_ended_is_not_amended(state: MandateState) -> None:
    """The debtor signs a new one."""
    with pytest.raises(Rejected) as refused:
        amending.amended(mandate(state=state), MandateAmendment(iban=OTHER), ACCOUNT)

    assert "wrong_state" == refused.value.code


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"iban": "DE00120300000000202051"}, "/iban", "iban_checksum"),
        ({"iban": "BR1800000000141455123924100C2"}, "/iban", "iban_not_sepa"),
        ({"bic": "COBADEFF"}, "/iban", "required"),
        ({"iban": OTHER, "bic": "COBA"}, "/bic", "bic_structure"),
        ({"debtor_name": "名前"}, "/debtor_name", "name_characters"),
        ({"creditor_name_before": "x" * 71}, "/creditor_name_before", "name_length"),
        ({"mandate_id": "M-2"}, "/mandate_id", "unknown_field"),
    ],
)
def test_what_is_wrong_with_an_amendment(fields: dict[str, Any], pointer: str, code: str) -> None:
    """Each with field and rule."""
    with pytest.raises(Invalid) as refused:
        amending.read_amendment(codec.encode(fields))

    assert [(pointer, code)] == [(one.pointer, one.code) for one in refused.value.errors]


def test_account_that_is_there_for_good() -> None:
    """Back to the account that the bank knows: it is told all the same, as the rules ask."""
    once, _ = amending.amended(mandate(), MandateAmendment(iban=OTHER), ACCOUNT)
    back, _ = amending.amended(once, MandateAmendment(iban=mandate().iban), ACCOUNT)

    assert back.amended_from == Amendment(has_new_account=True)
    assert dt.date(2026, 1, 31) == back.signed_at
