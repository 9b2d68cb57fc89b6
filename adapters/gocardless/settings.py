"""What an operator types to connect one GoCardless account."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One creditor account.

    Attributes:
        base_url: ``https://api.gocardless.com``, ``https://api-sandbox.gocardless.com``, or where a
            simulator listens.
        access_token: With read and write access.
        api_version: Sent as GoCardless-Version.
        webhook_secrets: Of the webhook endpoint. Two while one is replaced; none, and every
            delivery is refused.
    """

    base_url: Annotated[str, Meta(pattern="^https?://[^/?#]+(/[^?#]*)?$")] = (
        "https://api.gocardless.com"
    )
    access_token: Annotated[str, Meta(pattern="^[!-~]+$")]
    api_version: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")] = "2015-07-06"
    webhook_secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The settings without their secrets."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and ``repr`` show; secrets are masked."""
        masked = {"access_token": "***", "webhook_secrets": ("***",) * len(self.webhook_secrets)}
        return [(name, masked.get(name, getattr(self, name))) for name in self.__struct_fields__]
