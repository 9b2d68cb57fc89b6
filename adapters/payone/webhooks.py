"""Webhooks: X-GCS-Signature by one of several keys, which the delivery names."""

import re
from typing import Final

import msgspec

from adapters.payone.settings import Settings
from gateway.errors import Misconfigured, Rejected
from gateway.kit.signatures import base64_sha256, require_match, secrets_of
from gateway.model.event import ProviderEvent
from gateway.ports.notification import Answer, Notification, Terms, Trust

_QUESTION: Final = "x-gcs-webhooks-endpoint-verification"
_TEXT: Final = re.compile(r"[A-Za-z0-9._~=+/-]{1,256}")
# Source: docs.payone.com, events of the Commerce Platform, read 2026-11.
FAMILIES: Final = ("payment.", "refund.", "payout.", "token.", "checkout.", "paymentlink.")


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    payment: dict[str, object] = {}


_EVENT: Final = msgspec.json.Decoder(_Event)


class PayoneWebhooks:
    """The deliveries to one endpoint, and the question whether it is one."""

    terms = Terms(methods=frozenset({"GET", "POST"}))

    def __init__(self, settings: Settings) -> None:
        self._ids = settings.webhook_key_ids
        self._secrets = settings.webhook_secrets

    def answer_challenge(self, notification: Notification) -> Answer | None:
        """The text of the question; None for a POST.

        Only plain characters are given back, so that no page can be put into our mouth.
        """
        if notification.method != "GET":
            return None
        text = notification.header(_QUESTION)
        if not _TEXT.fullmatch(text):
            return Answer(status=400)
        plain = (("content-type", "text/plain"), ("x-content-type-options", "nosniff"))
        return Answer(headers=plain, body=text.encode())

    def verify(self, notification: Notification, *, now: float) -> Trust:  # noqa: ARG002 - the signature has no time
        """Accept the delivery or raise; a header that stands twice is refused.

        Source: onlinepayments-sdk-python3 10.3.0 (``SignatureValidator``), read 2026-11.
        """
        secrets = secrets_of(self._secrets)
        if len(secrets) != len(self._ids):
            raise Misconfigured("Each webhook key needs id and secret.", code="webhook_key_ids")
        given = notification.header("x-gcs-signature")
        named = notification.header("x-gcs-keyid")
        ours = [secret for key, secret in zip(self._ids, secrets, strict=True) if key == named]
        require_match([base64_sha256(one.encode(), notification.body) for one in ours], [given])
        return Trust.SIGNED

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The one event, a hint: the payment is read before anything is believed."""
        try:
            event = _EVENT.decode(notification.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Rejected(
                "The body is not an event of PAYONE.", code="event_unexpected"
            ) from error
        return (
            ProviderEvent(
                event_id=event.id,
                event_type=event.type,
                provider_ref=str(event.payment.get("id", "")),
                hint=True,
                known=event.type.startswith(FAMILIES),
            ),
        )
