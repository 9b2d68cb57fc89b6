"""What an operator types to connect one Mollie profile."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One profile.

    Attributes:
        base_url: ``https://api.mollie.com/v2``, or where a simulator listens.
        api_key: ``live_…`` or ``test_…`` of the profile.
        webhook_secrets: Signing secrets of next-generation webhooks. Two while one is replaced;
            none, and only classic webhooks are taken, which nobody signs.
    """

    base_url: Annotated[str, Meta(pattern="^https?://[^/?#]+(/[^?#]*)?$")] = (
        "https://api.mollie.com/v2"
    )
    api_key: Annotated[str, Meta(pattern="^[!-~]+$")]
    webhook_secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The settings without their secrets."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and ``repr`` show; secrets are masked."""
        masked = {"api_key": "***", "webhook_secrets": ("***",) * len(self.webhook_secrets)}
        return [(name, masked.get(name, getattr(self, name))) for name in self.__struct_fields__]
