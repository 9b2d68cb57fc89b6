"""Webhook challenges: providers that ask whether an endpoint is ours before they use it."""

from typing import Protocol

from gateway.ports.notification import Answer, Notification


class WebhookChallenges(Protocol):
    """A product that asks such questions."""

    def answer_challenge(self, notification: Notification) -> Answer | None:
        """The answer; None where the request is a delivery and no question.

        Raises:
            Misconfigured: What is needed for the answer is not configured.
        """
        ...
