"""Webhooks: X-GCS-Signature by one of several keys, which the delivery names."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from adapters.payone import translation
from adapters.payone import translation_objects as answers
from adapters.payone.settings import Settings
from adapters.payone.translation import Translation
from adapters.payone.translation_objects import PAID, REFUNDED, Mark
from gateway.errors import Misconfigured, Rejected
from gateway.kit import mapping
from gateway.kit.answers import Answer, UnreadableError, seconds
from gateway.kit.signatures import base64_sha256, require_match, secrets_of
from gateway.model.event import ProviderEvent
from gateway.model.movement import Movement
from gateway.model.payment import ProviderPayment
from gateway.ports.notification import Answer as Reply
from gateway.ports.notification import Notification, Terms, Trust

_QUESTION: Final = "x-gcs-webhooks-endpoint-verification"
_TEXT: Final = re.compile(r"[A-Za-z0-9._~=+/-]{1,256}")
# Source: docs.payone.com, events of the Commerce Platform, read 2026-11.
FAMILIES: Final = ("payment.", "refund.", "payout.", "token.", "checkout.", "paymentlink.")


class _Marked(msgspec.Struct, frozen=True, rename="camel"):
    """Where our mark stands in both kinds of objects."""

    merchant_parameters: str = ""


class _Payment(msgspec.Struct, frozen=True, rename="camel"):
    id: str = ""
    payment_output: _Marked = _Marked()


class _Refund(msgspec.Struct, frozen=True, rename="camel"):
    id: str = ""
    refund_output: _Marked = _Marked()


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    """An event.

    Attributes:
        merchant_reference: Our id, in what ``reports.py`` makes of a checkout.
    """

    id: str
    type: str
    created: str = ""
    merchant_reference: str = ""
    payment: msgspec.Raw = msgspec.Raw(b"")
    refund: msgspec.Raw = msgspec.Raw(b"")


_EVENT: Final = msgspec.json.Decoder(_Event)
_PAYMENT: Final = msgspec.json.Decoder(_Payment)
_REFUND: Final = msgspec.json.Decoder(_Refund)


class PayoneWebhooks:
    """The deliveries to one endpoint, and the question whether it is one.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    terms = Terms(methods=frozenset({"GET", "POST"}))

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self._ids = settings.webhook_key_ids
        self._secrets = settings.webhook_secrets
        self._translation = Translation(mappings or translation.load(settings))

    def answer_challenge(self, notification: Notification) -> Reply | None:
        """The text of the question; None for a POST.

        Only plain characters are given back, so that no page can be put into our mouth.
        """
        if notification.method != "GET":
            return None
        text = notification.header(_QUESTION)
        if not _TEXT.fullmatch(text):
            return Reply(status=400)
        plain = (("content-type", "text/plain"), ("x-content-type-options", "nosniff"))
        return Reply(headers=plain, body=text.encode())

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
        """The one event; where it does not tell what moved, only a hint to read the payment."""
        try:
            event = _EVENT.decode(notification.body)
            found = self._said(event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Rejected(
                "The body is not an event of PAYONE.", code="event_unexpected"
            ) from error
        except UnreadableError as error:
            raise Rejected(str(error), code=error.code) from error
        return (found,)

    def _said(self, event: _Event) -> ProviderEvent:
        """What the object in the event tells, where it carries our mark.

        Its id is none of the three that we know a payment by, so it is told only without a mark.
        """
        theirs, mark = _whose(event)
        payment: ProviderPayment | None = None
        movements: tuple[Movement, ...] = ()
        if mark and event.payment:
            paid = PAID.decode(event.payment)
            payment = self._translation.notice_in(Answer(event.payment, paid), mark.capture)
        elif mark and event.refund:
            refunded = REFUNDED.decode(event.refund)
            if refunded.refund_output.references.merchant_reference:
                given = self._translation.refund_in(Answer(event.refund, refunded))
                movements = (given.movement,)
        return ProviderEvent(
            event_id=event.id,
            event_type=event.type,
            payment_id=mark.payment_id if mark else event.merchant_reference,
            provider_ref="" if mark else theirs,
            payment=payment,
            movements=movements,
            hint=payment is None and not movements,
            known=event.type.startswith(FAMILIES),
            occurred_at=seconds(event.created),
        )


def _whose(event: _Event) -> tuple[str, Mark | None]:
    """PAYONE's id of the object, and what we wrote into it."""
    if event.payment:
        payment = _PAYMENT.decode(event.payment)
        return payment.id, answers.mark(payment.payment_output.merchant_parameters)
    if event.refund:
        refund = _REFUND.decode(event.refund)
        return refund.id, answers.mark(refund.refund_output.merchant_parameters)
    return "", None
