"""The webhooks port of Adyen: each item is proven by itself, and by nothing that is not signed."""

import json
from typing import Any

import pytest

from adapters.adyen import Settings
from adapters.adyen.webhooks import AdyenWebhooks
from gateway.errors import Misconfigured, Rejected
from gateway.kit.signatures import base64_sha256
from gateway.ports.notification import Notification
from tests.adapters.adyen.conformance import notices

_KEY = "5FAF1C66E0022591EEFE896B8E3D62138D79C90CB642A116B8D730D29220B718"
_OTHER = "FC8B3E49A80A64640F8BCF6218D2AEE6C44FE8F89C34645A0D196C33300C2795"


def port(*keys: str) -> AdyenWebhooks:
    return AdyenWebhooks(
        Settings(api_key="k", merchant_account="Acme", webhook_secrets=keys or (_KEY,))
    )


def items(*codes: str) -> bytes:
    """A delivery with an item for each code."""
    found = []
    for number, code in enumerate(codes):
        text = f"PSP{number}::Acme:HR-{number}:1999:EUR:{code}:true"
        item = {
            "additionalData": {"hmacSignature": base64_sha256(bytes.fromhex(_KEY), text.encode())},
            "amount": {"currency": "EUR", "value": 1999},
            "eventCode": code,
            "merchantAccountCode": "Acme",
            "merchantReference": f"HR-{number}",
            "pspReference": f"PSP{number}",
            "success": "true",
        }
        found.append({"NotificationRequestItem": item})
    return json.dumps({"live": "false", "notificationItems": found}).encode()


def judge(body: bytes, *keys: str) -> str:
    """The code with which the delivery is refused; empty when it is accepted."""
    try:
        port(*keys).verify(Notification(body=body), now=0)
    except Rejected as error:
        return error.code
    return ""


def changed(body: bytes, number: int, **fields: Any) -> bytes:
    """The delivery with other fields in one of its items; None leaves one out."""
    whole = json.loads(body)
    item = whole["notificationItems"][number]["NotificationRequestItem"]
    item.update(fields)
    for name in [name for name, value in fields.items() if value is None]:
        del item[name]
    return json.dumps(whole, ensure_ascii=False).encode()


def test_keys() -> None:
    """Either of two, in upper or lower case; not another one."""
    body = items("AUTHORISATION", "CAPTURE")

    assert "" == judge(body)
    assert "" == judge(body, _OTHER, _KEY.lower())
    assert "signature_invalid" == judge(body, _OTHER)
    with pytest.raises(Misconfigured):
        judge(body, "no hex")


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize(
    "fields",
    [
        {"pspReference": "X"},
        {"originalReference": "X"},
        {"merchantAccountCode": "X"},
        {"merchantReference": "X"},
        {"amount": {"currency": "EUR", "value": 2000}},
        {"amount": {"currency": "USD", "value": 1999}},
        {"amount": {"currency": "EUR", "value": 1999.5}},
        {"amount": None},
        {"eventCode": "X"},
        {"success": "false"},
        {"success": "True"},
        {"success": True},
        {"success": None},
        {"additionalData": None},
        {"additionalData": {}},
        {"additionalData": {"hmacSignature": ""}},
        {"additionalData": {"hmacSignature": None}},
    ],
)
def test_any_false_item_refuses_the_delivery(number: int, fields: dict[str, Any]) -> None:
    """Whichever field, and in whichever place it stands."""
    body = items("AUTHORISATION", "CAPTURE", "REFUND")

    assert judge(changed(body, number, **fields))


def test_what_is_not_signed_may_change() -> None:
    """So nothing is decided by it."""
    body = items("AUTHORISATION")
    touched = changed(body, 0, reason="x", eventDate="2030-01-01", paymentMethod="visa")

    assert "" == judge(touched)
    (one,), (two,) = (port().read(Notification(body=each)) for each in (body, touched))
    assert (one.payment, one.movements) == (two.payment, two.movements)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"notificationItems":[]}', b'{"notificationItems":[{}]}', b"[]", b"\xff"]
)
def test_no_items_no_trust(body: bytes) -> None:
    """A delivery with nothing to verify is not a delivery that was verified."""
    assert "malformed" == judge(body)


def test_repetitions_have_the_same_key() -> None:
    """Code, reference and success: a failed capture after a good one is another event."""
    good = items("CAPTURE")
    (one,) = port().read(Notification(body=good))
    (two,) = port().read(Notification(body=changed(good, 0, success="false")))

    assert ("CAPTURE:PSP0:true", "CAPTURE:PSP0:false") == (one.event_id, two.event_id)


def test_types() -> None:
    """What the vendor documents is known, of either kind of delivery."""
    found = port().read(Notification(body=items("AUTHORISATION", "SOMETHING_NEW")))
    settings = Settings(api_key="k", merchant_account="Acme", webhook_secrets=(_KEY,))
    (transfer, *_) = [event for one in notices(settings) for event in port().read(one)]

    assert [True, False] == [event.known for event in found]
    assert (True, "TR1") == (transfer.known, transfer.provider_ref)
