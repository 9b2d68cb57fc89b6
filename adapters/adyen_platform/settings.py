"""What an operator types to connect one balance platform of Adyen."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One balance platform.

    Attributes:
        base_url: Transfers API with its version; ``…-live.adyen.com/btl/v4`` for money.
        api_key: Of the API credential that may start transfers and read them.
        balance_account: The platform's own balance account, ``BA…``: payouts leave it.
        priority: How fast and at which price banks are told.
        webhook_secrets: HMAC keys of the webhook endpoint, in hexadecimal. Two while one is
            replaced; none, and every delivery is refused.
    """

    base_url: Annotated[str, Meta(pattern="^https?://[^/?#]+(/[^?#]*)?$")] = (
        "https://balanceplatform-api-test.adyen.com/btl/v4"
    )
    api_key: Annotated[str, Meta(pattern="^[!-~]+$")]
    balance_account: Annotated[str, Meta(pattern="^[A-Za-z0-9]{1,64}$")]
    priority: Literal["regular", "fast", "instant", "wire"] = "regular"
    webhook_secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The settings without their secrets."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and ``repr`` show; secrets are masked."""
        masked = {"api_key": "***", "webhook_secrets": ("***",) * len(self.webhook_secrets)}
        return [(name, masked.get(name, getattr(self, name))) for name in self.__struct_fields__]
