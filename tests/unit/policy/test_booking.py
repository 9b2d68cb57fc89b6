"""Booking: the books of a thing are what it comes to, whatever was heard of it and how often."""

import random
from datetime import date

import msgspec
import pytest

from gateway.model.money import Money
from gateway.model.movement import Movement, MovementKind, MovementState
from gateway.model.payment import (
    AttemptState,
    CaptureMethod,
    Payment,
    PaymentAttempt,
    PaymentState,
    ProviderPayment,
)
from gateway.model.payout import Destination, Payout, PayoutState, ProviderPayout
from gateway.model.split import PLATFORM, Split, SplitKind, SplitMode
from gateway.model.transfer import MemberTransfer, ProviderReversal, TransferState
from gateway.model.wallet import WALLETS, Account, Bucket, Owner
from gateway.policy import booking, collecting, paying, transferring
from gateway.policy.booking import Books

_AT = "2026-01-01T00:00:00+00:00"
_EARLY, _LATE = date(2026, 1, 2), date(2026, 12, 31)
_K, _M = MovementKind, MovementState


def _eur(minor: int) -> Money:
    return Money(minor, "EUR")


def _payment(**fields: object) -> Payment:
    values = {"final_at": "2026-05-01", "split_mode": SplitMode.WALLET, **fields}
    payment = Payment(
        payment_id="pay-1",
        amount=_eur(1_000),
        method_code="card",
        capture_method=CaptureMethod.MANUAL,
        requested_at=_AT,
        provider="paypal",
        captured=_eur(0),
        refunded=_eur(0),
        returned=_eur(0),
        disputed=_eur(0),
        attempts=(PaymentAttempt(attempt_id="a", key="k", state=AttemptState.PREPARED),),
        wallet_splits=(
            Split(party="M-1", amount=_eur(600)),
            Split(party="M-2", amount=_eur(300)),
            Split(party=PLATFORM, kind=SplitKind.REMAINDER),
        ),
    )
    return msgspec.structs.replace(payment, **values)


def _member(name: str, bucket: Bucket) -> Account:
    return Account(Owner.MEMBER.value, name, bucket.value, "EUR")


_PLATFORM = Account(Owner.PLATFORM.value, "", "", "EUR")
_PAYPAL = Account(Owner.PROVIDER.value, "paypal", "", "EUR")


def test_captured_money_is_pending_until_its_day() -> None:
    """Then it is available; all of it lies at the provider."""
    payment = _payment(captured=_eur(1_000))
    pending, available = (booking.of_payment(payment, today=day) for day in (_EARLY, _LATE))

    for bucket, books in ((Bucket.PENDING, pending), (Bucket.AVAILABLE, available)):
        assert {
            _member("M-1", bucket): 600,
            _member("M-2", bucket): 300,
            _PLATFORM: 100,
            _PAYPAL: -1_000,
        } == books


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, date(2026, 5, 1)),
        ({"release_on": "2026-02-01"}, date(2026, 2, 1)),
        ({"final_at": "", "captured_at": "2026-03-01T10:00:00+00:00"}, date(2026, 8, 28)),
        ({"final_at": ""}, date(2026, 6, 30)),
    ],
)
def test_day_is_the_one_given_or_the_final_one(fields: dict[str, str], expected: date) -> None:
    """Where nobody knows it is far away."""
    assert expected == booking.releases_on(_payment(**fields))


def test_what_a_provider_divides_is_not_booked() -> None:
    """It is the provider's to say whose it is."""
    divided = _payment(captured=_eur(1_000), split_mode=SplitMode.AFTER_PAYMENT)

    assert {} == booking.of_payment(divided, today=_LATE)


def test_books_are_brought_to_what_they_should_be() -> None:
    """By the difference, and by nothing where there is none."""
    first = booking.of_payment(_payment(captured=_eur(1_000)), today=_EARLY)
    now = booking.of_payment(_payment(captured=_eur(1_000), refunded=_eur(500)), today=_LATE)

    assert first == booking.difference(first, {})
    assert {} == booking.difference(first, first)
    change = booking.difference(now, first)
    assert {
        _member("M-1", Bucket.AVAILABLE): 300,
        _member("M-1", Bucket.PENDING): -600,
        _member("M-2", Bucket.AVAILABLE): 150,
        _member("M-2", Bucket.PENDING): -300,
        _PLATFORM: -50,
        _PAYPAL: 500,
    } == change
    assert 0 == sum(change.values())


def _payout(state: PayoutState) -> Payout:
    return Payout(
        payout_id="po-1",
        amount=_eur(200),
        destination=Destination(email="ada@example.com"),
        provider="paypal",
        wallet="M-1",
        requested_by="shop",
        requested_at=_AT,
        state=state,
    )


@pytest.mark.parametrize("state", list(PayoutState))
def test_payout_sets_aside_spends_or_gives_back(state: PayoutState) -> None:
    """By where it stands."""
    available, reserved = (_member("M-1", one) for one in (Bucket.AVAILABLE, Bucket.RESERVED))
    back = {PayoutState.CANCELLED, PayoutState.FAILED, PayoutState.RETURNED}
    goes_to = _PAYPAL if state is PayoutState.PAID else reserved
    expected = {} if state in back else {available: -200, goes_to: 200}

    assert expected == booking.of_payout(_payout(state))
    assert {} == booking.of_payout(msgspec.structs.replace(_payout(state), wallet=""))


def _transfer(provider: str = WALLETS) -> MemberTransfer:
    made = MemberTransfer(
        transfer_id="tr-1",
        amount=_eur(50),
        source="M-1",
        destination="M-2",
        provider=provider,
        requested_at=_AT,
        reversed=_eur(0),
    )
    return transferring.booked(made)[0]


def test_transfer_moves_between_wallets_and_back() -> None:
    """Only what was not moved back; those of providers are theirs."""
    one, reversal = transferring.reverse(_transfer(), _eur(20), at=_AT)
    back, _ = transferring.booked_back(one, reversal)

    first, second = (_member(name, Bucket.AVAILABLE) for name in ("M-1", "M-2"))
    assert {first: -50, second: 50} == booking.of_transfer(_transfer())
    assert {first: -30, second: 30} == booking.of_transfer(back)
    assert {} == booking.of_transfer(_transfer("stripe"))


def test_wallet_shows_each_currency_and_its_debt() -> None:
    """A return after a payout leaves less than nothing."""
    yen = Account(Owner.MEMBER.value, "M-1", Bucket.PENDING.value, "JPY")
    books = {
        _member("M-1", Bucket.AVAILABLE): -250,
        _member("M-1", Bucket.RESERVED): 100,
        yen: 7,
    }

    euros, yens = booking.wallet("M-1", books).balances

    assert (-250, 0, 100, 250) == tuple(
        one.minor for one in (euros.available, euros.pending, euros.reserved, euros.debt)
    )
    assert (0, 7, 0, 0) == tuple(
        one.minor for one in (yens.available, yens.pending, yens.reserved, yens.debt)
    )


class _Ledger:
    """Books in memory, as ``runtime.ledger`` keeps them."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, Books]] = []

    def book(self, key: str, target: Books) -> None:
        booked: Books = {}
        for of, entry in self.entries:
            for account, minor in entry.items() if of == key else ():
                booked[account] = booked.get(account, 0) + minor
        change = booking.difference(target, booked)
        assert 0 == sum(change.values())
        if change:
            self.entries.append((key, change))

    def balances(self) -> Books:
        sums: Books = {}
        for _, entry in self.entries:
            for account, minor in entry.items():
                sums[account] = sums.get(account, 0) + minor
        return {account: minor for account, minor in sums.items() if minor}


def _life(dice: random.Random) -> list[object]:
    """What is heard of one payment, of a payout and of a transfer."""
    words: list[object] = []
    for number in range(dice.randrange(1, 4)):
        kind = dice.choice(list(_K))
        minor = dice.randrange(1, 400)
        states = dice.sample(list(_M), dice.randrange(1, 4))
        words += [
            Movement(kind=kind, ref=f"{kind}-{number}", state=one, amount=_eur(minor))
            for one in states
        ]
    said = ProviderPayment(
        provider_ref="PP",
        state=dice.choice([PaymentState.CAPTURED, PaymentState.PENDING, PaymentState.SETTLED]),
        amount=_eur(1_000),
        captured=_eur(dice.choice([0, 500, 1_000])),
        refunded=_eur(0),
    )
    words.append(said)
    words += [
        ProviderPayout(provider_ref="B", state=one, amount=_eur(200))
        for one in dice.sample(
            [PayoutState.SENT, PayoutState.PAID, PayoutState.FAILED, PayoutState.RETURNED], 2
        )
    ]
    words.append(TransferState.DONE)
    return words


def _end(words: list[object]) -> Books:
    ledger, payment, payout = _Ledger(), _payment(), _payout(PayoutState.PENDING)
    ledger.book("payout", booking.of_payout(payout))
    transfer, reversal = transferring.reverse(_transfer(), _eur(20), at=_AT)
    for word in words:
        if isinstance(word, ProviderPayment):
            payment, _ = collecting.apply(payment, word)
        elif isinstance(word, Movement):
            payment, _ = collecting.apply(payment, movements=[word])
        elif isinstance(word, ProviderPayout):
            payout, _ = paying.apply(payout, word)
        else:
            back = ProviderReversal(provider_ref="R", state=TransferState.DONE, amount=_eur(20))
            transfer, _ = transferring.reversed_by(transfer, reversal, back)
        ledger.book("payment", booking.of_payment(payment, today=_EARLY))
        ledger.book("payout", booking.of_payout(payout))
        ledger.book("transfer", booking.of_transfer(transfer))
    ledger.book("payment", booking.of_payment(payment, today=_LATE))
    return ledger.balances()


def test_no_order_and_no_repetition_changes_a_balance() -> None:
    """Shuffled and duplicated, everything that is heard ends in the same books."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(300):
        words = _life(dice)
        expected = _end(words)
        assert 0 == sum(expected.values())
        for _ in range(4):
            again = [*words, *dice.choices(words, k=3)]
            dice.shuffle(again)
            assert expected == _end(again)
