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


def _in_a_file() -> Payout:
    new = NewPayout(provider="bank", amount=Money(12_000, "EUR"), destination=_IBAN)
    known = {"payout_id": "po-1", "client": "shop", "at": "2026-01-01"}
    payout = paying.of_request(new, _NONE, in_files=True, **known)
    assert _S.PENDING is payout.state
    return paying.submitted(payout, at="2026-01-02T10:00:00+00:00")[0]


def _word(payout: Payout, word: PayoutState | PayeeMatch) -> Payout:
    """The payout after a line of a bank's file."""
    if isinstance(word, PayeeMatch):
        before, now = payout, paying.checked(payout, PayeeVerification(result=word), _NONE)[0]
    else:
        before, now = payout, paying.apply(payout, _said(word))[0]
    assert now.state is before.state or PAYOUT_STATES.allows(before.state, now.state)
    return now


@pytest.mark.parametrize("words", [(_S.PAID, _S.FAILED), (_S.FAILED, _S.PAID)])
def test_money_that_a_bank_has_booked_has_not_failed(words: tuple[PayoutState, ...]) -> None:
    """Whoever heard that it failed would pay again; a provider without files may say so later."""
    found, _ = paying.apply(_in_a_file(), *map(_said, words))
    elsewhere, _ = paying.apply(_payout(), *map(_said, words))

    assert (_S.PAID, None) == (found.state, found.failure)
    assert _S.FAILED is elsewhere.state


def test_lines_of_a_bank_in_any_order_end_alike() -> None:
    """Verifications, bookings, refusals, returns; each read twice."""
    words = (*PayeeMatch, _S.SENT, _S.PAID, _S.FAILED, _S.RETURNED)
    for length in (1, 2, 3):
        for chosen in itertools.combinations(words, length):
            ends = set()
            for order in itertools.permutations(chosen):
                now = _in_a_file()
                for word in (*order, *order):
                    now = _word(now, word)
                ends.add((now.state, now.failure, now.verification and now.verification.result))
            assert 1 == len(ends), chosen


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (PayeeMatch.RCVC, _S.SENT),
        (PayeeMatch.RVNA, _S.SENT),
        (PayeeMatch.RVMC, _S.AWAITING_APPROVAL),
        (PayeeMatch.RVNM, _S.AWAITING_VERIFICATION),
    ],
)
def test_what_a_bank_holds_has_not_failed(result: PayeeMatch, state: PayoutState) -> None:
    """Somebody at the bank may still release it; whoever heard FAILED would send it again."""
    found, told = paying.checked(_in_a_file(), PayeeVerification(result=result), _NONE)

    assert state is found.state
    assert ([] if state is _S.SENT else ["headrace.payout.verification_failed.v1"]) == [
        one.type for one in told
    ]
    assert _S.PAID is _word(found, _S.PAID).state
    assert (found, ()) == paying.checked(found, PayeeVerification(result=result), _NONE)


def test_settings_decide_what_is_held() -> None:
    """Also that nobody looks at the name at all."""
    no_match = PayeeVerification(result=PayeeMatch.RVNM)
    for settings, state in (
        (PayoutSettings(on_no_match="allow"), _S.SENT),
        (PayoutSettings(on_no_match="ask"), _S.AWAITING_APPROVAL),
        (PayoutSettings(verify_payee=False), _S.SENT),
    ):
        found, _ = paying.checked(_in_a_file(), no_match, settings)
        assert (state, no_match) == (found.state, found.verification)


def test_agreed_in_spite_of_the_name_stays_agreed() -> None:
    """The same answer is read again; a worse one was not agreed to."""
    held = _word(_in_a_file(), PayeeMatch.RVMC)
    agreed = paying.released(held, client="finance")

    assert (_S.SENT, "finance") == (agreed.state, agreed.released_by)
    assert agreed == _word(agreed, PayeeMatch.RVMC)
    assert _S.AWAITING_VERIFICATION is _word(agreed, PayeeMatch.RVNM).state


@pytest.mark.parametrize(
    ("state", "submitted", "withdrawn", "expected"),
    [
        (_S.PENDING, "", False, True),
        (_S.AWAITING_APPROVAL, "", False, True),
        (_S.SENT, "2026", False, False),
        (_S.AWAITING_VERIFICATION, "2026", False, False),
        (_S.SENT, "2026", True, True),
        (_S.AWAITING_VERIFICATION, "2026", True, True),
        (_S.PAID, "2026", True, False),
        (_S.CANCELLED, "", True, False),
    ],
)
def test_what_is_told_in_files_is_cancelled_before(
    state: PayoutState, submitted: str, *, withdrawn: bool, expected: bool
) -> None:
    """And after it only by the bank."""
    payout = msgspec.structs.replace(_payout(), state=state, submitted_at=submitted)

    assert expected == paying.may_cancel(payout, in_files=True, withdrawn=withdrawn)
    if not submitted and state is _S.PENDING:
        assert not paying.may_cancel(payout, in_files=False, withdrawn=withdrawn)


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


def test_worse_name_has_to_be_agreed_to_anew() -> None:
    """Also where settings let people agree to both; who agreed saw a name that nearly fits."""
    settings = PayoutSettings(on_no_match="ask")
    held = _word(_in_a_file(), PayeeMatch.RVMC)
    agreed = paying.released(held, client="finance")

    found, told = paying.checked(agreed, PayeeVerification(result=PayeeMatch.RVNM), settings)

    assert (_S.AWAITING_APPROVAL, "") == (found.state, found.released_by)
    assert ["headrace.payout.verification_failed.v1"] == [one.type for one in told]
