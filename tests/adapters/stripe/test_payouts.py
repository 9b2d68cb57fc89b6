"""Payouts of members at Stripe: in whose name, how much, and what Stripe's document says."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest

from adapters.stripe import ADAPTER, Settings
from adapters.stripe.payouts import StripePayouts
from adapters.stripe.simulator import StripeSimulator
from gateway.errors import HeadraceError, InDoubt, Rejected
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payout import Destination, Payout, PayoutState
from gateway.model.reference import EntityKind
from gateway.ports.notification import Notification
from tests.adapters.stripe.test_schema import complaints, spec

__all__ = ["spec"]

NOW = 1_767_225_600.0
S = PayoutState


class Account:
    """A simulator with its adapter; ``now`` is moved by the test."""

    def __init__(self) -> None:
        self.simulator = StripeSimulator(webhook_url="http://hub/webhooks", secret_key="sk")
        self.port: StripePayouts = ADAPTER.port("payouts", Settings(secret_key="sk"))
        self.now = NOW
        self.requests: list[httpx.Request] = []
        self.answers: list[dict[str, Any]] = []

    def send(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self.simulator.handle(request, now=self.now)
        self.answers.append(json.loads(response.content))
        return response

    def run(self, exchange: Any) -> Any:
        return run(exchange, self.send)


@pytest.fixture
def account() -> Account:
    return Account()


def payout(amount: int = 12_000, currency: str = "EUR", **fields: Any) -> Payout:
    values = {"payout_id": "po-1", "text": "Sales", "reference": "W-1", **fields}
    return Payout(
        amount=Money(amount, currency),
        destination=values.pop("destination", Destination(account="acct_1")),
        provider="stripe_de",
        requested_by="shop",
        requested_at="2026-01-01T00:00:00Z",
        **values,
    )


def refer(one: Payout, found: Any) -> Payout:
    return msgspec.structs.replace(one, provider_ref=found.provider_ref)


def answer(exchange: Any, status: int, content: Any) -> Any:
    """Give the next request this answer, whatever it asked."""
    return run(exchange, lambda _: httpx.Response(status, json=content))


def theirs(**fields: Any) -> dict[str, Any]:
    return {
        "id": "po_1",
        "amount": 12_000,
        "currency": "eur",
        "status": "paid",
        "created": 1,
        "metadata": {"payout_id": "po-1"},
        **fields,
    }


def test_it_is_done_in_the_name_of_the_member(account: Account) -> None:
    """Every request, and another member's payouts are not looked at."""
    one = payout()
    made = account.run(account.port.create_payout(one, key="k"))
    account.run(account.port.find_payout(one))
    account.run(account.port.find_payout(refer(one, made)))
    account.run(account.port.cancel_payout(refer(one, made), key="x"))
    other = payout(destination=Destination(account="acct_2"))

    assert {"acct_1"} == {request.headers["stripe-account"] for request in account.requests}
    assert account.run(account.port.find_payout(other)) is None
    assert account.run(account.port.find_payout(refer(other, made))) is None


def test_one_key_of_two_members_is_two_payouts(account: Account) -> None:
    """Stripe keeps keys for each account."""
    for number in (1, 2):
        one = payout(payout_id=f"p{number}", destination=Destination(account=f"acct_{number}"))
        account.run(account.port.create_payout(one, key="k"))

    assert {"p1": 1, "p2": 1} == account.simulator.effects()["payout"]


def test_among_many_it_is_found(account: Account) -> None:
    """Page after page."""
    for number in range(250):
        one = payout(payout_id=f"p{number}")
        account.run(account.port.create_payout(one, key=str(number)))

    found = account.run(account.port.find_payout(payout(payout_id="p7")))

    assert found is not None
    assert 3 == sum(request.method == "GET" for request in account.requests)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"destination": Destination(email="ada@example.com")}, "destination_unsupported"),
        ({"destination": Destination(member_id="M-1")}, "destination_unsupported"),
        ({"amount": 1_001, "currency": "HUF"}, "amount_too_fine"),
        ({"currency": "IQD"}, "currency_unsupported"),
    ],
)
def test_what_stripe_cannot_do_is_not_sent(
    account: Account, fields: dict[str, Any], code: str
) -> None:
    """Refused with a code of ours."""
    with pytest.raises(Rejected) as refused:
        account.run(account.port.create_payout(payout(**fields), key="k"))

    assert (code, []) == (refused.value.code, account.requests)


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 12_001},
        {"currency": "usd"},
        {"metadata": {"payout_id": "po-2"}},
        {"metadata": None},
        {"metadata": {}},
    ],
)
def test_answer_about_something_else_is_doubt(fields: dict[str, Any]) -> None:
    """Another amount, currency or id."""
    port: StripePayouts = ADAPTER.port("payouts", Settings(secret_key="sk"))
    with pytest.raises(InDoubt) as doubt:
        answer(port.create_payout(payout(), key="k"), 200, theirs(**fields))

    assert "integrity_mismatch" == doubt.value.code


@pytest.mark.parametrize(("status", "code"), [("gone", "status_unknown"), (None, "status_unknown")])
def test_status_that_nobody_told_us_of_is_doubt(status: str | None, code: str) -> None:
    """Neither a failure nor a success."""
    port: StripePayouts = ADAPTER.port("payouts", Settings(secret_key="sk"))
    with pytest.raises(HeadraceError) as doubt:
        answer(port.create_payout(payout(), key="k"), 200, theirs(status=status))

    assert isinstance(doubt.value, InDoubt)
    assert code == doubt.value.code


def test_webhook_names_our_payout_and_no_other(account: Account) -> None:
    """Those that Stripe makes by a schedule are none of ours."""
    made = account.run(account.port.create_payout(payout(), key="k"))
    port = ADAPTER.port("webhooks", Settings(secret_key="sk"))
    (delivery,) = account.simulator.due(now=account.now)
    own = json.loads(delivery.read())
    scheduled = {**own, "data": {"object": {**own["data"]["object"], "metadata": {}}}}

    (event,) = port.read(Notification(body=delivery.read()))
    (other,) = port.read(Notification(body=msgspec.json.encode(scheduled)))

    assert event.about is not None
    assert (EntityKind.PAYOUT, "po-1", made.provider_ref) == (
        event.about.entity,
        event.about.entity_id,
        event.about.external_id,
    )
    assert other.about is None


def test_requests_and_answers_are_as_stripe_documents_them(
    spec: dict[str, Any], account: Account
) -> None:
    """Every verb with every kind of amount, and the simulator's objects."""
    for number, (amount, currency, fields) in enumerate(
        [
            (12_000, "EUR", {}),
            (500, "JPY", {"text": "", "reference": ""}),
            (99_999_999, "USD", {"text": "x" * 140}),
            (1_000, "HUF", {}),
            (5_120, "KWD", {}),
        ]
    ):
        one = payout(amount, currency, payout_id=f"p{number}", **fields)
        made = account.run(account.port.create_payout(one, key=str(number)))
        account.run(account.port.find_payout(one))
        account.run(account.port.find_payout(refer(one, made)))
        account.run(account.port.cancel_payout(refer(one, made), key=f"{number}x"))

    assert [] == [wrong for one in account.requests for wrong in complaints(spec, one)]
    shapes = [
        thing
        for body in account.answers
        for thing in (body["data"] if body["object"] == "list" else [body])
    ]
    schema = {"$ref": "#/components/schemas/payout", "components": spec["components"]}
    validator = jsonschema.Draft202012Validator(schema)
    assert [] == [error.message for thing in shapes for error in validator.iter_errors(thing)]
    assert 20 == len(account.requests)


GOLDEN: dict[str, Callable[[StripePayouts, Payout], Any]] = {
    "create": lambda port, one: port.create_payout(one, key="key-1"),
    "cancel": lambda port, one: port.cancel_payout(
        msgspec.structs.replace(one, provider_ref="po_1"), key="key-2"
    ),
    "find": lambda port, one: port.find_payout(one),
}


def test_requests_are_these() -> None:
    """Method, address and body of each verb."""
    port: StripePayouts = ADAPTER.port("payouts", Settings(secret_key="sk"))
    sent = {name: next(verb(port, payout())) for name, verb in GOLDEN.items()}

    assert {
        "create": (
            "POST /v1/payouts amount=12000&currency=eur&description=Sales"
            "&metadata[payout_id]=po-1&metadata[reference]=W-1"
        ),
        "cancel": "POST /v1/payouts/po_1/cancel ",
        "find": "GET /v1/payouts?created[gte]=1767225300&limit=100 ",
    } == {
        name: f"{one.method} {one.url.raw_path.decode()} {one.read().decode()}"
        for name, one in sent.items()
    }
    assert "key-1" == sent["create"].headers["idempotency-key"]
