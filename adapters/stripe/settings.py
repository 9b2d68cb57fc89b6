"""What an operator types to connect one Stripe account."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One Stripe account.

    Attributes:
        base_url: ``https://api.stripe.com``, or where a simulator or localstripe listens.
        secret_key: ``sk_live_…``, ``sk_test_…`` or a restricted key ``rk_…`` that may read and
            write PaymentIntents and Refunds.
        webhook_secrets: Signing secrets of the endpoint (``whsec_…``). Two while one is rolled;
            none, and every delivery is refused.
        tolerance_s: Deliveries signed longer ago are refused; 0 accepts any age, as Stripe's own
            clients do.
        api_version: Sent as Stripe-Version, so that an upgrade of the account changes nothing here.
        find_by: How a payment is found whose Stripe id never arrived. ``search`` is one request,
            but its index lags by up to a minute; ``list`` pages through everything created since,
            is exact at once, and slow for a busy account. ``scan`` pages through all payments
            there are, for stand-ins such as localstripe that cannot filter.
    """

    base_url: Annotated[str, Meta(pattern="^https?://[^/?#]+/?$")] = "https://api.stripe.com"
    secret_key: Annotated[str, Meta(pattern="^[!-~]+$")]
    webhook_secrets: tuple[str, ...] = ()
    tolerance_s: Annotated[float, Meta(ge=0)] = 300.0
    api_version: Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}(\.[a-z]+)?$")] = "2023-08-16"
    find_by: Literal["search", "list", "scan"] = "search"

    def __repr__(self) -> str:
        """The settings without their secrets."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and ``repr`` show; the key and the signing secrets are masked."""
        masked = {"secret_key": "***", "webhook_secrets": ("***",) * len(self.webhook_secrets)}
        return [(name, masked.get(name, getattr(self, name))) for name in self.__struct_fields__]
