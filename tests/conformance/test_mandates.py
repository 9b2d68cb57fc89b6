"""The port ``mandates``: a payer is asked once, and whoever asks is told what became of it."""

from typing import Any

import httpx
import msgspec
import pytest

from gateway.errors import InDoubt, Rejected, Unavailable
from gateway.model.held_mandate import DebtorAccount, HeldMandate, ProviderMandate, Signing
from gateway.model.mandate import MandateState
from gateway.model.money import Money
from gateway.model.payment import PaymentState
from gateway.policy import holding
from tests.conformance import refusals, samples
from tests.conformance.subject import Account, fulfilling, outcome

_S = MandateState
_ACCOUNT = DebtorAccount(
    debtor_name="Erika Mustermann", iban="DE89370400440532013000", email="erika@example.com"
)


def _cases() -> list[Any]:
    return [
        pytest.param(subject, method, way, id=f"{subject.adapter.product}-{method}-{way.lower()}")
        for subject in fulfilling("mandates")
        for method, ways in sorted(subject.account("mandates").port.signing.items())
        for way in sorted(ways)
    ]


@pytest.fixture(params=fulfilling("mandates"), ids=lambda one: one.adapter.product)
def account(request: pytest.FixtureRequest) -> Account:
    found: Account = request.param.account("mandates")
    return found


def mandate(account: Account, number: int = 1, method: str = "", way: str = "") -> HeldMandate:
    """A mandate for the first method, given in the first way, that the system has."""
    method = method or min(account.port.signing)
    way = way or min(account.port.signing[method])
    return HeldMandate(
        mandate_id=f"01950000-0000-7000-9200-{number:012}",
        system="provider",
        method_code=method,
        customer_id="C-1",
        return_url="https://shop.example/back" if way == Signing.PAGE else "",
        account=_ACCOUNT if way == Signing.ACCOUNT else None,
        requested_at="2026-03-02T09:00:00+00:00",
    )


def after(one: HeldMandate, said: ProviderMandate) -> HeldMandate:
    """The mandate as the hub keeps it after the provider's word."""
    return holding.apply(one, said)[0]


def created(account: Account, one: HeldMandate) -> HeldMandate:
    """The mandate with the provider's references."""
    return after(one, account.run(account.port.create_mandate(one, key=one.mandate_id)))


def signed(account: Account, one: HeldMandate) -> HeldMandate:
    """The mandate that the payer has agreed to, as the provider has it."""
    made = created(account, one)
    if made.state is _S.PENDING:
        account.subject.sign(account, made)
        account.settle()
        made = after(made, account.run(account.port.find_mandate(made)))
    return made


def pay(account: Account, one: HeldMandate) -> Any:
    """What becomes of a payment by the mandate."""
    rows = account.subject.adapter.capabilities
    currencies = next(row.currencies for row in rows if row.method == one.method_code)
    currency = "EUR" if "EUR" in currencies or not currencies else currencies[0]
    payment = samples.payment(
        token=one.token, amount=Money(1_999, currency), method=one.method_code
    )
    port = account.subject.adapter.ports["payments"](account.settings)
    return outcome(account, port.create_payment(payment, key="pay"))


@pytest.mark.parametrize(("subject", "method", "way"), _cases())
def test_payer_agrees_and_pays_by_it(subject: Any, method: str, way: str) -> None:
    """Every method, every way: a token comes of it, and the provider takes a payment by it."""
    account = subject.account("mandates")
    asked = mandate(account, method=method, way=way)
    made = created(account, asked)
    if way == Signing.PAGE:
        assert _S.PENDING is made.state
        assert made.next_action is not None
        assert made.next_action.url.startswith("http")

    found = signed(account, asked)

    assert (_S.ACTIVE, True, None) == (found.state, bool(found.token), found.next_action)
    assert 1 == account.effects("create_mandate", asked.mandate_id)
    assert pay(account, found).state not in {PaymentState.FAILED, PaymentState.CANCELLED}


def test_unknown_method_is_refused_before_anything_is_sent(account: Account) -> None:
    """There is no mandate for cash."""
    one = msgspec.structs.replace(mandate(account), method_code="cash")

    found = outcome(account, account.port.create_mandate(one, key=one.mandate_id))

    assert isinstance(found, Rejected)
    assert ("method_unsupported", []) == (found.code, account.sent)


def test_same_key_twice_asks_once(account: Account) -> None:
    """The second answer is about the same mandate."""
    one = mandate(account)

    first, second = (created(account, one) for _ in range(2))

    assert (first.request_ref, first.provider_ref) == (second.request_ref, second.provider_ref)
    assert (first.next_action is None) == (second.next_action is None)
    assert 1 == account.effects("create_mandate", one.mandate_id)


def test_lost_answer_is_found(account: Account) -> None:
    """By our own id, with a page where the payer has to agree: theirs never arrived."""
    one = mandate(account)
    created(account, mandate(account, 2))
    with account.losing_answers():
        lost = outcome(account, account.port.create_mandate(one, key=one.mandate_id))

    found = account.run(account.port.find_mandate(one))

    assert isinstance(lost, InDoubt)
    if found is None:
        # What was only begun is done now, with the same key.
        found = account.run(account.port.create_mandate(one, key=one.mandate_id))
    assert (found.state is _S.PENDING) == (found.next_action is not None)
    assert 1 == account.effects("create_mandate", one.mandate_id)


def test_each_lost_answer_is_found(account: Account) -> None:
    """Whichever of its requests loses its answer, there is one mandate in the end."""
    usual = account.subject.account("mandates")
    created(usual, mandate(usual))
    writes = sum(request.method != "GET" for request in usual.sent)
    for number in range(1, writes + 1):
        one = mandate(account, number + 10)
        exchange = account.port.create_mandate(one, key=one.mandate_id)
        with account.losing_answer(number):
            assert isinstance(outcome(account, exchange), InDoubt)

        found = account.run(account.port.find_mandate(one))
        if found is None:
            found = account.run(account.port.create_mandate(one, key=one.mandate_id))

        assert (found.state is _S.PENDING) == (found.next_action is not None)
        assert 1 == account.effects("create_mandate", one.mandate_id)


def test_what_never_arrived_can_be_repeated(account: Account) -> None:
    """None is an answer; the same key makes it happen afterwards, or the look-up itself."""
    one = mandate(account)
    with account.unreachable():
        assert isinstance(
            outcome(account, account.port.create_mandate(one, key=one.mandate_id)), Unavailable
        )
    found = account.run(account.port.find_mandate(one))
    assert (found is not None) == account.subject.repeats

    created(account, one)

    assert 1 == account.effects("create_mandate", one.mandate_id)


def test_foreign_reference_is_not_found(account: Account) -> None:
    """Another account's mandate is nobody's here."""
    made = signed(account, mandate(account))
    names = {name: f"{getattr(made, name)}x" for name in ("request_ref", "provider_ref", "token")}
    names["mandate_id"] = mandate(account, 99).mandate_id

    assert account.run(account.port.find_mandate(msgspec.structs.replace(made, **names))) is None


def test_two_accounts_in_one_process_share_nothing(account: Account) -> None:
    """What one has the other does not find, although the ids are the same."""
    other = account.subject.account("mandates", 2)
    one = created(account, mandate(account))

    assert outcome(other, other.port.find_mandate(one)) is None


@pytest.mark.parametrize(("subject", "method", "way"), _cases())
def test_revoked_mandate_pays_nothing(subject: Any, method: str, way: str) -> None:
    """Revoking again changes nothing; a payment by it is declined or refused."""
    account = subject.account("mandates")
    one = signed(account, mandate(account, method=method, way=way))

    gone = after(one, account.run(account.port.revoke_mandate(one, key="revoke")))
    again = account.run(account.port.revoke_mandate(one, key="revoke"))
    found = account.run(account.port.find_mandate(one))

    assert (_S.REVOKED, _S.REVOKED) == (gone.state, again.state)
    assert found is None or _S.REVOKED is found.state
    assert 0 == account.effects("create_mandate", one.mandate_id)
    declined = pay(account, gone)
    assert isinstance(declined, Rejected) or PaymentState.FAILED is declined.state, declined


def test_request_is_revoked_before_the_payer_agrees(account: Account) -> None:
    """The page leads nowhere afterwards, and no mandate comes of it."""
    one = created(account, mandate(account))
    if one.state is not _S.PENDING:
        pytest.skip("skipped: no method waits for the payer")

    gone = account.run(account.port.revoke_mandate(one, key="revoke"))

    assert _S.REVOKED is gone.state
    # A request that nobody can withdraw lapses: nobody completes it.
    assert account.subject.repeats or not account.effects("create_mandate", one.mandate_id)


def test_payer_who_agrees_meanwhile_is_revoked_all_the_same(account: Account) -> None:
    """We know the request only; the mandate that it has made is what ends."""
    one = created(account, mandate(account))
    if one.state is not _S.PENDING:
        pytest.skip("skipped: no method waits for the payer")
    account.subject.sign(account, one)

    gone = account.run(account.port.revoke_mandate(one, key="revoke"))

    assert _S.REVOKED is gone.state
    assert account.subject.repeats or not account.effects("create_mandate", one.mandate_id)
    found = account.run(account.port.find_mandate(after(one, gone)))
    assert found is None or found.state is not _S.ACTIVE


# --- refusals and rubbish --------------------------------------------------------------------


@pytest.mark.parametrize("status", refusals.WRITES)
def test_refused_write_is_one_of_the_errors(account: Account, status: int) -> None:
    """The right one: doubt only where it may have happened."""
    with account.refusing(status, reads=False):
        found = outcome(account, account.port.create_mandate(mandate(account), key="w"))

    assert isinstance(found, refusals.WRITES[status]), found


@pytest.mark.parametrize("status", refusals.READS)
def test_refused_read_leaves_no_doubt(account: Account, status: int) -> None:
    """Whatever it meets, it can be asked again; only what is missing is None."""
    one = created(account, mandate(account))
    with account.refusing(status, reads=True):
        found = outcome(account, account.port.find_mandate(one))

    assert isinstance(found, refusals.READS[status]) if found else status == 404, found


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        httpx.Response(200, json={}),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b""),
        httpx.Response(200, content=b"[" * 100_000),
    ],
    ids=["page", "object", "list", "nothing", "deep"],
)
def test_rubbish_after_a_write_is_doubt(account: Account, spoilt: httpx.Response | None) -> None:
    """It may have happened, so it is neither a failure nor a success."""
    with account.spoiling(spoilt):
        found = outcome(account, account.port.create_mandate(mandate(account), key="w"))

    assert isinstance(found, InDoubt), found


def test_answer_about_another_mandate_is_doubt(account: Account) -> None:
    """A cache in between, or a mix-up of theirs: never taken for ours."""
    write = next(account.port.create_mandate(mandate(account, 2), key="other"))
    theirs = account._send(write)
    with account.spoiling(theirs):
        found = outcome(account, account.port.create_mandate(mandate(account, 1), key="w"))

    assert isinstance(found, InDoubt), found


def test_addresses_carry_neither_secrets_nor_names(account: Account) -> None:
    """Addresses end up in logs of others: ids only."""
    named = [(method, way) for method, ways in account.port.signing.items() for way in ways]
    for number, (method, way) in enumerate(sorted(named), 50):
        one = signed(account, mandate(account, number, method=method, way=way))
        account.run(account.port.revoke_mandate(one, key=f"c{one.mandate_id}"))

    addresses = " ".join(str(request.url) for request in account.sent)
    hidden = (
        *account.subject.secrets(account.settings),
        *(_ACCOUNT.iban, _ACCOUNT.debtor_name, _ACCOUNT.email or "nobody@"),
    )
    assert [] == [text for text in hidden if text in addresses]
