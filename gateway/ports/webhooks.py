"""Webhooks: what providers report, accepted only when it is genuine."""

from collections.abc import Mapping
from typing import Protocol

from gateway.model.event import ProviderEvent


class Webhooks(Protocol):
    """What any product that reports events must be able to do. Both verbs are pure."""

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: float) -> None:
        """Accept the delivery or raise.

        Args:
            headers: Names in lower case.
            body: The bytes as received; decoding and encoding again breaks the signature.
            now: Seconds since the epoch.

        Raises:
            Rejected: The signature is missing, wrong or too old.
            Misconfigured: No secret is configured, so nothing can be accepted.
        """
        ...

    def read(self, body: bytes) -> tuple[ProviderEvent, ...]:
        """The events of a genuine delivery.

        Raises:
            Rejected: The body is not what the product documents.
        """
        ...
