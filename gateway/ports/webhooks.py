"""Webhooks: what providers report, accepted only when it is genuine."""

from typing import Protocol

from gateway.model.event import ProviderEvent
from gateway.ports.notification import Notification, Terms, Trust


class Webhooks(Protocol):
    """What any product that reports events must be able to do. Both verbs are pure.

    Attributes:
        terms: What the provider expects of the endpoint.
    """

    terms: Terms

    def verify(self, notification: Notification, *, now: float) -> Trust:
        """Let the delivery in or raise.

        Args:
            now: Seconds since the epoch.

        Raises:
            Rejected: The signature is missing, wrong or too old.
            Misconfigured: No secret is configured, so nothing can be accepted.
        """
        ...

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """The events of a delivery that was let in; needs no credentials.

        Of the headers, only those that ``terms`` names are there.

        Raises:
            Rejected: The body is not what the product documents.
        """
        ...
