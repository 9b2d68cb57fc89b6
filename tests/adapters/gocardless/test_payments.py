"""The payments port of GoCardless, against its simulator and against answers by hand."""

import os
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.gocardless import ADAPTER, Settings
from adapters.gocardless.payments import GoCardlessPayments
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.payment import CaptureMethod, Payment, PaymentFailure, PaymentState
from gateway.policy.redaction import redact_headers
from gateway.ports.payments import Payments
from tests.redacting import redact_body

GOLDEN = Path(__file__).parent / "golden"
S = PaymentState
REF = "PM000SOMEWHERE"


def adapter(**values: Any) -> GoCardlessPayments:
    given = {"access_token": "sandbox_golden", **values}
    return GoCardlessPayments(msgspec.convert(given, Settings))


def answer(exchange: Any, status: int, content: Any, **headers: str) -> Any:
    """Give the next request this answer, whatever it asked."""
    body = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return run(exchange, lambda _: httpx.Response(status, content=body, headers=headers))


def debit(payment: Payment, **fields: Any) -> dict[str, Any]:
    made = {
        "id": REF,
        "amount": payment.amount.minor,
        "amount_refunded": 0,
        "currency": payment.amount.currency,
        "status": "pending_submission",
        "metadata": {"payment_id": payment.payment_id},
    }
    return {"payments": {**made, **fields}}


def refused(kind: str, *reasons: str, **more: Any) -> dict[str, Any]:
    errors = [{"reason": one, "message": "No.", **more} for one in reasons]
    return {"error": {"type": kind, "message": "No.", "code": 0, "errors": errors}}


# What becomes of a payment.


@pytest.mark.parametrize(
    ("after_s", "state", "captured"),
    [(0, S.PENDING, 0), (2, S.PENDING, 0), (5, S.CAPTURED, 1999), (10, S.SETTLED, 1999)],
)
def test_debit_takes_its_time(
    account: Any, payment: Any, after_s: float, state: Any, captured: int
) -> None:
    """PENDING until the bank has confirmed; paid out is SETTLED."""
    ours = account.create(payment(), after_s=after_s)

    found = account.run(account.payments.find_payment(ours))

    assert (state, captured, 0) == (found.state, found.captured.minor, found.refunded.minor)
    assert {ours.payment_id: 1} == account.simulator.effects()["payment"]


@pytest.mark.parametrize(
    ("token", "failure"),
    [
        (
            "MD00FUNDS",
            PaymentFailure(
                code="insufficient_funds", provider_code="insufficient_funds", retryable=True
            ),
        ),
        (
            "MD00CLOSED",
            PaymentFailure(code="instrument_invalid", provider_code="bank_account_closed"),
        ),
    ],
)
def test_failure_has_its_cause(
    account: Any, payment: Any, token: str, failure: PaymentFailure
) -> None:
    """The payment says only that it failed; why stands in its events."""
    ours = account.create(payment(token=token), after_s=5)

    by_id = account.run(account.payments.find_payment(ours))
    by_ours = account.run(account.payments.find_payment(payment(token=token)))

    assert (S.FAILED, failure) == (by_id.state, by_id.failure)
    assert by_id == by_ours


def test_mandate_that_is_gone_is_a_decline(account: Any, payment: Any) -> None:
    """The payer, or the bank, has ended it: a result, although no payment was made."""
    found = account.run(account.payments.create_payment(payment(token="MD00CANCELLED"), key="k"))

    assert (S.FAILED, "") == (found.state, found.provider_ref)
    assert ("mandate_invalid", "mandate_is_inactive") == (
        found.failure.code,
        found.failure.provider_code,
    )
    assert {} == account.simulator.effects()["payment"]


@pytest.mark.parametrize("state", [S.PENDING, S.FAILED])
def test_payer_is_asked_first(account: Any, payment: Any, state: Any) -> None:
    """Some mandates want the payer's word for each payment; GoCardless asks by mail."""
    ours = account.create(payment(token="MD00APPROVAL"))
    waiting = account.run(account.payments.find_payment(ours))
    granted = state is S.PENDING
    account.simulator.approve(ours.provider_ref, granted=granted, now=account.now)

    found = account.run(account.payments.find_payment(ours))

    assert (S.REQUIRES_ACTION, None, state) == (waiting.state, waiting.next_action, found.state)


@pytest.mark.parametrize("token", ["MD00LATE", "MD00LATEPAID", "MD00DISPUTED"])
def test_what_came_back_is_not_collected(account: Any, payment: Any, token: str) -> None:
    """A look-up after a late failure or a chargeback has no money, and says why."""
    ours = account.create(payment(token=token), after_s=20)

    found = account.run(account.payments.find_payment(ours))

    assert (S.FAILED, 0) == (found.state, found.captured.minor)
    assert found.failure.provider_code in {
        "insufficient_funds",
        "refer_to_payer",
        "authorisation_disputed",
    }


def test_cancelled_before_the_banks_have_it(account: Any, payment: Any) -> None:
    """CANCELLED, also when it is asked twice; later it is refused with GoCardless's reason."""
    ours = account.create(payment())
    states = [
        account.run(account.payments.cancel_payment(ours, key=key)).state for key in ("a", "b")
    ]
    late = account.create(payment(payment_id="other"), key="o", after_s=3)
    with pytest.raises(Rejected) as caught:
        account.run(account.payments.cancel_payment(late, key="c"))

    assert [S.CANCELLED, S.CANCELLED] == states
    assert "cancellation_failed" == caught.value.detail


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"method_code": "card"}, "method_unsupported", "method_code"),
        ({"method_code": "bacs_debit"}, "currency_unsupported", "amount.currency"),
        ({"amount": Money(500, "JPY")}, "currency_unsupported", "amount.currency"),
        ({"amount": Money(5120, "KWD")}, "currency_unsupported", "amount.currency"),
        (
            {"capture_method": CaptureMethod.MANUAL},
            "capture_method_unsupported",
            "capture_method",
        ),
        ({"token": ""}, "token_missing", "token"),
        ({"token": "x" * 101}, "field_too_long", "token"),
        ({"payment_id": "x" * 501}, "field_too_long", "payment_id"),
        ({"order_id": "x" * 501}, "field_too_long", "order_id"),
    ],
)
def test_what_gocardless_cannot_do_is_refused_unsent(
    account: Any, payment: Any, fields: dict[str, Any], code: str, field: str
) -> None:
    """The refusal comes before the first request and names our field."""
    with pytest.raises(Rejected) as caught:
        account.run(account.payments.create_payment(payment(**fields), key="k"))

    assert (code, []) == (caught.value.code, account.requests)
    assert str(caught.value).startswith(field)


def test_nothing_is_captured(account: Any, payment: Any) -> None:
    """There is nothing to collect later, and nothing is sent."""
    ours = account.create(payment())
    sent = len(account.requests)

    with pytest.raises(Rejected) as caught:
        account.run(account.payments.capture_payment(ours, ours.amount, key="k"))
    assert ("capture_method_unsupported", sent) == (caught.value.code, len(account.requests))


# What becomes of it when something goes wrong.


def test_lost_answer_is_adopted(account: Any, payment: Any) -> None:
    """The same key again is a conflict that names the payment, which is read."""
    account.lose_answer(account.payments.create_payment(payment(), key="k"))

    found = account.run(account.payments.create_payment(payment(), key="k"))

    assert (S.PENDING, Money(1999, "EUR")) == (found.state, found.amount)
    assert ["POST", "POST", "GET"] == [one.method for one in account.requests]
    assert {payment().payment_id: 1} == account.simulator.effects()["payment"]


def test_lost_answer_is_found_among_many(account: Any, payment: Any) -> None:
    """By our id among the payments of the mandate, on any page; others of the day are not read."""
    account.lose_answer(account.payments.create_payment(payment(), key="k"))
    for number in range(505):
        account.create(payment(payment_id=f"other-{number}"), key=f"o{number}")
    account.requests.clear()

    found = account.run(account.payments.find_payment(payment()))

    assert (S.PENDING, Money(1999, "EUR")) == (found.state, found.amount)
    assert 2 == len(account.requests)
    assert account.run(account.payments.find_payment(payment(payment_id="never"))) is None


@pytest.mark.parametrize(
    "moment", ["2026-01-01T00:00:00Z", "2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00"]
)
def test_list_begins_before_the_payment(payment: Any, moment: str) -> None:
    """Five minutes, in UTC, for a clock of theirs that is behind."""
    request = next(adapter().find_payment(payment(requested_at=moment)))

    assert "2025-12-31T23:55:00.000Z" == request.url.params["created_at[gte]"]


def test_key_of_another_payment(account: Any, payment: Any) -> None:
    """What the key made is something else: neither ours nor a failure."""
    account.create(payment(Money(5, "EUR")))

    with pytest.raises(InDoubt) as caught:
        account.run(account.payments.create_payment(payment(), key="k"))
    assert "integrity_mismatch" == caught.value.code


def test_two_payments_need_a_person(account: Any, payment: Any) -> None:
    """Two alive with our id are in doubt; one that failed does not count beside another."""
    account.create(payment(), key="a")
    account.create(payment(), key="b")
    with pytest.raises(InDoubt) as caught:
        account.run(account.payments.find_payment(payment()))
    assert "found_twice" == caught.value.code

    other = payment(payment_id="twice", token="MD00SEPA")
    first = account.create(other, key="c")
    account.scenario("payment_failed", first.provider_ref)
    account.create(other, key="d")
    assert S.PENDING is account.run(account.payments.find_payment(other)).state


# Refunds.


def test_refunds_add_up(account: Any, payment: Any) -> None:
    """The total of each repeats those before it, also one that the dashboard made."""
    ours = account.create(payment(), after_s=5)
    back = account.payments.refund_payment
    first = account.run(back(ours, "r1", Money(200, "EUR"), key="k1"))
    body = {
        "amount": 100,
        "total_amount_confirmation": 300,
        "links": {"payment": ours.provider_ref},
    }
    assert 201 == account.call("POST", "/refunds", {"refunds": body}).status_code
    second = account.run(back(ours, "r2", Money(300, "EUR"), key="k2"))

    found = account.run(account.payments.find_payment(ours))

    assert (S.PENDING, S.PENDING) == (first.state, second.state)
    assert 600 == found.refunded.minor
    totals = [
        msgspec.json.decode(one.read())["refunds"]["total_amount_confirmation"]
        for one in account.requests
        if one.method == "POST" and one.url.path == "/refunds"
    ]
    assert [200, 600] == totals


def test_lost_refund_is_not_sent_again(account: Any, payment: Any) -> None:
    """Ours is among the refunds that are read before, so nothing is left to do."""
    ours = account.create(payment(), after_s=5)
    amount = Money(200, "EUR")
    account.lose_answer(account.payments.refund_payment(ours, "r1", amount, key="k1"))
    account.requests.clear()

    found = account.run(account.payments.refund_payment(ours, "r1", amount, key="k1"))

    assert (amount, ["GET"]) == (found.amount, [one.method for one in account.requests])
    assert {"r1": 1} == account.simulator.effects()["refund"]
    other = account.payments.refund_payment(ours, "r1", Money(300, "EUR"), key="k1")
    with pytest.raises(InDoubt) as caught:
        account.run(other)
    assert "integrity_mismatch" == caught.value.code


def test_refund_whose_key_was_used(account: Any, payment: Any) -> None:
    """The list was read before the other request arrived: the conflict names the refund."""
    ours = account.create(payment(), after_s=5)
    amount = Money(200, "EUR")
    slow = account.payments.refund_payment(ours, "r1", amount, key="k1")
    request = slow.send(account.send(next(slow)))
    account.run(account.payments.refund_payment(ours, "r1", amount, key="k1"))

    conflict = slow.send(account.send(request))
    with pytest.raises(StopIteration) as ended:
        slow.send(account.send(conflict))

    assert ("GET", amount) == (conflict.method, ended.value.value.amount)
    assert {"r1": 1} == account.simulator.effects()["refund"]


def test_refund_beside_another(account: Any, payment: Any) -> None:
    """Somebody else was quicker: nothing was done, and the same key may try again."""
    ours = account.create(payment(), after_s=5)
    slow = account.payments.refund_payment(ours, "r1", Money(200, "EUR"), key="k1")
    request = slow.send(account.send(next(slow)))
    account.run(account.payments.refund_payment(ours, "r2", Money(100, "EUR"), key="k2"))

    with pytest.raises(Unavailable) as caught:
        slow.send(account.send(request))
    assert ("locked", "total_amount_confirmation_invalid") == (
        caught.value.code,
        caught.value.detail,
    )
    again = account.payments.refund_payment(ours, "r1", Money(200, "EUR"), key="k1")
    assert Money(200, "EUR") == account.run(again).amount


@pytest.mark.parametrize(
    ("scenario", "state"),
    [
        ("refund_paid", S.SETTLED),
        ("refund_bounced", S.FAILED),
        ("refund_returned", S.FAILED),
    ],
)
def test_what_becomes_of_a_refund(account: Any, payment: Any, scenario: str, state: Any) -> None:
    """Paid, or come back: then the same amount can be given again under another id."""
    ours = account.create(payment(), after_s=5)
    amount = ours.amount
    made = account.run(account.payments.refund_payment(ours, "r1", amount, key="k1"))
    account.scenario(scenario, made.provider_ref)

    found = account.run(account.payments.find_refund(ours, "r1"))

    assert (state, state is S.FAILED) == (found.state, found.failure is not None)
    again = account.payments.refund_payment(ours, "r2", amount, key="k2")
    if state is S.FAILED:
        assert amount == account.run(again).amount
    else:
        with pytest.raises(Rejected):
            account.run(again)


def test_refunds_that_are_refused(account: Any, payment: Any) -> None:
    """Before the money is there, above the amount, and the sixth."""
    early = account.create(payment())
    with pytest.raises(Rejected) as caught:
        account.run(account.payments.refund_payment(early, "r", Money(1, "EUR"), key="r"))
    assert "refund_payment_invalid_state" == caught.value.detail
    account.now += 5
    for number in range(5):
        one = account.payments.refund_payment(early, f"r{number}", Money(1, "EUR"), key=f"{number}")
        account.run(one)
    with pytest.raises(Rejected) as caught:
        account.run(account.payments.refund_payment(early, "r6", Money(1, "EUR"), key="6"))
    assert "number_of_refunds_exceeded" == caught.value.detail


def test_verbs_that_need_their_id(account: Any, payment: Any) -> None:
    """Without GoCardless's id nothing is cancelled or refunded, and nothing is sent."""
    ours = payment()

    for exchange in (
        account.payments.cancel_payment(ours, key="k"),
        account.payments.refund_payment(ours, "r", ours.amount, key="k"),
    ):
        with pytest.raises(Rejected) as caught:
            account.run(exchange)
        assert "provider_ref_missing" == caught.value.code
    assert [] == account.requests
    assert account.run(account.payments.find_refund(ours, "r")) is None


# Answers by hand.


@pytest.mark.parametrize(
    ("status", "content", "expected", "code", "detail"),
    [
        (401, refused("invalid_api_usage", "unauthorized"), Misconfigured, "access_refused", None),
        (
            403,
            refused("invalid_api_usage", "insufficient_permissions"),
            Misconfigured,
            "access_refused",
            "insufficient_permissions",
        ),
        (403, b"<html>", Misconfigured, "access_refused", ""),
        (404, b"<html>", Misconfigured, "foreign_answer", ""),
        (
            400,
            refused("invalid_api_usage", "missing_version_header"),
            Misconfigured,
            "request_invalid",
            "missing_version_header",
        ),
        (
            409,
            refused("invalid_state", "idempotent_creation_conflict", links={}),
            Unavailable,
            "locked",
            "idempotent_creation_conflict",
        ),
        (409, refused("validation_failed", "bank_account_exists"), Rejected, "refused", None),
        (422, refused("invalid_state", "mandate_replaced"), Rejected, "refused", None),
        (
            422,
            {"error": {"type": "validation_failed", "errors": [{"field": "amount"}]}},
            Rejected,
            "refused",
            "amount",
        ),
        (422, {"error": {"type": "validation_failed"}}, Rejected, "refused", "validation_failed"),
        (408, b"", InDoubt, "server_error", ""),
        (500, refused("gocardless", "internal_error"), InDoubt, "server_error", "internal_error"),
        (503, b"", InDoubt, "server_error", ""),
        (201, b"{", InDoubt, "unreadable", ""),
        (201, {"refunds": {}}, InDoubt, "unreadable", ""),
        (201, b'{"payments":' + b"[" * 100_000, InDoubt, "unreadable", ""),
        (422, b'{"error":' + b"[" * 100_000, Misconfigured, "foreign_answer", ""),
    ],
)
def test_errors_by_what_is_next(
    payment: Any,
    status: int,
    content: Any,
    expected: type[HeadraceError],
    code: str,
    detail: str | None,
) -> None:
    """Of a write: refused, not done, in doubt, or ours to mend."""
    with pytest.raises(expected) as caught:
        answer(adapter().create_payment(payment(), key="k"), status, content)

    assert code == caught.value.code
    assert detail is None or detail == caught.value.detail


@pytest.mark.parametrize("status", [408, 500, 503])
def test_read_leaves_no_doubt(payment: Any, status: int) -> None:
    """It moves nothing, so it can be asked again."""
    with pytest.raises(Unavailable):
        answer(adapter().find_payment(payment()), status, b"")


def test_missing_is_what_gocardless_says(payment: Any) -> None:
    """A 404 of something in between is no proof that there is no payment."""
    ours = payment(provider_ref=REF)
    theirs = refused("invalid_api_usage", "resource_not_found")

    assert answer(adapter().find_payment(ours), 404, theirs) is None
    with pytest.raises(Misconfigured):
        answer(adapter().find_payment(ours), 404, b"<html>")


def test_reference_stays_one_part_of_the_path(payment: Any) -> None:
    """Whatever it is; it comes from outside."""
    request = next(adapter().find_payment(payment(provider_ref="../refunds?x=1")))

    assert b"/payments/..%2Frefunds%3Fx%3D1" == request.url.raw_path


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"retry-after": "7"}, 7.0),
        (
            {
                "date": "Sun, 22 Nov 2026 07:00:00 GMT",
                "ratelimit-reset": "Sun, 22 Nov 2026 07:00:30 GMT",
            },
            30.0,
        ),
        (
            {
                "date": "Sun, 22 Nov 2026 07:01:00 GMT",
                "ratelimit-reset": "Sun, 22 Nov 2026 07:00:30 GMT",
            },
            0.0,
        ),
        ({"ratelimit-reset": "Sun, 22 Nov 2026 07:00:30 GMT"}, None),
        ({"date": "today", "ratelimit-reset": "soon"}, None),
        ({}, None),
    ],
)
def test_rate_limit_says_when(payment: Any, headers: dict[str, str], pause: float | None) -> None:
    """In seconds, or until the limit begins anew by their own clock."""
    content = refused("invalid_api_usage", "rate_limit_exceeded")
    with pytest.raises(Unavailable) as caught:
        answer(adapter().create_payment(payment(), key="k"), 429, content, **headers)

    assert ("rate_limited", pause) == (caught.value.code, caught.value.retry_after_s)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": 1998}, "integrity_mismatch"),
        ({"currency": "GBP"}, "integrity_mismatch"),
        ({"metadata": {"payment_id": "another"}}, "integrity_mismatch"),
        ({"metadata": {}}, "integrity_mismatch"),
        ({"id": "PM000ELSEWHERE"}, "integrity_mismatch"),
        ({"status": "dancing"}, "status_unknown"),
        ({"currency": "XXX"}, "unreadable"),
        ({"amount_refunded": -1}, "unreadable"),
    ],
)
def test_answer_that_differs(payment: Any, fields: dict[str, Any], code: str) -> None:
    """Another amount, currency, payment or an unknown status: neither success nor failure."""
    ours = payment(provider_ref=REF)
    with pytest.raises(InDoubt) as caught:
        answer(adapter().find_payment(ours), 200, debit(ours, **fields))

    assert code == caught.value.code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"amount": 199}, "integrity_mismatch"),
        ({"currency": "GBP"}, "integrity_mismatch"),
        ({"metadata": {"refund_id": "another"}}, "integrity_mismatch"),
        ({"links": {"payment": "PM000ELSEWHERE"}}, "integrity_mismatch"),
        ({"status": "dancing"}, "status_unknown"),
    ],
)
def test_refund_that_differs(payment: Any, fields: dict[str, Any], code: str) -> None:
    """The same for refunds."""
    given = {
        "id": "RF1",
        "amount": 200,
        "currency": "EUR",
        "status": "created",
        "links": {"payment": REF},
        "metadata": {"refund_id": "r1"},
    }
    exchange = adapter().refund_payment(payment(provider_ref=REF), "r1", Money(200, "EUR"), key="k")
    next(exchange)
    exchange.send(httpx.Response(200, json={"refunds": [], "meta": {"cursors": {"after": None}}}))
    with pytest.raises(InDoubt) as caught:
        exchange.send(httpx.Response(201, json={"refunds": {**given, **fields}}))

    assert code == caught.value.code


# Every request, as it goes over the wire.

NAMES = (
    "create_payment",
    "create_payment_bacs_debit",
    "cancel_payment",
    "find_payment",
    "find_payment_list",
    "find_refund",
    "refund_payment",
)


def verbs(payment: Any) -> dict[str, Any]:
    port: Payments = adapter()
    ours = payment(provider_ref=REF)
    british = payment(Money(1, "GBP"), method_code="bacs_debit", token="MD00BACS")
    refund = port.refund_payment(ours, "refund-1", Money(200, "EUR"), key="key-4")
    next(refund)
    return {
        "create_payment": port.create_payment(payment(), key="key-1"),
        "create_payment_bacs_debit": port.create_payment(british, key="key-2"),
        "cancel_payment": port.cancel_payment(ours, key="key-3"),
        "find_payment": port.find_payment(ours),
        "find_payment_list": port.find_payment(payment()),
        "find_refund": port.find_refund(ours, "refund-1"),
        "refund_payment": refund,
    }


def readable(request: httpx.Request) -> str:
    """A request as a person reads it."""
    lines = [f"{request.method} {request.url.raw_path.decode()}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    body = request.read()
    if body:
        lines += ["", msgspec.json.format(body, indent=2).decode()]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("name", NAMES)
def test_golden(payment: Any, name: str) -> None:
    """The request of each verb is the recorded one; HEADRACE_REGENERATE=1 records it anew."""
    file = GOLDEN / f"{name}.http"
    exchange = verbs(payment)[name]
    if name == "refund_payment":
        nothing = {"refunds": [], "meta": {"cursors": {"after": None}}}
        sent = readable(exchange.send(httpx.Response(200, json=nothing)))
    else:
        sent = readable(next(exchange))
    if os.environ.get("HEADRACE_REGENERATE"):
        file.write_text(sent, encoding="utf-8")

    assert file.read_text(encoding="utf-8") == sent


def test_every_verb_has_a_golden_file(payment: Any) -> None:
    """No verb is left out, and no file is left over."""
    assert set(NAMES) == set(verbs(payment)) == {file.stem for file in GOLDEN.glob("*.http")}


def test_evidence_shows_the_money_and_nobody(payment: Any) -> None:
    """Status, amounts and ids can be read; texts, references and what others noted cannot."""
    private = {"description": "Ada Lovelace", "reference": "DE89370400440532013000"}
    metadata = {"payment_id": "ours", "note": "ring twice"}
    content = msgspec.json.encode(debit(payment(), **private, metadata=metadata))
    shown = redact_body("application/json", content, ADAPTER.readable)
    fields = msgspec.json.decode(shown)["payments"]
    headers = redact_headers(next(verbs(payment)["create_payment"]).headers.raw)

    assert ("pending_submission", 1999, REF, "ours") == (
        fields["status"],
        fields["amount"],
        fields["id"],
        fields["metadata"]["payment_id"],
    )
    hidden = (*private.values(), "ring twice", "sandbox_golden")
    assert [] == [one for one in hidden if one in shown + headers]


def test_settings_hide_their_secrets() -> None:
    """Neither the token nor a webhook secret is printed."""
    shown = repr(Settings(access_token="live_secret", webhook_secrets=("hook_secret",)))

    assert "secret'" not in shown
    assert "live_secret" not in shown
