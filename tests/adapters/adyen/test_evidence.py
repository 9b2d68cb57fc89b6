"""Evidence of Adyen: ids, amounts and codes can be read; tokens, keys and accounts cannot."""

import json
from typing import Any

import httpx

from adapters.adyen import ADAPTER
from gateway.model.money import Money
from gateway.policy.redaction import redact_headers
from tests.redacting import redact_body

JSON = "application/json"


def shown(body: bytes) -> str:
    return redact_body(JSON, body, ADAPTER.readable)


def test_requests_show_no_instrument(account: Any, payment: Any) -> None:
    """Whose it is, what was asked for and how much, and nothing that could be charged again."""
    tokens = {
        "card": "shopper-1_M5N7TQ4TG5PFWR50",
        "apple_pay": "eyJhcHBsZSI6MX0=",
        "google_pay": '{"signature":"MEUCIQ"}',
        "blik": "777123",
    }
    for method, token in tokens.items():
        currency = "PLN" if method == "blik" else "EUR"
        ours = payment(Money(1999, currency), key=method, method_code=method, token=token)
        account.run(account.payments.create_payment(ours, key=method))
    text = "".join(shown(one.read()) for one in account.requests)

    for hidden in (*tokens.values(), "M5N7TQ4TG5PFWR50", "shopper-1", "MEUCIQ"):
        assert hidden not in text
    for seen in ("AcmeECOM", payment().payment_id, payment().order_id, "scheme", "applepay", "EUR"):
        assert seen in text


def test_answers_show_codes_and_no_page(account: Any, payment: Any) -> None:
    """A page may carry a token in its address; a refusal shows its number."""
    ideal = payment(key="i", payment_id="i", method_code="ideal", token="")
    refused = payment(key="r", token="shopper-1_REFUSED000000012")
    for ours, key in ((ideal, "i"), (refused, "r")):
        account.run(account.payments.create_payment(ours, key=key))
    text = "".join(shown(one.content) for one in account.responses)

    assert "checkoutshopper" not in text
    assert all(each in text for each in ("RedirectShopper", "Refused", '"12"', "pspReference"))


def test_notifications_show_nobody(account: Any, payment: Any) -> None:
    """What Adyen may add about the payer stays hidden, the signature too."""
    account.run(account.payments.create_payment(payment(), key="k"))
    (one,) = account.notifications()
    whole = json.loads(one.body)
    item = whole["notificationItems"][0]["NotificationRequestItem"]
    item["additionalData"] |= {"iban": "DE02120300000000202051", "shopperEmail": "ada@example.com"}
    text = shown(json.dumps(whole).encode())

    for hidden in ("DE0212", "ada@", item["additionalData"]["hmacSignature"]):
        assert hidden not in text
    assert item["merchantReference"] in text


def test_key_of_the_account_is_hidden(account: Any, payment: Any) -> None:
    """In the headers, where it goes with every request."""
    account.run(account.payments.create_payment(payment(), key="k"))
    headers = redact_headers(httpx.Headers(account.requests[0].headers).raw)

    assert "AQE_one" not in str(headers)
