"""Payments of Adyen: what is sent, what the answers mean, and what becomes of a lost one."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from adapters.adyen import ADAPTER, Settings
from adapters.adyen.payments import AdyenPayments
from gateway.errors import HeadraceError, InDoubt, Misconfigured, Rejected, Unavailable
from gateway.kit.blocking import run
from gateway.model.money import Money
from gateway.model.movement import MovementState
from gateway.model.payment import ActionKind, CaptureMethod, PaymentState
from gateway.model.split import PLATFORM, Split, SplitKind
from gateway.policy import collecting
from tests.conformance import samples

GOLDEN = Path(__file__).parent / "golden"
REF = "JDD6LKT8MBLZNN84"
PART = Money(500, "EUR")
DAY_S = 86_400


def adapter(**values: Any) -> AdyenPayments:
    typed = {"api_key": "AQE_golden", "merchant_account": "AcmeECOM", **values}
    made: AdyenPayments = ADAPTER.port("payments", msgspec.convert(typed, Settings))
    return made


def never_sent(_request: httpx.Request) -> httpx.Response:
    pytest.fail("something was sent")


# What became of it.


def test_lost_answer_is_found_by_the_identical_request(account: Any, payment: Any) -> None:
    """Same bytes, same key: Adyen answers from its store, and money moves once."""
    account.lose_answer(account.payments.create_payment(payment(), key="k"))
    account.now += 6 * DAY_S
    found = account.run(account.payments.find_payment(payment()))

    first, clock, second = account.requests
    assert "/v71/paymentMethods" == clock.url.path
    assert "idempotency-key" not in clock.headers
    assert (first.headers.raw, first.read()) == (second.headers.raw, second.read())
    assert PaymentState.CAPTURED is found.state
    assert {payment().payment_id: 1} == account.simulator.effects()["charge"]


def test_forgotten_key_is_not_repeated(account: Any, payment: Any) -> None:
    """After seven days the same request would be a second payment."""
    account.lose_answer(account.payments.create_payment(payment(), key="k"))
    account.now += 7 * DAY_S

    with pytest.raises(InDoubt) as doubt:
        account.run(account.payments.find_payment(payment()))

    assert "key_forgotten" == doubt.value.code
    assert ["/v71/payments", "/v71/paymentMethods"] == [r.url.path for r in account.requests]
    known = payment(provider_ref=REF)
    assert account.run(account.payments.find_payment(known)) is None
    assert {payment().payment_id: 1} == account.simulator.effects()["charge"]


@pytest.mark.parametrize("date", [None, "yesterday", ""])
def test_without_a_date_nothing_is_repeated(payment: Any, date: str | None) -> None:
    """Nobody knows how old the key is."""
    headers = {} if date is None else {"date": date}
    exchange = adapter(return_url="https://a.example/").find_payment(payment())
    next(exchange)

    with pytest.raises(Unavailable):
        exchange.send(httpx.Response(200, headers=headers, json={}))


def test_moment_without_a_zone_is_in_utc(account: Any, payment: Any) -> None:
    """As everywhere in the model."""
    ours = payment(requested_at="2026-01-01T00:00:00")
    made = account.run(account.payments.create_payment(ours, key="k"))

    assert made == account.run(account.payments.find_payment(ours))


def test_what_was_never_begun_is_not_looked_for(payment: Any) -> None:
    """A look-up must not be the first to send it."""
    assert run(adapter().find_payment(payment(attempts=())), never_sent) is None
    assert run(adapter().find_refund(payment(), "r"), never_sent) is None


def test_answer_to_a_repetition_is_that_of_the_known_payment(account: Any, payment: Any) -> None:
    """Another reference than the one we know is another payment."""
    account.run(account.payments.create_payment(payment(), key="k"))

    with pytest.raises(InDoubt) as doubt:
        account.run(account.payments.find_payment(payment(provider_ref="ANOTHER")))

    assert "integrity_mismatch" == doubt.value.code


def test_keys_are_of_one_account(payment: Any) -> None:
    """One company has one space of keys for all its accounts."""
    keys = {
        next(
            adapter(merchant_account=name, return_url="https://a.example/").create_payment(
                payment(), key=key
            )
        ).headers["idempotency-key"]
        for name in ("AcmeECOM", "AcmePOS")
        for key in ("k", "k" * 200)
    }

    assert 4 == len(keys)
    assert all(36 == len(key) for key in keys)


# What the answers mean.


@pytest.mark.parametrize(
    ("token", "state", "code", "theirs", "retryable"),
    [
        ("REFUSED000000002", "FAILED", "declined", "2", False),
        ("REFUSED000000006", "FAILED", "instrument_expired", "6", False),
        ("REFUSED000000012", "FAILED", "insufficient_funds", "12", True),
        ("REFUSED000000038", "FAILED", "authentication_required", "38", True),
        ("ERROR00000000004", "FAILED", "processing_error", "4", True),
        # Not to be asked means not to be charged.
        ("CHALLENGED000001", "FAILED", "authentication_required", "38", True),
    ],
)
def test_declines_are_results(
    account: Any, payment: Any, token: str, state: str, code: str, theirs: str, *, retryable: bool
) -> None:
    """Our code, their number, and whether it is worth another try."""
    ours = payment(token=f"shopper-1_{token}")
    made = account.run(account.payments.create_payment(ours, key="k"))

    assert state == made.state
    assert (code, theirs, retryable) == msgspec.structs.astuple(made.failure)
    assert account.hear(ours).state == state


def test_issuer_may_ask_where_the_shopper_is_there(connect: Any, payment: Any) -> None:
    """Then the answer is a page, and its outcome a notification."""
    account = connect(interaction="Ecommerce")
    ours = payment(token="shopper-1_CHALLENGED000001")
    made = account.run(account.payments.create_payment(ours, key="k"))

    assert (PaymentState.REQUIRES_ACTION, ActionKind.REDIRECT) == (
        made.state,
        made.next_action.kind,
    )
    with pytest.raises(ValueError, match="hands over"):
        account.simulator.complete(ours.payment_id, succeeds=True, now=account.now)
    result = account.simulator.come_back(ours.payment_id, succeeds=True, now=account.now)
    assert PaymentState.CREATED is account.hear(ours).state
    back = account.port("confirmations").confirm_payment(
        ours, {"redirectResult": result}, key="k-1"
    )
    assert PaymentState.CAPTURED is account.run(back).state
    assert PaymentState.CAPTURED is account.hear(ours).state


@pytest.mark.parametrize(
    ("method", "token", "kind", "details"),
    [
        ("ideal", "", ActionKind.REDIRECT, set()),
        ("swish", "", ActionKind.QR_CODE, {"qr_code"}),
        ("blik", "777123", ActionKind.APP, set()),
        ("multibanco", "", ActionKind.VOUCHER, {"reference", "entity"}),
    ],
)
def test_payer_is_told_what_to_do(
    account: Any, payment: Any, method: str, token: str, kind: ActionKind, details: set[str]
) -> None:
    """A page, a code, an app or a voucher; what the payer does is told by a notification."""
    currency = {"swish": "SEK", "blik": "PLN"}.get(method, "EUR")
    ours = payment(Money(1999, currency), method_code=method, token=token)
    made = account.run(account.payments.create_payment(ours, key="k"))

    assert (PaymentState.REQUIRES_ACTION, kind) == (made.state, made.next_action.kind)
    assert details == set(made.next_action.details)
    assert bool(made.next_action.url) == (kind is ActionKind.REDIRECT)
    assert bool(made.next_action.expires_at) == (kind is ActionKind.VOUCHER)


@pytest.mark.parametrize(("succeeds", "state"), [(True, "CAPTURED"), (False, "FAILED")])
def test_payer_comes_back(account: Any, payment: Any, state: str, *, succeeds: bool) -> None:
    """The reference that was missing in the answer comes with the notification."""
    ours = payment(method_code="ideal", token="")
    made = account.run(account.payments.create_payment(ours, key="k"))
    assert "" == made.provider_ref
    account.simulator.complete(ours.payment_id, succeeds=succeeds, now=account.now)

    heard = account.hear(ours)

    assert (state, 16) == (heard.state, len(heard.provider_ref))


def test_payer_never_comes_back(account: Any, payment: Any) -> None:
    """The offer is closed; the reference of the offer is not that of a payment."""
    ours = payment(method_code="ideal", token="")
    account.run(account.payments.create_payment(ours, key="k"))
    account.simulator.abandon(ours.payment_id, now=account.now)

    heard = account.hear(ours)

    assert ("FAILED", "expired", "") == (heard.state, heard.failure.code, heard.provider_ref)


def test_debit_is_under_way_until_it_is_reported(account: Any, payment: Any) -> None:
    """Received, and later authorised or refused."""
    for token, state in (("BACSDEBIT0000001", "CAPTURED"), ("BACSDEBIT0000002", "FAILED")):
        ours = payment(
            Money(1999, "GBP"), key=token, method_code="bacs_debit", token=f"shopper-1_{token}"
        )
        made = account.run(account.payments.create_payment(ours, key=token))
        assert PaymentState.PENDING is made.state
        account.now += 60
        assert account.hear(ours).state == state


def test_capture_is_told_under_one_reference(account: Any, payment: Any) -> None:
    """By the answer as under way and by the notification as done: one movement, not two."""
    ours = payment(capture_method=CaptureMethod.MANUAL)
    account.run(account.payments.create_payment(ours, key="k"))
    ours = account.hear(ours)
    made = account.run(account.payments.capture_payment(ours, PART, key="c"))
    asked, _ = collecting.apply(ours, made)
    heard = account.hear(asked)

    assert [(MovementState.PENDING, PART)] == [(m.state, m.amount) for m in made.movements]
    assert (PaymentState.AUTHORISED, 0) == (asked.state, asked.captured.minor)
    assert (PaymentState.CAPTURED, PART, 1) == (heard.state, heard.captured, len(heard.movements))


def test_cancellation_without_a_reference_goes_by_ours(account: Any, payment: Any) -> None:
    """What was authorised and never answered is given up by the reference that we chose."""
    ours = payment(capture_method=CaptureMethod.MANUAL)
    account.lose_answer(account.payments.create_payment(ours, key="k"))
    made = account.run(account.payments.cancel_payment(ours, key="x"))

    assert "/v71/cancels" == account.requests[-1].url.path
    assert PaymentState.PENDING is made.state
    assert PaymentState.CANCELLED is account.hear(ours).state


@pytest.mark.parametrize("verb", ["capture_payment", "refund_payment"])
def test_without_a_reference_nothing_is_modified(payment: Any, verb: str) -> None:
    """There is no path for it."""
    exchange = {
        "capture_payment": lambda port: port.capture_payment(payment(), PART, key="k"),
        "refund_payment": lambda port: port.refund_payment(payment(), "r", PART, key="k"),
    }[verb](adapter())

    with pytest.raises(Rejected) as refused:
        run(exchange, never_sent)
    assert "provider_ref_missing" == refused.value.code


# What cannot be sent.


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"method_code": "voucher"}, "method_unsupported", "method_code"),
        ({"method_code": "klarna"}, "payer_missing", "payment.payer"),
        (
            {"method_code": "ideal", "capture_method": CaptureMethod.MANUAL},
            "capture_method_unsupported",
            "capture_method",
        ),
        ({"token": "M5N7TQ4TG5PFWR50"}, "token_invalid", "token"),
        ({"token": "ab_M5N7TQ4TG5PFWR50"}, "token_invalid", "token"),
        ({"token": "shopper-1_"}, "token_invalid", "token"),
        ({"payment_id": "a:b"}, "field_invalid", "payment_id"),
        ({"payment_id": "p" * 81}, "field_too_long", "payment_id"),
        ({"order_id": "o" * 1001}, "field_too_long", "order_id"),
        ({"amount": Money(1, "AFN")}, "currency_unsupported", "amount"),
        ({"amount": Money(1, "USD"), "method_code": "ideal"}, "currency_unsupported", "amount"),
        ({"amount": Money(1, "CVE")}, "amount_too_fine", "amount"),
        ({"amount": Money(150, "IDR")}, "amount_too_fine", "amount"),
    ],
)
def test_what_adyen_cannot_do_is_refused_here(
    payment: Any, fields: dict[str, Any], code: str, field: str
) -> None:
    """Nothing is sent, and whoever sent it is told which field it is."""
    amount = fields.pop("amount", Money(1999, "EUR"))
    port = adapter(return_url="https://a.example/")

    with pytest.raises(Rejected) as refused:
        run(port.create_payment(payment(amount, **fields), key="k"), never_sent)

    assert code == refused.value.code
    assert refused.value.message.startswith(field)


def test_payment_needs_somewhere_to_come_back_to(payment: Any) -> None:
    """Its own page or that of the account."""
    with pytest.raises(Rejected) as refused:
        run(adapter().create_payment(payment(), key="k"), never_sent)
    assert "return_url_missing" == refused.value.code

    theirs = payment(return_url="https://shop.example/orders/1")
    body = json.loads(next(adapter().create_payment(theirs, key="k")).read())
    assert "https://shop.example/orders/1" == body["returnUrl"]


def test_refund_id_with_a_colon_is_refused(payment: Any) -> None:
    """A signature would hold over it, and over another split of the same text."""
    with pytest.raises(Rejected) as refused:
        run(adapter().refund_payment(payment(provider_ref=REF), "a:b", PART, key="k"), never_sent)
    assert "field_invalid" == refused.value.code


@pytest.mark.parametrize(
    ("amount", "value"),
    [
        (Money(500, "JPY"), 500),
        (Money(5_120, "KWD"), 5_120),
        (Money(1, "EUR"), 1),
        (Money(500, "ISK"), 50_000),
        (Money(500, "CLP"), 50_000),
        (Money(50_000, "IDR"), 500),
        (Money(50_000, "CVE"), 500),
    ],
)
def test_amounts_are_in_adyens_units(account: Any, payment: Any, amount: Money, value: int) -> None:
    """Four currencies have other decimals than ISO 4217, there and back."""
    made = account.run(account.payments.create_payment(payment(amount), key="k"))

    assert value == json.loads(account.requests[0].read())["amount"]["value"]
    assert (amount, amount) == (made.amount, made.captured)
    assert [amount] == [event.payment.amount for event in account.events()]


# Answers that are about something else, or about nothing.

MADE = {
    "pspReference": REF,
    "resultCode": "Authorised",
    "merchantReference": "0195b6c2-0000-7000-8000-000000000001",
    "amount": {"value": 1999, "currency": "EUR"},
}
RECEIVED = {
    "merchantAccount": "AcmeECOM",
    "paymentPspReference": REF,
    "pspReference": "MOD1",
    "status": "received",
    "reference": "0195b6c2-0000-7000-8000-000000000001",
    "amount": {"value": 500, "currency": "EUR"},
}


def answered(exchange: Any, response: httpx.Response) -> Any:
    next(exchange)
    with pytest.raises((StopIteration, HeadraceError)) as found:
        exchange.send(response)
    return found.value.value if isinstance(found.value, StopIteration) else found.value


@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"value": 1998, "currency": "EUR"}},
        {"amount": {"value": 1999, "currency": "USD"}},
        {"merchantReference": "somebody-else"},
        {"merchantReference": "0195b6c2-0000-7000-8000-000000000001-hold"},
        {"merchantReference": ""},
        {"pspReference": "ANOTHER"},
    ],
)
def test_answer_about_another_payment_is_doubt(payment: Any, change: dict[str, Any]) -> None:
    """Amount, currency, our reference and theirs, where they are known."""
    port = adapter(return_url="https://a.example/")
    exchange = port.create_payment(payment(provider_ref=REF), key="k")
    found = answered(exchange, httpx.Response(200, json=MADE | change))

    assert isinstance(found, InDoubt)
    assert "integrity_mismatch" == found.code


def test_answer_to_another_key_is_doubt(payment: Any) -> None:
    """Adyen says which key it answers; a cache in between may not."""
    exchange = adapter(return_url="https://a.example/").create_payment(payment(), key="k")
    headers = {"Idempotency-Key": "another"}

    assert (
        "integrity_mismatch"
        == answered(exchange, httpx.Response(200, json=MADE, headers=headers)).code
    )


@pytest.mark.parametrize("verb", ["capture", "refund", "cancel"])
@pytest.mark.parametrize(
    "change",
    [
        {"amount": {"value": 501, "currency": "EUR"}},
        {"paymentPspReference": "ANOTHER"},
        {"merchantAccount": "AcmePOS"},
        {"reference": "somebody-else"},
        {"status": "done"},
    ],
)
def test_modification_of_something_else_is_doubt(
    payment: Any, verb: str, change: dict[str, Any]
) -> None:
    """Whatever differs from what was asked for."""
    ours = payment(provider_ref=REF)
    exchange = {
        "capture": lambda port: port.capture_payment(ours, PART, key="k"),
        "refund": lambda port: port.refund_payment(ours, RECEIVED["reference"], PART, key="k"),
        "cancel": lambda port: port.cancel_payment(ours, key="k"),
    }[verb](adapter())
    found = answered(exchange, httpx.Response(201, json=RECEIVED | change))

    if verb == "cancel" and "amount" in change:
        assert PaymentState.PENDING is found.state
    else:
        assert isinstance(found, InDoubt)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"resultCode": "PartiallyAuthorised"}, "status_unknown"),
        ({"resultCode": "Sleeping"}, "status_unknown"),
        ({"resultCode": "Pending", "action": {"type": "dance"}}, "status_unknown"),
        ({"resultCode": "Pending", "action": {"type": "voucher", "entity": 7}}, "unreadable"),
        ({"resultCode": "Pending", "action": {}}, "unreadable"),
    ],
)
def test_unknown_words_are_doubt(payment: Any, change: dict[str, Any], code: str) -> None:
    """Not a failure and not a success."""
    exchange = adapter(return_url="https://a.example/").create_payment(payment(), key="k")
    found = answered(exchange, httpx.Response(200, json=MADE | change))

    assert isinstance(found, InDoubt)
    assert code == found.code


# Errors.


def error(status: int, code: str, kind: str = "validation", **headers: str) -> httpx.Response:
    body = {"status": status, "errorCode": code, "message": "secret", "errorType": kind}
    return httpx.Response(status, json=body, headers=headers)


@pytest.mark.parametrize(
    ("response", "kind", "code"),
    [
        (error(400, "702"), Rejected, "refused"),
        (error(422, "130"), Rejected, "refused"),
        (error(401, "000", "security"), Misconfigured, "access_refused"),
        (error(403, "901", "security"), Misconfigured, "access_refused"),
        (error(404, "000"), Rejected, "refused"),
        (httpx.Response(404, text="not here"), Misconfigured, "foreign_answer"),
        (error(500, "905_1", "configuration"), Misconfigured, "account_incomplete"),
        (error(422, "905_1", "configuration"), Misconfigured, "account_incomplete"),
        (error(422, "704", **{"transient-error": "true"}), Unavailable, "locked"),
        (error(409, "704", **{"transient-error": "True"}), Unavailable, "locked"),
        # Without the header "do not retry", says Adyen.
        (error(422, "704"), InDoubt, "server_error"),
        (error(409, "704", **{"transient-error": "false"}), InDoubt, "server_error"),
        (error(503, "703", **{"transient-error": "true"}), Unavailable, "locked"),
        (error(503, "703"), InDoubt, "server_error"),
        (error(500, "000", "internal"), InDoubt, "server_error"),
        (error(408, "000", "internal"), InDoubt, "server_error"),
        (httpx.Response(502, text="<html>"), InDoubt, "server_error"),
        (error(429, "706", **{"retry-after": "7"}), Unavailable, "rate_limited"),
        (
            error(429, "706", **{"transient-error": "true", "retry-after": "soon"}),
            Unavailable,
            "rate_limited",
        ),
    ],
)
def test_errors_mean_what_the_caller_does_next(
    payment: Any, response: httpx.Response, kind: type[HeadraceError], code: str
) -> None:
    """By status, errorCode, errorType and the header that tells what had no effect."""
    exchange = adapter(return_url="https://a.example/").create_payment(payment(), key="k")
    found = answered(exchange, response)

    assert (kind, code) == (type(found), code)
    assert kind is type(found), found
    assert found.code == code
    assert "secret" not in f"{found.message} {found.detail}"


# The bytes on the wire.


def verbs(payment: Any) -> dict[str, Any]:
    ours = payment(provider_ref=REF)
    port = adapter(return_url="https://shop.example/back")
    page = payment(method_code="paypal", token="", capture_method=CaptureMethod.MANUAL)
    klarna = payment(
        method_code="klarna",
        token="",
        payer=samples.payer("DE"),
        items=samples.basket(Money(1999, "EUR")),
    )
    shares = (
        Split(party="BA1", kind=SplitKind.REMAINDER, reference="W-7"),
        Split(party=PLATFORM, kind=SplitKind.COMMISSION, amount=Money(199, "EUR")),
    )
    shared = msgspec.structs.replace(ours, splits=shares)
    return {
        "create_payment_klarna": port.create_payment(klarna, key="key-7"),
        "create_payment_split": port.create_payment(payment(splits=shares), key="key-8"),
        "capture_payment_split": port.capture_payment(shared, PART, key="key-9"),
        "refund_payment_split": port.refund_payment(
            shared, "refund-1", Money(200, "EUR"), key="key-10"
        ),
        "create_payment": port.create_payment(payment(), key="key-1"),
        "create_payment_paypal_manual": port.create_payment(page, key="key-2"),
        "capture_payment": port.capture_payment(ours, PART, key="key-3"),
        "cancel_payment": port.cancel_payment(ours, key="key-4"),
        "cancel_payment_by_our_reference": port.cancel_payment(payment(), key="key-5"),
        "refund_payment": port.refund_payment(ours, "refund-1", Money(200, "EUR"), key="key-6"),
        "find_payment": port.find_payment(payment()),
    }


def readable(request: httpx.Request) -> str:
    head = f"{request.method} {request.url.raw_path.decode()}\n"
    head += "".join(f"{k.decode()}: {v.decode()}\n" for k, v in request.headers.raw)
    return head + "\n" + json.dumps(json.loads(request.read()), indent=2) + "\n"


NAMES = [
    "create_payment", "create_payment_paypal_manual", "create_payment_klarna",
    "create_payment_split", "capture_payment", "capture_payment_split", "cancel_payment",
    "cancel_payment_by_our_reference", "refund_payment", "refund_payment_split", "find_payment",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_golden(payment: Any, name: str) -> None:
    """The request of each verb is the recorded one; HEADRACE_REGENERATE=1 records it anew."""
    file = GOLDEN / f"{name}.http"
    sent = readable(next(verbs(payment)[name]))
    if os.environ.get("HEADRACE_REGENERATE"):
        file.write_text(sent, encoding="utf-8")

    assert file.read_text(encoding="utf-8") == sent


def test_every_verb_has_a_golden_file(payment: Any) -> None:
    """No verb is left out, and no file is left over."""
    assert set(NAMES) == set(verbs(payment)) == {file.stem for file in GOLDEN.glob("*.http")}


def test_settings_hide_their_secrets() -> None:
    """In whatever way they are shown."""
    shown = repr(Settings(api_key="AQE_hidden", merchant_account="A", webhook_secrets=("beef",)))

    assert "AQE_hidden" not in shown
    assert "beef" not in shown
    assert "merchant_account='A'" in shown
