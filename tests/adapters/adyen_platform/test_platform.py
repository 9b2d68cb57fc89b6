"""Adyen's platform: what is sent, what is believed, and what its documents say."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import msgspec
import pytest

from adapters.adyen_platform import ADAPTER, Settings
from gateway.errors import InDoubt, Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.kit.mapping import installed
from gateway.kit.mapping.schemas import Schemas
from gateway.kit.mapping.types import Field, Type
from gateway.model.money import Money
from gateway.model.payout import Destination, Payout, PayoutState
from gateway.model.reference import EntityKind
from gateway.model.transfer import MemberTransfer, TransferState
from gateway.ports.notification import Notification
from tests.adapters.adyen_platform.conformance import PLATFORM, connect

NOW = 1_767_225_600.0
SPEC = Path("payments/adyen/TransferService-v4.json")
NOTIFICATION = Path("payments/adyen/BalancePlatformTransferNotification-v4.json")
IBAN = Destination(iban="NL91ABNA0417164300", name="Anna Müller")
OUR_ID = "01950000-0000-7000-9100-000000000001"
PART = Money(1_000, "EUR")


class Account:
    """A simulator with both ports; ``now`` is moved by the test."""

    def __init__(self) -> None:
        self.settings, self.simulator = connect(1)
        self.payouts = ADAPTER.port("payouts", self.settings)
        self.transfers = ADAPTER.port("transfers", self.settings)
        self.now = NOW
        self.requests: list[httpx.Request] = []
        self.responses: list[httpx.Response] = []

    def send(self, request: httpx.Request) -> httpx.Response:
        """Straight into the simulator."""
        self.requests.append(request)
        self.responses.append(self.simulator.handle(request, now=self.now))
        return self.responses[-1]

    def run(self, exchange: Any) -> Any:
        """Hold the conversation to its end."""
        return run(exchange, self.send)


@pytest.fixture
def account() -> Account:
    return Account()


def payout(amount: int = 110_000, currency: str = "EUR", **fields: Any) -> Payout:
    values = {"payout_id": OUR_ID, "destination": IBAN, "text": "Verkäufe", **fields}
    return Payout(
        amount=Money(amount, currency),
        provider="adyen_platform",
        requested_by="shop",
        requested_at="2026-01-01T00:00:00Z",
        **values,
    )


def transfer(amount: int = 8_000, currency: str = "EUR", **fields: Any) -> MemberTransfer:
    values = {"transfer_id": OUR_ID, "destination": "BA2", **fields}
    return MemberTransfer(
        amount=Money(amount, currency),
        provider="adyen_platform",
        requested_at="2026-01-01T00:00:00Z",
        reversed=Money(0, currency),
        **values,
    )


def refer(one: Any, found: Any) -> Any:
    return msgspec.structs.replace(one, provider_ref=found.provider_ref)


@pytest.mark.parametrize(
    ("holder", "state"),
    [
        ("Anna", PayoutState.PAID),
        ("Failed Bank", PayoutState.FAILED),
        ("Returned Money", PayoutState.RETURNED),
    ],
)
def test_bank_decides(account: Account, holder: str, state: PayoutState) -> None:
    """Booked, refused, or sent back after it was booked."""
    one = payout(destination=msgspec.structs.replace(IBAN, name=holder))
    made = account.run(account.payouts.create_payout(one, key="k"))
    account.now += 60

    assert state is account.run(account.payouts.find_payout(refer(one, made))).state


def test_what_waits_is_taken_back(account: Account) -> None:
    """And what the bank has is not."""
    one, late = payout(), payout(payout_id="other")
    made = [
        account.run(account.payouts.create_payout(each, key=each.payout_id)) for each in (one, late)
    ]

    taken = account.run(account.payouts.cancel_payout(refer(one, made[0]), key="x"))
    account.now += 60
    with pytest.raises(Rejected) as refused:
        account.run(account.payouts.cancel_payout(refer(late, made[1]), key="y"))

    assert (PayoutState.CANCELLED, "not_cancellable") == (taken.state, refused.value.code)


def test_members_pay_each_other_and_the_platform(account: Account) -> None:
    """From account to account, and the platform's own where it is meant."""
    for number, (source, target) in enumerate(
        [("BA2", "BA3"), ("BA2", "platform"), ("platform", "BA2")]
    ):
        one = transfer(transfer_id=f"t{number}", source=source, destination=target)
        made = account.run(account.transfers.create_transfer(one, key=one.transfer_id))
        assert account.run(account.transfers.find_transfer(one)) == made
    account.now += 60

    sent = [json.loads(one.read()) for one in account.requests if one.method == "POST"]
    assert [("BA2", "BA3"), ("BA2", PLATFORM), (PLATFORM, "BA2")] == [
        (one["balanceAccountId"], one["counterparty"]["balanceAccountId"]) for one in sent
    ]


def test_reversal_goes_the_other_way(account: Account) -> None:
    """Under its own id, and found by it."""
    one = refer(transfer(), account.run(account.transfers.create_transfer(transfer(), key="k")))
    made = account.run(
        account.transfers.reverse_transfer(one, f"{OUR_ID}-reversal-1", PART, key="b")
    )
    account.now += 60
    found = account.run(account.transfers.find_reversal(one, f"{OUR_ID}-reversal-1"))

    assert (TransferState.SENT, TransferState.DONE) == (made.state, found.state)
    body = json.loads(account.requests[1].read())
    assert ("BA2", PLATFORM) == (
        body["balanceAccountId"],
        body["counterparty"]["balanceAccountId"],
    )


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"destination": Destination(email="a@example.com")}, "destination_unsupported"),
        ({"currency": "KWD"}, "currency_unsupported"),
        ({"text": "花子"}, "text_invalid"),
        ({"destination": Destination(iban="NL91ABNA0417164300", name="花子")}, "text_invalid"),
    ],
)
def test_what_cannot_be_sent_is_refused(
    account: Account, fields: dict[str, Any], code: str
) -> None:
    """With a code of ours, before anything is sent."""
    with pytest.raises(Rejected) as refused:
        account.run(account.payouts.create_payout(payout(**fields), key="k"))

    assert (code, []) == (refused.value.code, account.requests)


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": {"value": 110_001, "currency": "EUR"}},
        {"amount": {"value": 110_000, "currency": "USD"}},
        {"reference": "other"},
        {"category": "internal"},
        {"id": "OTHER"},
    ],
)
def test_answer_about_something_else_is_doubt(account: Account, fields: dict[str, Any]) -> None:
    """Another amount, currency, id or kind."""
    one = refer(payout(), account.run(account.payouts.create_payout(payout(), key="k")))
    theirs = {**account.responses[-1].json(), **fields}
    with pytest.raises(InDoubt) as doubt:
        run(account.payouts.find_payout(one), lambda _: httpx.Response(200, json=theirs))

    assert "integrity_mismatch" == doubt.value.code


@pytest.mark.parametrize(
    "fields",
    [
        {"balanceAccount": {"id": "BA9"}},
        {"counterparty": {"balanceAccountId": "BA9"}},
        {"amount": {"value": 1, "currency": "EUR"}},
    ],
)
def test_transfer_of_somebody_else_is_doubt(account: Account, fields: dict[str, Any]) -> None:
    """From another account, to another one, or of another amount."""
    one = refer(transfer(), account.run(account.transfers.create_transfer(transfer(), key="k")))
    theirs = {**account.responses[-1].json(), **fields}
    with pytest.raises(InDoubt) as doubt:
        run(account.transfers.find_transfer(one), lambda _: httpx.Response(200, json=theirs))

    assert "integrity_mismatch" == doubt.value.code


def test_two_with_our_id_are_for_a_person(account: Account) -> None:
    """Nobody knows which of them was meant."""
    account.run(account.payouts.create_payout(payout(), key="k"))
    theirs = account.responses[-1].json()
    with pytest.raises(InDoubt) as doubt:
        run(
            account.payouts.find_payout(payout()),
            lambda _: httpx.Response(200, json={"data": [theirs, theirs]}),
        )

    assert "found_twice" == doubt.value.code


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"data": [{"id": 1}]}, Unavailable),
        ({"data": [{"id": "1", "amount": {"value": 1, "currency": "EUR"}, "status": "x"}]}, None),
    ],
)
def test_lists_are_read_or_asked_again(account: Account, body: Any, error: Any) -> None:
    """What cannot be read is no proof; what carries another reference is not ours."""
    exchange = account.payouts.find_payout(payout())
    if error is None:
        assert run(exchange, lambda _: httpx.Response(200, json=body)) is None
        return
    with pytest.raises(error):
        run(exchange, lambda _: httpx.Response(200, json=body))


def test_transient_error_did_nothing(account: Account) -> None:
    """Adyen says so in a header, whatever the status."""
    headers = {"transient-error": "true"}
    error = {"errorCode": "00_500"}
    with pytest.raises(Unavailable):
        run(
            account.payouts.create_payout(payout(), key="k"),
            lambda _: httpx.Response(500, json=error, headers=headers),
        )


@pytest.mark.parametrize(
    ("category", "reference", "expected"),
    [
        ("bank", OUR_ID, (EntityKind.PAYOUT, OUR_ID)),
        ("internal", OUR_ID, (EntityKind.TRANSFER, OUR_ID)),
        ("internal", f"{OUR_ID}-reversal-2", (EntityKind.TRANSFER, OUR_ID)),
        ("bank", "1W1UG35U8A9J5ZLG", None),
        ("platformPayment", OUR_ID, None),
    ],
)
def test_webhook_names_what_is_ours(
    account: Account, category: str, reference: str, expected: Any
) -> None:
    """Sweeps, captures and other people's transfers are not."""
    data = {"id": "T", "category": category, "reference": reference}
    body = msgspec.json.encode({"type": "balancePlatform.transfer.updated", "data": data})

    (event,) = ADAPTER.port("webhooks", account.settings).read(Notification(body=body))

    assert expected == (event.about and (event.about.entity, event.about.entity_id))


def test_settings_hide_their_secrets() -> None:
    """In every text that Python makes of them."""
    shown = repr(Settings(api_key="hidden-1", balance_account="BA1", webhook_secrets=("hidden-2",)))

    assert "hidden" not in shown


# --- Adyen's own documents -------------------------------------------------------------------


@pytest.fixture(scope="module")
def spec(contracts: Path) -> dict[str, Any]:
    """TransferService v4."""
    if not (contracts / SPEC).is_file():
        pytest.skip("contracts not found")
    found: dict[str, Any] = json.loads((contracts / SPEC).read_bytes())
    return found


def complaints(spec: dict[str, Any], name: str, value: Any) -> list[str]:
    schema = {"$ref": f"#/components/schemas/{name}", "components": spec["components"]}
    return [e.message for e in jsonschema.Draft202012Validator(schema).iter_errors(value)]


def test_requests_and_answers_are_as_adyen_documents_them(
    spec: dict[str, Any], account: Account
) -> None:
    """Every verb with every kind of destination and amount."""
    where = [IBAN, msgspec.structs.replace(IBAN, bic="ABNANL2A"), Destination(account="SE1")]
    for number, (destination, money) in enumerate(
        (one, other) for one in where for other in [(1, "EUR"), (500, "JPY"), (99_999_999, "USD")]
    ):
        one = payout(*money, payout_id=f"p{number}", destination=destination, text="x" * 140)
        made = account.run(account.payouts.create_payout(one, key=one.payout_id))
        account.run(account.payouts.find_payout(one))
        account.run(account.payouts.cancel_payout(refer(one, made), key=f"{number}x"))
        move = transfer(*money, transfer_id=f"t{number}", text="" if number % 2 else "Order")
        made = account.run(account.transfers.create_transfer(move, key=move.transfer_id))
        account.run(account.transfers.find_transfer(move))
        account.run(
            account.transfers.reverse_transfer(
                refer(move, made), f"r{number}", move.amount, key=f"r{number}"
            )
        )
        account.run(account.transfers.find_reversal(move, f"r{number}"))

    names = {p["name"] for p in spec["paths"]["/transfers"]["get"]["parameters"]}
    wrong: list[Any] = []
    for request, response in zip(account.requests, account.responses, strict=True):
        path = request.url.path.removeprefix("/btl/v4")
        if request.method == "POST":
            shape = "CancelTransfersRequest" if path.endswith("/cancel") else "TransferInfo"
            wrong += complaints(spec, shape, json.loads(request.read()))
            assert re.fullmatch("[0-9a-f-]{36}", request.headers["idempotency-key"])
        else:
            wrong += set(request.url.params) - names
        if not path.endswith("/cancel"):
            listed = request.method == "GET" and path == "/transfers"
            shape = "FindTransfersResponse" if listed else "TransferData"
            wrong += complaints(spec, shape, response.json())
    assert [] == wrong[:5]
    print(f"adyen_platform: {len(account.requests)} requests and answers validate")


def test_notifications_are_as_adyen_documents_them(contracts: Path, account: Account) -> None:
    """The simulator's, of payouts and transfers."""
    if not (contracts / NOTIFICATION).is_file():
        pytest.skip("contracts not found")
    spec = json.loads((contracts / NOTIFICATION).read_bytes())
    account.run(account.payouts.create_payout(payout(), key="k"))
    account.run(account.transfers.create_transfer(transfer(), key="t"))
    bodies = [json.loads(one.read()) for one in account.simulator.due(now=NOW + 60)]

    assert 4 == len(bodies)
    assert [] == [w for one in bodies for w in complaints(spec, "TransferNotificationRequest", one)]


def fields(kind: Type) -> dict[str, Field]:
    return dict(kind.shape.fields) if kind.shape is not None else {}


def unknown(our: Type, their: Type, path: str) -> list[str]:
    """Fields, codes and lengths of ours that Adyen's document does not have."""
    found = []
    for name, field in fields(our).items():
        known = fields(their).get(name)
        if known is None:
            found.append(f"{path}.{name}")
            continue
        more = set(field.type.values or ()) - set(known.type.values or field.type.values or ())
        longer = (field.type.max_length or 0) > (known.type.max_length or 10**9)
        found += [f"{path}.{name}: {sorted(more)}"] if more or longer else []
        found += unknown(field.type, known.type, f"{path}.{name}")
    return found


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("schema:bodies#transfer", "openapi:spec#TransferInfo"),
        ("schema:transfer", "openapi:spec#TransferData"),
    ],
)
def test_our_schemas_know_no_more_than_adyens(contracts: Path, ours: str, theirs: str) -> None:
    """No field, code or length that the document does not have."""
    if not (contracts / SPEC).is_file():
        pytest.skip("contracts not found")
    our = installed.product("adyen_platform").schemas.resolve(ours)
    their = Schemas({"openapi:spec": contracts / SPEC}).resolve(theirs)

    assert [] == unknown(our, their, "x")
