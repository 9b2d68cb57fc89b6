"""The bytes on the wire: one readable file for each request that the adapter makes."""

import os
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from gateway.model.money import Money
from gateway.model.split import PLATFORM, Split, SplitKind
from tests.adapters.mollie.conftest import REF, adapter, known, theirs

GOLDEN = Path(__file__).parent / "golden"


def verbs(payment: Any) -> dict[str, Any]:
    ours, port = payment(provider_ref=REF), adapter(webhook_url="https://hub.example/hook")
    debit = payment(method_code="sepa_debit", token="cst_8wmqcHMN4U-mdt_pO2m5jVgMa")
    page = payment(method_code="ideal", token="none")
    klarna, billie = (payment(token="", **known(name)) for name in ("klarna", "billie"))
    divided = payment(
        provider_ref=REF,
        splits=(
            Split(party="org_1", amount=Money(1000, "EUR"), reference="fee-7"),
            Split(party="org_2", amount=Money(333, "EUR")),
            Split(party=PLATFORM, kind=SplitKind.REMAINDER),
        ),
    )
    return {
        "create_payment": port.create_payment(payment(), key="key-1"),
        "create_payment_page": port.create_payment(page, key="key-2"),
        "create_payment_sepa_debit": port.create_payment(debit, key="key-3"),
        "create_payment_klarna": port.create_payment(klarna, key="key-7"),
        "create_payment_billie": port.create_payment(billie, key="key-8"),
        "create_payment_divided": port.create_payment(divided, key="key-9"),
        "refund_payment_divided": port.refund_payment(
            divided, "refund-1", Money(200, "EUR"), key="key-10"
        ),
        "capture_payment": port.capture_payment(ours, Money(500, "EUR"), key="key-4"),
        "cancel_payment": port.cancel_payment(ours, key="key-5"),
        "refund_payment": port.refund_payment(ours, "refund-1", Money(200, "EUR"), key="key-6"),
        "find_payment": port.find_payment(ours),
        "find_payment_list": port.find_payment(payment()),
        "find_refund": port.find_refund(ours, "refund-1"),
    }


def cancelling(payment: Any, status: str) -> httpx.Request:
    """The second request of a cancellation, after Mollie said where the payment stands."""
    ours = payment(provider_ref=REF)
    exchange = adapter().cancel_payment(ours, key="key-5")
    next(exchange)
    body = msgspec.json.encode(theirs(ours, status=status))
    return exchange.send(httpx.Response(200, content=body))


def requests(payment: Any) -> dict[str, httpx.Request]:
    first = {name: next(exchange) for name, exchange in verbs(payment).items()}
    return {
        **first,
        "cancel_payment_open": cancelling(payment, "open"),
        "cancel_payment_release": cancelling(payment, "authorized"),
    }


def readable(request: httpx.Request) -> str:
    head = f"{request.method} {request.url.raw_path.decode()}\n"
    head += "".join(f"{k.decode()}: {v.decode()}\n" for k, v in request.headers.raw)
    body = request.read()
    return head + "\n" + (msgspec.json.format(body, indent=2).decode() + "\n" if body else "")


NAMES = [
    "create_payment", "create_payment_page", "create_payment_sepa_debit", "capture_payment",
    "cancel_payment", "cancel_payment_open", "cancel_payment_release", "refund_payment",
    "find_payment", "find_payment_list", "find_refund", "create_payment_klarna",
    "create_payment_billie", "create_payment_divided", "refund_payment_divided",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_golden(payment: Any, name: str) -> None:
    """The request of each verb is the recorded one; HEADRACE_REGENERATE=1 records it anew."""
    file = GOLDEN / f"{name}.http"
    sent = readable(requests(payment)[name])
    if os.environ.get("HEADRACE_REGENERATE"):
        file.write_text(sent, encoding="utf-8")

    assert file.read_text(encoding="utf-8") == sent


def test_every_verb_has_a_golden_file(payment: Any) -> None:
    """No verb is left out, and no file is left over."""
    assert set(NAMES) == set(requests(payment)) == {file.stem for file in GOLDEN.glob("*.http")}
