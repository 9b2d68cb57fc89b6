"""Webhook keys: where a delivery names the public key that proves it."""

from typing import Protocol

from gateway.ports.exchange import Exchange
from gateway.ports.notification import Keys, Notification


class WebhookKeys(Protocol):
    """A product whose deliveries name the key that signed them.

    Attributes:
        origins: Schemes and hosts where the vendor's keys are; the hub asks nobody else.
    """

    origins: frozenset[str]

    def fetch_keys(self, notification: Notification) -> Exchange[Keys]:
        """The keys that a delivery names, which nobody has verified yet.

        One request at most, without credentials; none where the delivery names no key.

        Raises:
            Rejected: The address is not the vendor's, or nothing is there.
        """
        ...
