"""What an operator types to connect one Adyen merchant account."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One merchant account.

    Attributes:
        base_url: Checkout API with its version. Live accounts have a prefix of their own:
            ``https://PREFIX-checkout-live.adyenpayments.com/checkout/v71``.
        disputes_url: Disputes API with its version, of the Customer Area; live:
            ``https://ca-live.adyen.com/ca/services/DisputeService/v30``.
        api_key: Of the API credential that may create payments and modify them.
        merchant_account: Name of the merchant account, such as ``AcmeECOM``.
        return_url: Where a payer comes back to; Adyen demands one with every payment. Used where
            the payment has none of its own.
        interaction: How stored cards are charged: ``ContAuth`` without the payer being asked,
            ``Ecommerce`` where the issuer may want to ask, which then is a redirect.
        webhook_secrets: HMAC keys of the webhook endpoint as the Customer Area shows them, in
            hexadecimal. Two while one is replaced; none, and every delivery is refused.
    """

    base_url: Annotated[str, Meta(pattern="^https?://[^/?#]+(/[^?#]*)?$")] = (
        "https://checkout-test.adyen.com/v71"
    )
    disputes_url: Annotated[str, Meta(pattern="^https?://[^/?#]+(/[^?#]*)?$")] = (
        "https://ca-test.adyen.com/ca/services/DisputeService/v30"
    )
    api_key: Annotated[str, Meta(pattern="^[!-~]+$")]
    merchant_account: Annotated[str, Meta(pattern="^[!-9;-~]+$", max_length=80)]
    return_url: Annotated[str, Meta(pattern="^([a-z][a-z0-9+.-]*://[!-~]+)?$", max_length=1000)] = (
        ""
    )
    interaction: Literal["ContAuth", "Ecommerce"] = "ContAuth"
    webhook_secrets: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """The settings without their secrets."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and ``repr`` show; secrets are masked."""
        masked = {"api_key": "***", "webhook_secrets": ("***",) * len(self.webhook_secrets)}
        return [(name, masked.get(name, getattr(self, name))) for name in self.__struct_fields__]
