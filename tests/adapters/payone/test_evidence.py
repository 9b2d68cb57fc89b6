"""Evidence of PAYONE: ids, amounts and codes can be read; tokens, pages and secrets cannot."""

from typing import Any

import httpx

from adapters.payone import ADAPTER
from gateway.policy.redaction import redact_headers
from tests.redacting import redact_body

JSON = "application/json"


def shown(body: bytes) -> str:
    return redact_body(JSON, body, ADAPTER.readable)


def test_nothing_that_could_be_charged_again(account: Any, payment: Any) -> None:
    """Requests, answers and events: whose, how much and how far, and no instrument."""
    back = "https://shop.example/back?secret=1"
    account.create(payment(payment_id="p1"))
    account.create(payment(payment_id="p2", method_code="paypal", token="", return_url=back))
    account.create(payment(payment_id="p3", method_code="sepa_debit", token="MANDATE-ACCEPTED"))
    account.create(payment(payment_id="p4", token="token-declined"))
    bodies = [one.read() for one in account.requests] + [one.content for one in account.responses]
    bodies += [one.read() for one in account.simulator.due(now=account.now)]
    text = "".join(shown(body) for body in bodies)

    for hidden in ("token-accepted", "token-declined", "MANDATE", "shop.example", "/redirect"):
        assert hidden not in text
    for seen in ("p1", "1999", "EUR", "CAPTURED", "REJECTED", "30591001", "commerceCaseId"):
        assert seen in text


def test_signature_is_hidden(account: Any, payment: Any) -> None:
    """In the headers, where it goes with every request; the secret is nowhere."""
    account.create(payment())
    text = str(redact_headers(httpx.Headers(account.requests[0].headers).raw))

    assert "v1HMAC" not in text
    assert account.settings.api_secret not in text + repr(account.settings)
