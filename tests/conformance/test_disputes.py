"""The port ``disputes``: claims are answered once, and whoever asks is told what became of them."""

from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest

from gateway.errors import InDoubt, Rejected, Unavailable
from gateway.model.dispute import AnswerKind, DisputeAnswer, DisputeState, ProviderDispute
from gateway.model.payment import AttemptState, Payment, PaymentAttempt
from gateway.policy import collecting
from gateway.ports.exchange import Exchange
from tests.conformance import refusals, samples
from tests.conformance.subject import Account, Subject, fulfilling, outcome

EVIDENCE = DisputeAnswer(
    answer_id="01950000-0000-7000-9000-000000000001-dispute-0a-answer-1",
    kind=AnswerKind.EVIDENCE,
    text="Delivered to Ada Lovelace, Lindenallee 77a, and signed for.",
    requested_at="2026-03-02T09:00:00+00:00",
)
_OPEN = DisputeState.OPEN
_DECIDED = {DisputeState.ACCEPTED, DisputeState.LOST}


# Those that cannot be asked how a claim stands are tested by their own suites.
_ASKED = [one for one in fulfilling("disputes") if not one.blind]


@pytest.fixture(params=_ASKED, ids=lambda one: one.adapter.product)
def subject(request: pytest.FixtureRequest) -> Subject:
    found: Subject = request.param
    return found


@pytest.fixture
def account(subject: Subject) -> Account:
    return subject.account("disputes")


def collected(account: Account, number: int = 1) -> Payment:
    """A payment that was collected, with the provider's reference."""
    subject = account.subject
    attempt = PaymentAttempt(attempt_id="a", key="create", state=AttemptState.PREPARED)
    ours = samples.payment(
        number,
        token=subject.tokens["accepted"],
        method=subject.method,
        amount=subject.amounts[0],
    )
    ours = msgspec.structs.replace(ours, attempts=(attempt,))
    port = subject.adapter.port("payments", account.settings)
    made = account.run(port.create_payment(ours, key=f"create-{number}"))
    account.settle()
    ours, _ = collecting.apply(ours, made)
    found = account.run(port.find_payment(ours))
    return collecting.apply(ours, found)[0]


def disputed(account: Account, number: int = 1) -> tuple[Payment, str]:
    """A payment that the payer claims back, with the reference of the movement."""
    payment = collected(account, number)
    assert account.subject.dispute is not None
    return payment, account.subject.dispute(account, payment)


def find(account: Account, payment: Payment, ref: str) -> ProviderDispute | None:
    found: ProviderDispute | None = account.run(account.port.find_dispute(payment, ref))
    return found


def test_claim_is_found(account: Account) -> None:
    """Its amount, why, and until when it can be answered."""
    payment, ref = disputed(account)

    found = find(account, payment, ref)

    assert found is not None
    assert (ref, _OPEN, payment.amount) == (found.provider_ref, found.state, found.amount)
    assert found.reason_code
    assert found.due_by > "2026"
    assert found.movement is None or found.movement.ref == ref


def test_claim_that_does_not_exist_is_not_found(account: Account) -> None:
    """Beside others that do."""
    payment, _ = disputed(account)

    assert find(account, payment, "NOWHERE1") is None


def test_acceptance_decides_once(account: Account) -> None:
    """It is gone for us; the same key tells so again, or that there is nothing left to do."""
    payment, ref = disputed(account)

    first, again = (
        outcome(account, account.port.accept_dispute(payment, ref, key="accept")) for _ in range(2)
    )
    assert first.state in _DECIDED
    assert isinstance(again, Rejected) or first == again

    found = find(account, payment, ref)
    assert found is not None
    assert found.state in _DECIDED
    assert 1 == account.total("accept_dispute")


def test_evidence_is_looked_at_once(account: Account) -> None:
    """The same key hands it in once, and tells so again or refuses."""
    payment, ref = disputed(account)

    first, again = (
        outcome(account, account.port.submit_evidence(payment, ref, EVIDENCE, key="evidence"))
        for _ in range(2)
    )
    assert DisputeState.UNDER_REVIEW is first.state
    assert isinstance(again, Rejected) or first == again

    found = find(account, payment, ref)
    assert found is not None
    assert DisputeState.UNDER_REVIEW is found.state
    assert 1 == account.total("submit_evidence")


def test_what_is_decided_takes_no_evidence(account: Account) -> None:
    """Nor can it be accepted again, with another key."""
    payment, ref = disputed(account)
    account.run(account.port.accept_dispute(payment, ref, key="accept"))

    late = outcome(account, account.port.submit_evidence(payment, ref, EVIDENCE, key="late"))
    again = outcome(account, account.port.accept_dispute(payment, ref, key="again"))

    assert isinstance(late, Rejected)
    assert isinstance(again, Rejected)
    assert (1, 0) == (account.total("accept_dispute"), account.total("submit_evidence"))


Verb = Callable[[Account, Payment, str], Exchange[Any]]
_WRITES: dict[str, Verb] = {
    "accept_dispute": lambda a, p, ref: a.port.accept_dispute(p, ref, key="w"),
    "submit_evidence": lambda a, p, ref: a.port.submit_evidence(p, ref, EVIDENCE, key="w"),
}


@pytest.mark.parametrize("verb", _WRITES)
def test_lost_answer_is_found(account: Account, verb: str) -> None:
    """The claim itself has moved on."""
    payment, ref = disputed(account)
    with account.losing_answers():
        lost = outcome(account, _WRITES[verb](account, payment, ref))

    found = find(account, payment, ref)

    assert isinstance(lost, InDoubt)
    assert found is not None
    assert found.state is not _OPEN
    assert 1 == account.total(verb)


@pytest.mark.parametrize("verb", _WRITES)
def test_what_never_arrived_can_be_repeated(account: Account, verb: str) -> None:
    """The claim is as it was, and the same key makes it happen."""
    payment, ref = disputed(account)
    with account.unreachable():
        lost = outcome(account, _WRITES[verb](account, payment, ref))
    assert isinstance(lost, Unavailable)
    found = find(account, payment, ref)
    assert found is not None
    assert found.state is _OPEN

    account.run(_WRITES[verb](account, payment, ref))

    assert 1 == account.total(verb)


def test_claim_of_another_payment_is_never_taken_for_ours(account: Account) -> None:
    """A mix-up of theirs, or of ours."""
    payment = collected(account, 1)
    _, ref = disputed(account, 2)

    found = outcome(account, account.port.find_dispute(payment, ref))

    assert found is None or isinstance(found, InDoubt)


def test_two_accounts_in_one_process_share_nothing(subject: Subject) -> None:
    """What one has the other does not find, although the ids are the same."""
    one, other = subject.account("disputes", 1), subject.account("disputes", 2)
    payment, ref = disputed(one)

    assert find(other, payment, ref) is None


@pytest.mark.parametrize("status", refusals.WRITES)
@pytest.mark.parametrize("verb", _WRITES)
def test_refused_write_is_one_of_the_errors(account: Account, verb: str, status: int) -> None:
    """The right one: doubt only where it may have happened."""
    payment, ref = disputed(account)
    with account.refusing(status, reads=False):
        found = outcome(account, _WRITES[verb](account, payment, ref))

    assert isinstance(found, refusals.WRITES[status]), found


@pytest.mark.parametrize("status", refusals.READS)
def test_refused_read_leaves_no_doubt(account: Account, status: int) -> None:
    """Whatever it meets, it can be asked again; only what is missing is None."""
    payment, ref = disputed(account)
    with account.refusing(status, reads=True):
        found = outcome(account, account.port.find_dispute(payment, ref))

    if found is None:
        assert 404 == status
    else:
        assert isinstance(found, refusals.READS[status]), found


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b"\xff\xfe"),
    ],
    ids=["page", "object", "list", "bytes"],
)
@pytest.mark.parametrize("verb", _WRITES)
def test_rubbish_after_a_write_is_doubt(
    account: Account, verb: str, spoilt: httpx.Response | None
) -> None:
    """It may have happened: neither a failure nor a success, unless the claim itself is read."""
    payment, ref = disputed(account)
    with account.spoiling(spoilt):
        found = outcome(account, _WRITES[verb](account, payment, ref))

    assert isinstance(found, InDoubt) or found == find(account, payment, ref)


def test_requests_are_few_and_carry_no_secret(account: Account) -> None:
    """Addresses end up in logs of others: ids only, no key and nobody's name."""
    payment, ref = disputed(account)
    for verb in (*_WRITES.values(), lambda a, p, ref: a.port.find_dispute(p, ref)):
        before = len(account.sent)
        outcome(account, verb(account, payment, ref))
        assert account.subject.requests >= len(account.sent) - before

    addresses = " ".join(str(request.url) for request in account.sent)
    hidden = (*account.subject.secrets(account.settings), *samples.SHOWN_NOWHERE)
    assert [] == [one for one in hidden if one in addresses]
