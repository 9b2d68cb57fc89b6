"""Paying out: who has to agree, and what becomes of a payout whatever the order of words."""

import itertools
from typing import Any

import msgspec
import pytest

from gateway.model.money import Money
from gateway.model.payment import PaymentFailure
from gateway.model.payout import (
    PAYOUT_STATES,
    Destination,
    NewPayout,
    PayeeMatch,
    PayeeVerification,
    Payout,
    PayoutState,
    ProviderPayout,
)
from gateway.policy import paying
from gateway.settings import PayoutSettings

_S = PayoutState
_LIMIT = PayoutSettings(approve_from={"EUR": "100.00"})
_NONE = PayoutSettings()
_ACCOUNT = Destination(account="acct_1")
_IBAN = Destination(iban="DE89370400440532013000", name="Ada Lovelace")


def _payout(
    amount: int = 12_000,
    currency: str = "EUR",
    settings: PayoutSettings = _NONE,
    destination: Destination = _ACCOUNT,
    **fields: Any,
) -> Payout:
    new = NewPayout(
        provider="stripe", amount=Money(amount, currency), destination=destination, **fields
    )
    return paying.of_request(new, settings, payout_id="po-1", client="shop", at="2026-01-01")


def _said(state: PayoutState, ref: str = "ref") -> ProviderPayout:
    failure = PaymentFailure(code="payout_failed") if state is _S.FAILED else None
    return ProviderPayout(
        provider_ref=ref, state=state, amount=Money(12_000, "EUR"), failure=failure
    )


@pytest.mark.parametrize(
    ("state", "amount", "currency", "settings"),
    [
        (_S.PENDING, 99_999_999, "EUR", PayoutSettings()),
        (_S.PENDING, 9_999, "EUR", _LIMIT),
        (_S.AWAITING_APPROVAL, 10_000, "EUR", _LIMIT),
        (_S.AWAITING_APPROVAL, 1, "USD", _LIMIT),
        (_S.AWAITING_APPROVAL, 1, "EUR", PayoutSettings(approve_from={"EUR": "0"})),
    ],
)
def test_amount_decides_who_has_to_agree(
    state: PayoutState, amount: int, currency: str, settings: PayoutSettings
) -> None:
    """From the limit on, and for every amount of a currency that has none beside one that has."""
    assert state is _payout(amount, currency, settings).state


@pytest.mark.parametrize(
    ("result", "settings", "state"),
    [
        (PayeeMatch.RCVC, PayoutSettings(), _S.PENDING),
        (PayeeMatch.RCVC, _LIMIT, _S.AWAITING_APPROVAL),
        (PayeeMatch.RVMC, PayoutSettings(), _S.AWAITING_APPROVAL),
        (PayeeMatch.RVMC, PayoutSettings(on_close_match="allow"), _S.PENDING),
        (PayeeMatch.RVNM, PayoutSettings(), _S.FAILED),
        (PayeeMatch.RVNM, PayoutSettings(on_no_match="ask"), _S.AWAITING_APPROVAL),
        (PayeeMatch.RVNA, PayoutSettings(), _S.PENDING),
        (PayeeMatch.RVNA, PayoutSettings(on_unverifiable="block"), _S.FAILED),
    ],
)
def test_verification_decides_by_the_settings(
    result: PayeeMatch, settings: PayoutSettings, state: PayoutState
) -> None:
    """Refused, for a person, or on its way; a name that fits does not replace the approval."""
    held = _payout(settings=settings, destination=_IBAN)

    found, events = paying.verified(held, PayeeVerification(result=result), settings)

    assert _S.AWAITING_VERIFICATION is held.state
    assert state is found.state
    failed = ["headrace.payout.verification_failed.v1", "headrace.payout.failed.v1"]
    assert (failed if state is _S.FAILED else []) == [one.type for one in events]
    if state is _S.FAILED:
        assert PaymentFailure(code="payee_mismatch", provider_code=result.value) == found.failure


def test_verification_can_be_switched_off() -> None:
    """Whose bank does it later, with the file."""
    settings = PayoutSettings(verify_payee=False)

    assert _S.PENDING is _payout(destination=_IBAN, settings=settings).state


def test_words_in_any_order_end_alike() -> None:
    """The furthest counts; whatever state is reached, the table leads there."""
    states = (_S.SENT, _S.CANCELLED, _S.PAID, _S.FAILED, _S.RETURNED)
    for length in (1, 2, 3):
        for chosen in itertools.combinations(states, length):
            ends = set()
            for order in itertools.permutations(chosen):
                now = _payout()
                for state in order:
                    before, (now, _) = now.state, paying.apply(now, _said(state))
                    assert now.state is before or PAYOUT_STATES.allows(before, now.state)
                ends.add((now.state, now.failure))
            assert 1 == len(ends), chosen
            assert max(chosen, key=states.index) is ends.pop()[0]


def test_each_change_is_told_once() -> None:
    """A repetition is no news, and nothing of the payee is told."""
    payout = _payout(destination=Destination(email="ada@example.com"))

    sent, first = paying.apply(payout, _said(_S.SENT))
    again, second = paying.apply(sent, _said(_S.SENT))
    _, third = paying.apply(again, _said(_S.PAID))

    assert (["headrace.payout.submitted.v1"], (), ["headrace.payout.paid.v1"]) == (
        [one.type for one in first],
        second,
        [one.type for one in third],
    )
    assert "ada" not in repr((first, third))


def test_refusal_after_it_was_sent_changes_nothing() -> None:
    """A refusal is about what was never done."""
    sent, _ = paying.apply(_payout(), _said(_S.SENT))

    assert (sent, ()) == paying.refused(sent, PaymentFailure(code="refused"))


def test_wrong_way_is_an_error() -> None:
    """What is on its way cannot be approved."""
    with pytest.raises(ValueError, match="does not go"):
        paying.cancelled(msgspec.structs.replace(_payout(), state=_S.PAID))


def test_numbers_are_hidden_and_texts_of_them_too() -> None:
    """What is shown has the end of an IBAN and the domain of an address; a repr has nothing."""
    bank = paying.shown(_payout(destination=_IBAN)).destination
    wallet = paying.shown(_payout(destination=Destination(email="ada@example.com"))).destination

    assert ("DE**3000", "a***@example.com") == (bank.iban, wallet.email)
    assert "DE8937" not in repr(_payout(destination=_IBAN))
    assert "Lovelace" not in repr(_payout(destination=_IBAN))


def test_batch_is_counted_and_summed_by_state_and_currency() -> None:
    """Each amount once."""
    one, other = _payout(100), _payout(250)
    paid, _ = paying.apply(_payout(5, "JPY"), _said(_S.PAID))

    found = paying.batch("b", (one, paid, other))

    assert {"PAID": 1, "PENDING": 2} == found.counts
    assert {"PAID": (Money(5, "JPY"),), "PENDING": (Money(350, "EUR"),)} == found.sums
