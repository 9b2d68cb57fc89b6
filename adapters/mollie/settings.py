"""What an operator types to connect one Mollie profile."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

_URL = Meta(pattern=r"^(https?://[^\s\x00-\x1f]+)?$", max_length=2048)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One profile.

    Attributes:
        base_url: ``https://api.mollie.com/v2``, or where a simulator listens.
        api_key: ``live_…`` or ``test_…`` of the profile.
        webhook_secrets: Signing secrets of next-generation webhooks. Two while one is replaced;
            none, and only classic webhooks are taken, which nobody signs.
        webhook_url: Where Mollie sends the classic webhooks of each payment: this system's
            address at the hub. Empty for none; next-generation webhooks are set up at Mollie.
        redirect_url: Where payers come back to when a payment names no page of its own. Mollie
            demands one even of a card token, whose payer seldom sees a page.
    """

    base_url: Annotated[str, Meta(pattern="^https?://[^/?#]+(/[^?#]*)?$")] = (
        "https://api.mollie.com/v2"
    )
    api_key: Annotated[str, Meta(pattern="^[!-~]+$")]
    webhook_secrets: tuple[str, ...] = ()
    webhook_url: Annotated[str, _URL] = ""
    redirect_url: Annotated[str, _URL] = ""

    def __repr__(self) -> str:
        """The settings without their secrets."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and ``repr`` show; secrets are masked."""
        masked = {"api_key": "***", "webhook_secrets": ("***",) * len(self.webhook_secrets)}
        return [(name, masked.get(name, getattr(self, name))) for name in self.__struct_fields__]
