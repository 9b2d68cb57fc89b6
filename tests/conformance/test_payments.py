"""The port ``payments``: money moves once, and whoever asks is told what became of it."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from gateway.errors import HeadraceError, InDoubt, Rejected, Unavailable
from gateway.model.money import Money
from gateway.model.payment import (
    AttemptState,
    Payment,
    PaymentAttempt,
    PaymentState,
    ProviderPayment,
    ProviderRefund,
)
from gateway.policy import collecting
from gateway.ports.exchange import Exchange
from tests.conformance import refusals, samples
from tests.conformance.subject import Account, Subject, asked, outcome

_TAKEN = {PaymentState.CAPTURED, PaymentState.PENDING, PaymentState.SETTLED}
_REFUND = "01950000-0000-7000-8000-0000000000f1"


@pytest.fixture(params=asked("payments"), ids=lambda one: one.adapter.product)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
def account(subject: Subject) -> Account:
    return subject.account("payments")


@pytest.fixture(
    params=[one for one in asked("payments") if one.holds],
    ids=lambda one: one.adapter.product,
)
def holding(request: pytest.FixtureRequest) -> Account:
    """An account that can hold an amount."""
    found: Account = request.param.account("payments")
    return found


def prepared(account: Account, number: int = 1, **fields: Any) -> Payment:
    subject = account.subject
    values = {"amount": subject.amounts[0], "method": subject.method, **fields}
    return samples.payment(number, token=subject.tokens["accepted"], **values)


def begun(payment: Payment, key: str = "k") -> Payment:
    """The payment with its attempt, as it is committed before anything is sent."""
    attempt = PaymentAttempt(attempt_id="a", key=key, state=AttemptState.PREPARED)
    return msgspec.structs.replace(payment, attempts=(attempt,))


def created(account: Account, payment: Payment) -> Payment:
    """The payment with the provider's reference."""
    payment = begun(payment, "create")
    made = account.run(account.port.create_payment(payment, key="create"))
    return msgspec.structs.replace(payment, provider_ref=made.provider_ref)


def collected(account: Account, payment: Payment) -> Payment:
    """The payment, collected, with the provider's reference."""
    made = created(account, payment)
    account.settle()
    return made


def stands(account: Account, payment: Payment, *said: ProviderPayment) -> Payment | ProviderPayment:
    """How far the payment is: as its provider answers, or reports where it cannot be asked."""
    if not account.subject.blind:
        return said[-1] if said else account.run(account.port.find_payment(payment))
    for one in said:
        payment, _ = collecting.apply(payment, one)
    for event in account.reported():
        payment, _ = collecting.apply(payment, event.payment, event.movements)
    return payment


def refund(account: Account, payment: Payment, amount: Money) -> ProviderRefund:
    """What the provider says to the refund, whether for the first time or again."""
    made: ProviderRefund = account.run(
        account.port.refund_payment(payment, _REFUND, amount, key="refund")
    )
    return made


def refunded(account: Account, payment: Payment, amount: Money) -> ProviderRefund:
    """The refund, looked up; or asked for again with the same key, where that is the only way."""
    if account.subject.blind:
        assert account.run(account.port.find_refund(payment, _REFUND)) is None
        return refund(account, payment, amount)
    found: ProviderRefund = account.run(account.port.find_refund(payment, _REFUND))
    return found


def authorised(account: Account) -> Payment:
    """A payment that waits for its capture; where nothing can be held, for the bank."""
    return created(account, prepared(account, manual=account.holds))


def ready(account: Account, verb: str) -> Payment:
    """A payment to which the verb can be done: only what was collected can be given back."""
    if verb == "refund_payment":
        return collected(account, prepared(account))
    return authorised(account)


def declared(account: Account, payment: Payment) -> bool:
    """Whether the adapter says that the method takes the currency."""
    rows = [r for r in account.subject.adapter.capabilities if r.method == payment.method_code]
    return all(payment.amount.currency in (r.currencies or [payment.amount.currency]) for r in rows)


@pytest.mark.parametrize(
    ("subject", "amount"),
    [
        pytest.param(one, amount, id=f"{one.adapter.product}-{amount.currency}")
        for one in asked("payments")
        for amount in one.amounts
    ],
)
def test_amount_arrives_and_comes_back(subject: Subject, amount: Money) -> None:
    """In the decimals of its currency, with the answer and with the look-up.

    A currency that the adapter does not declare for the method is refused, and nothing is sent.
    """
    account = subject.account("payments")
    payment = begun(prepared(account, amount=amount))
    if not declared(account, payment):
        with pytest.raises(Rejected) as refused:
            account.run(account.port.create_payment(payment, key="k"))
        assert ("currency_unsupported", []) == (refused.value.code, account.sent)
        return

    made = account.run(account.port.create_payment(payment, key="k"))
    found = account.run(account.port.find_payment(payment))

    assert made.state in _TAKEN
    assert (amount, amount) == (made.amount, found.amount)
    assert 1 == account.effects("create_payment", payment.payment_id)


def test_same_key_twice_moves_money_once(account: Account) -> None:
    """The second answer is about the same payment."""
    payment = prepared(account)

    made = [account.run(account.port.create_payment(payment, key="k")) for _ in range(2)]

    assert made[0] == made[1]
    assert 1 == account.effects("create_payment", payment.payment_id)


def test_lost_answer_is_found(account: Account) -> None:
    """By our own id: theirs never arrived."""
    payment = begun(prepared(account))
    with account.losing_answers():
        lost = outcome(account, account.port.create_payment(payment, key="k"))

    found = account.run(account.port.find_payment(payment))

    assert isinstance(lost, InDoubt)
    assert found.state in _TAKEN
    assert payment.amount == found.amount
    assert 1 == account.effects("create_payment", payment.payment_id)


def test_what_never_arrived_is_not_found_and_can_be_repeated(account: Account) -> None:
    """None is an answer; the same key makes it happen afterwards, or by the look-up itself."""
    payment = begun(prepared(account))
    with account.unreachable():
        lost = outcome(account, account.port.create_payment(payment, key="k"))
    assert isinstance(lost, Unavailable)
    found = account.run(account.port.find_payment(payment))
    assert (found is not None) == account.subject.repeats

    account.run(account.port.create_payment(payment, key="k"))

    assert 1 == account.effects("create_payment", payment.payment_id)


def test_what_was_never_asked_for_is_not_found(account: Account) -> None:
    """Neither payment nor refund, by our id, beside others that exist; nor by a foreign one."""
    payment = collected(account, prepared(account, 1))
    unknown = msgspec.structs.replace(prepared(account, 2), provider_ref="pi_nowhere")

    assert account.run(account.port.find_payment(prepared(account, 2))) is None
    assert account.run(account.port.find_payment(unknown)) is None
    assert account.run(account.port.find_refund(payment, _REFUND)) is None
    assert account.run(account.port.find_refund(prepared(account, 2), _REFUND)) is None


def test_declined_payment_is_a_result(account: Account) -> None:
    """FAILED with our code and theirs; no error, no money, and found as such."""
    subject = account.subject
    payment = prepared(account)
    payment = begun(msgspec.structs.replace(payment, token=subject.tokens["declined"]))

    made = account.run(account.port.create_payment(payment, key="k"))
    account.settle()
    found = account.run(account.port.find_payment(payment))

    for said in [found] if subject.settles_s else [made, found]:
        assert PaymentState.FAILED is said.state
        assert said.failure is not None
        assert said.failure.code
        assert said.failure.provider_code
    assert 0 == account.effects("create_payment", payment.payment_id)


def test_authorised_amount_is_captured_once(holding: Account) -> None:
    """Nothing is collected before the capture, and the same key collects once."""
    account = holding
    payment = authorised(account)
    before = account.run(account.port.find_payment(payment))
    assert (PaymentState.AUTHORISED, 0) == (before.state, before.captured.minor)

    for _ in range(2):
        account.run(account.port.capture_payment(payment, payment.amount, key="capture"))

    found = stands(account, payment)
    assert (PaymentState.CAPTURED, payment.amount) == (found.state, found.captured)
    assert 1 == account.effects("capture_payment", payment.payment_id)


def test_part_of_an_authorised_amount_is_captured(holding: Account) -> None:
    """So much and no more."""
    account = holding
    payment = authorised(account)

    answer = account.run(account.port.capture_payment(payment, Money(500, "EUR"), key="capture"))
    made = stands(account, payment, answer)

    assert (PaymentState.CAPTURED, Money(500, "EUR")) == (made.state, made.captured)


def test_authorisation_is_given_up_once(account: Account) -> None:
    """Cancelled stays cancelled, and nothing can be collected any more, now or later."""
    payment = authorised(account)

    answers = [account.run(account.port.cancel_payment(payment, key="cancel")) for _ in range(2)]
    assert answers[0] == answers[1]
    cancelled = stands(account, payment, *answers)
    refused = outcome(account, account.port.capture_payment(payment, payment.amount, key="late"))

    assert PaymentState.CANCELLED is cancelled.state
    account.settle()

    if not isinstance(refused, HeadraceError):
        late = stands(account, cancelled if isinstance(cancelled, Payment) else payment, refused)
        # A capture that came too late is refused in words of its own.
        assert late.state in {PaymentState.CANCELLED, PaymentState.FAILED}
    assert 0 == account.effects("create_payment", payment.payment_id)


def test_same_refund_twice_is_given_once(account: Account) -> None:
    """A part of the amount, and found by our id of the refund."""
    payment = collected(account, prepared(account))
    part = Money(500, "EUR")

    for _ in range(2):
        assert part == refund(account, payment, part).amount

    assert part == refunded(account, payment, part).amount
    assert 1 == account.effects("refund_payment", _REFUND)


def test_lost_refund_is_found(account: Account) -> None:
    """By our own ids, of the refund and of the payment."""
    payment = collected(account, prepared(account))
    with account.losing_answers():
        lost = outcome(
            account, account.port.refund_payment(payment, _REFUND, payment.amount, key="refund")
        )
    assert isinstance(lost, InDoubt)

    assert payment.amount == refunded(account, payment, payment.amount).amount
    if not account.subject.blind:
        asked = msgspec.structs.replace(payment, provider_ref="")
        assert payment.amount == refunded(account, asked, payment.amount).amount
    assert 1 == account.effects("refund_payment", _REFUND)


def test_two_accounts_in_one_process_share_nothing(subject: Subject) -> None:
    """What one has the other does not find, although the ids are the same."""
    one, other = subject.account("payments", 1), subject.account("payments", 2)
    payment = prepared(one)

    one.run(one.port.create_payment(payment, key="k"))

    assert other.run(other.port.find_payment(payment)) is None
    assert (1, 0) == (
        one.effects("create_payment", payment.payment_id),
        other.effects("create_payment", payment.payment_id),
    )


# --- refusals and rubbish --------------------------------------------------------------------

Verb = Callable[[Account, Payment], Exchange[Any]]
_WRITES: dict[str, Verb] = {
    "create_payment": lambda a, p: a.port.create_payment(
        msgspec.structs.replace(p, provider_ref=""), key="w"
    ),
    "capture_payment": lambda a, p: a.port.capture_payment(p, p.amount, key="w"),
    "cancel_payment": lambda a, p: a.port.cancel_payment(p, key="w"),
    "refund_payment": lambda a, p: a.port.refund_payment(p, _REFUND, p.amount, key="w"),
}
# What can be called with which provider.
_WRITING = [
    pytest.param(one, verb, id=f"{one.adapter.product}-{verb}")
    for one in asked("payments")
    for verb in _WRITES
    if one.holds or verb != "capture_payment"
]
_READS: dict[str, Verb] = {
    "find_payment": lambda a, p: a.port.find_payment(p),
    "find_payment by our id": lambda a, p: a.port.find_payment(
        msgspec.structs.replace(p, provider_ref="")
    ),
    "find_refund": lambda a, p: a.port.find_refund(p, _REFUND),
}


@pytest.mark.parametrize("status", refusals.WRITES)
@pytest.mark.parametrize(("subject", "verb"), _WRITING)
def test_refused_write_is_one_of_the_errors(subject: Subject, verb: str, status: int) -> None:
    """The right one: doubt only where it may have happened."""
    account = subject.account("payments")
    payment = ready(account, verb)
    with account.refusing(status, reads=False):
        found = outcome(account, _WRITES[verb](account, payment))

    assert isinstance(found, refusals.WRITES[status]), found


@pytest.mark.parametrize("status", refusals.READS)
@pytest.mark.parametrize("verb", _READS)
def test_refused_read_leaves_no_doubt(account: Account, verb: str, status: int) -> None:
    """Whatever it meets, it can be asked again; only what is missing is None."""
    payment = authorised(account)
    before = len(account.sent)
    with account.refusing(status, reads=True):
        found = outcome(account, _READS[verb](account, payment))

    if found is None:
        # Who is not asked cannot refuse.
        assert 404 == status or len(account.sent) == before
    else:
        assert isinstance(found, refusals.READS[status]), found


def test_pause_that_the_provider_asks_for_is_passed_on(account: Account) -> None:
    """In seconds, so that whoever repeats it knows when."""
    with account.refusing(429, reads=False, retry_after_s=7):
        found = outcome(account, account.port.create_payment(prepared(account), key="k"))

    assert isinstance(found, Unavailable)
    assert 7 == found.retry_after_s


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"\xff\xfe"),
        httpx.Response(200, content=b"[" * 100_000),
    ],
    ids=["page", "object", "list", "nothing", "bytes", "deep"],
)
@pytest.mark.parametrize(("subject", "verb"), _WRITING)
def test_rubbish_after_a_write_is_doubt(
    subject: Subject, verb: str, spoilt: httpx.Response | None
) -> None:
    """It may have happened, so it is neither a failure nor a success."""
    account = subject.account("payments")
    payment = ready(account, verb)
    with account.spoiling(spoilt):
        found = outcome(account, _WRITES[verb](account, payment))

    assert isinstance(found, InDoubt), found


def test_answer_about_another_payment_is_doubt(account: Account) -> None:
    """A cache in between, or a mix-up of theirs: never taken for ours."""
    other = prepared(account, 2)
    account.run(account.port.create_payment(other, key="other"))
    (request,) = account.sent[-1:]
    theirs = account.simulator.handle(request, now=1_772_442_000.0)
    with account.spoiling(theirs):
        found = outcome(account, account.port.create_payment(prepared(account, 1), key="k"))

    assert isinstance(found, InDoubt)


# --- what every request is -------------------------------------------------------------------


def test_requests_are_few_and_carry_no_secret(account: Account) -> None:
    """Addresses end up in logs of others: ids only, no key and nobody's name."""
    payment = authorised(account)
    for verb in (*_READS.values(), *_WRITES.values()):
        before = len(account.sent)
        outcome(account, verb(account, payment))
        assert account.subject.requests >= len(account.sent) - before

    addresses = " ".join(str(request.url) for request in account.sent)
    token = () if account.subject.tokens_are_ids else (payment.token,)
    hidden = (*account.subject.secrets(account.settings), *token, *samples.SHOWN_NOWHERE)
    assert [] == [one for one in hidden if one in addresses]


def test_key_is_the_same_on_every_attempt(account: Account) -> None:
    """The bytes of a repetition are those of the first request."""
    payment = prepared(account)
    for _ in range(2):
        account.run(account.port.create_payment(payment, key="k"))

    first, second = (
        (one.method, one.url, sorted(one.headers.items()), one.read())
        for one in account.sent
        if one.method == "POST"
    )
    assert first == second


def test_look_up_changes_nothing(account: Account) -> None:
    """Any number of times."""
    payment = collected(account, prepared(account))
    before = account.simulator.effects()

    found: list[ProviderPayment] = [
        account.run(account.port.find_payment(payment)) for _ in range(3)
    ]

    assert found[0] == found[1] == found[2]
    assert before == account.simulator.effects()
