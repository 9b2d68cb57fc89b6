"""What an operator types to connect one merchant of the PAYONE Commerce Platform."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One merchant.

    Attributes:
        base_url: ``https://api.commerce.payone.com``, ``https://api.preprod.commerce.payone.com``,
            or where a simulator listens.
        merchant_id: PAYONE's id of the merchant (PCP).
        api_key_id: Id of the API key.
        api_secret: Its secret, which signs our requests.
        webhook_key_ids: Ids of the webhook keys, which deliveries name.
        webhook_secrets: Their secrets, in the same order. None, and every delivery is refused.
    """

    base_url: Annotated[str, Meta(pattern="^https?://[^/?#]+(/[^?#]*)?$")] = (
        "https://api.commerce.payone.com"
    )
    merchant_id: Annotated[str, Meta(pattern="^[!-~]+$")]
    api_key_id: Annotated[str, Meta(pattern="^[!-~]+$")]
    api_secret: Annotated[str, Meta(pattern="^[!-~]+$")]
    webhook_key_ids: tuple[str, ...] = ()
    webhook_secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The settings without their secrets."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and ``repr`` show; secrets are masked."""
        masked = {"api_secret": "***", "webhook_secrets": ("***",) * len(self.webhook_secrets)}
        return [(name, masked.get(name, getattr(self, name))) for name in self.__struct_fields__]
