"""Transfers to members at Stripe: what is sent, what is believed, and what Stripe documents."""

import json
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest

from adapters.stripe import ADAPTER, Settings
from adapters.stripe.simulator import StripeSimulator
from adapters.stripe.transfers import StripeTransfers
from gateway.errors import InDoubt, Rejected
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment
from gateway.model.reference import EntityKind
from gateway.model.split import SplitMode
from gateway.model.transfer import MemberTransfer
from gateway.ports.notification import Notification
from tests.adapters.stripe.test_schema import complaints, spec

__all__ = ["spec"]

NOW = 1_767_225_600.0
PART = Money(1_000, "EUR")


class Account:
    """A simulator with its adapter."""

    def __init__(self) -> None:
        self.simulator = StripeSimulator(webhook_url="http://hub/webhooks", secret_key="sk")
        self.port: StripeTransfers = ADAPTER.port("transfers", Settings(secret_key="sk"))
        self.requests: list[httpx.Request] = []
        self.answers: list[dict[str, Any]] = []

    def send(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self.simulator.handle(request, now=NOW)
        self.answers.append(json.loads(response.content))
        return response

    def run(self, exchange: Any) -> Any:
        return run(exchange, self.send)


@pytest.fixture
def account() -> Account:
    return Account()


def transfer(amount: int = 8_000, currency: str = "EUR", **fields: Any) -> MemberTransfer:
    values = {"transfer_id": "tr-1", "destination": "acct_1", **fields}
    return MemberTransfer(
        amount=Money(amount, currency),
        provider="stripe_de",
        requested_at="2026-01-01T00:00:00Z",
        reversed=Money(0, currency),
        **values,
    )


def charged(account: Account, amount: int = 10_000, *, held: bool = False, group: str = "") -> str:
    """Stripe's id of a payment that the platform has collected, or only holds."""
    zero = Money(0, "EUR")
    ours = Payment(
        payment_id=group or "p",
        amount=Money(amount, "EUR"),
        method_code="card",
        token="pm_card_visa",
        capture_method=CaptureMethod.MANUAL if held else CaptureMethod.AUTOMATIC,
        requested_at="2026-01-01T00:00:00Z",
        captured=zero,
        refunded=zero,
        returned=zero,
        disputed=zero,
        split_mode=SplitMode.AFTER_PAYMENT if group else SplitMode.AT_PAYMENT,
    )
    port = ADAPTER.port("payments", Settings(secret_key="sk"))
    made = account.run(port.create_payment(ours, key=f"pay-{amount}-{group}"))
    return str(made.provider_ref)


def refer(one: MemberTransfer, found: Any) -> MemberTransfer:
    return msgspec.structs.replace(one, provider_ref=found.provider_ref)


@pytest.mark.parametrize("fields", [{"source": "acct_2"}, {"destination": "platform"}])
def test_only_the_platform_gives_to_members(account: Account, fields: dict[str, Any]) -> None:
    """Anything else is refused, and nothing is sent."""
    with pytest.raises(Rejected) as refused:
        account.run(account.port.create_transfer(transfer(**fields), key="k"))

    assert ("source_unsupported", []) == (refused.value.code, account.requests)


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 8_001},
        {"currency": "usd"},
        {"destination": "acct_2"},
        {"destination": None},
        {"metadata": {"transfer_id": "tr-2"}},
        {"id": "tr_other"},
    ],
)
def test_answer_about_something_else_is_doubt(account: Account, fields: dict[str, Any]) -> None:
    """Another amount, currency, member or id."""
    one = transfer()
    made = account.run(account.port.create_transfer(one, key="k"))
    theirs = {**account.answers[-1], **fields}
    with pytest.raises(InDoubt) as doubt:
        run(
            account.port.find_transfer(refer(one, made)), lambda _: httpx.Response(200, json=theirs)
        )

    assert "integrity_mismatch" == doubt.value.code


@pytest.mark.parametrize(
    "fields", [{"amount": 999}, {"transfer": "tr_other"}, {"metadata": {"reversal_id": "x"}}]
)
def test_reversal_of_something_else_is_doubt(account: Account, fields: dict[str, Any]) -> None:
    """Another amount, transfer or id."""
    one = refer(transfer(), account.run(account.port.create_transfer(transfer(), key="k")))
    account.run(account.port.reverse_transfer(one, "r-1", PART, key="b"))
    theirs = {**account.answers[-1], **fields}
    exchange = account.port.reverse_transfer(one, "r-1", PART, key="b")
    with pytest.raises(InDoubt) as doubt:
        run(exchange, lambda _: httpx.Response(200, json=theirs))

    assert "integrity_mismatch" == doubt.value.code


def test_webhook_names_our_transfer(account: Account) -> None:
    """By our id in its metadata, and by Stripe's."""
    made = account.run(account.port.create_transfer(transfer(), key="k"))
    (delivery,) = account.simulator.due(now=NOW)

    (event,) = ADAPTER.port("webhooks", Settings(secret_key="sk")).read(
        Notification(body=delivery.read())
    )

    assert event.about is not None
    assert (EntityKind.TRANSFER, "tr-1", made.provider_ref) == (
        event.about.entity,
        event.about.entity_id,
        event.about.external_id,
    )


def test_requests_are_these(account: Account) -> None:
    """Method, address and body of each verb."""
    one = transfer(text="Order", group="O-1")
    made = refer(one, account.run(account.port.create_transfer(one, key="key-1")))
    account.run(account.port.find_transfer(one))
    account.run(account.port.reverse_transfer(made, "r-1", PART, key="key-2"))
    account.run(account.port.find_reversal(made, "r-1"))

    ref = made.provider_ref
    assert [
        (
            "POST /v1/transfers amount=8000&currency=eur&destination=acct_1"
            "&metadata[transfer_id]=tr-1&description=Order&transfer_group=O-1"
        ),
        "GET /v1/transfers?created[gte]=1767225300&destination=acct_1&limit=100 ",
        (
            f"POST /v1/transfers/{ref}/reversals amount=1000&metadata[reversal_id]=r-1"
            "&metadata[transfer_id]=tr-1"
        ),
        f"GET /v1/transfers/{ref}/reversals?limit=100 ",
    ] == [f"{r.method} {r.url.raw_path.decode()} {r.read().decode()}" for r in account.requests]
    assert ["key-1", "key-2"] == [
        r.headers["idempotency-key"] for r in account.requests if r.method == "POST"
    ]


def test_part_of_a_payment_is_its_charge(account: Account) -> None:
    """The charge is read first; the same key moves the same money."""
    intent = charged(account, group="G")
    one = transfer(payment_ref=intent, group="G")
    del account.requests[:]
    for _ in range(2):
        made = account.run(account.port.create_transfer(one, key="k"))

    (charge,) = account.simulator._charges
    assert account.requests[0].url.path == f"/v1/payment_intents/{intent}"
    assert f"source_transaction={charge}" in account.requests[1].read().decode()
    assert [made.provider_ref] == list(account.simulator.connect._transfers)


@pytest.mark.parametrize(
    ("paid", "fields"),
    [
        ({"amount": 7_999}, {}),
        ({"held": True}, {}),
        ({"group": "G"}, {"group": "H"}),
        ({}, {"currency": "USD"}),
    ],
)
def test_charge_gives_no_more_than_it_has(
    account: Account, paid: dict[str, Any], fields: dict[str, Any]
) -> None:
    """Neither more than was collected, nor what is only held, nor to another group."""
    one = transfer(payment_ref=charged(account, **paid), **fields)
    with pytest.raises(Rejected):
        account.run(account.port.create_transfer(one, key="k"))

    assert {} == account.simulator.connect._transfers


def test_payment_without_a_charge_pays_nobody(account: Account) -> None:
    """There is nothing yet that could be divided; nothing is moved."""
    one = transfer(payment_ref="pi_1")
    exchange = account.port.create_transfer(one, key="k")
    answer = {"id": "pi_1", "amount": 1, "currency": "eur", "status": "processing", "created": 1}
    with pytest.raises(Rejected) as refused:
        run(exchange, lambda _: httpx.Response(200, json=answer))

    assert "charge_missing" == refused.value.code


def test_requests_and_answers_are_as_stripe_documents_them(
    spec: dict[str, Any], account: Account
) -> None:
    """Every verb with every kind of amount, and the simulator's objects."""
    for number, (amount, currency) in enumerate(
        [(8_000, "EUR"), (500, "JPY"), (99_999_999, "USD"), (5_120, "KWD")]
    ):
        ref = charged(account, group="G") if number == 0 else ""
        one = transfer(
            amount, currency, transfer_id=f"t{number}", text="x" * 140, group="G", payment_ref=ref
        )
        made = refer(one, account.run(account.port.create_transfer(one, key=str(number))))
        account.run(account.port.find_transfer(one))
        account.run(account.port.find_transfer(made))
        account.run(account.port.reverse_transfer(made, f"r{number}", one.amount, key=f"{number}b"))
        account.run(account.port.find_reversal(made, f"r{number}"))

    assert [] == [wrong for one in account.requests for wrong in complaints(spec, one)]
    things = [
        thing
        for body in account.answers
        for thing in (body["data"] if body["object"] == "list" else [body])
        if thing["object"] != "payment_intent"  # test_schema.py has them
    ]
    for thing in things:
        schema = {
            "$ref": f"#/components/schemas/{thing['object']}",
            "components": spec["components"],
        }
        jsonschema.Draft202012Validator(schema).validate(thing)
    assert 22 == len(account.requests)
    assert {"transfer", "transfer_reversal"} == {thing["object"] for thing in things}
