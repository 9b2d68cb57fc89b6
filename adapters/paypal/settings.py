"""What an operator types to connect one PayPal account."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One REST app of one account.

    Attributes:
        base_url: ``https://api-m.paypal.com``, ``https://api-m.sandbox.paypal.com``, or where a
            simulator listens.
        client_id: Of the REST app.
        client_secret: Of the same app.
        webhook_id: Id of the webhook in the app's settings; it is part of what is signed. Empty,
            and every delivery is refused.
        key_origin: For tests only: the one scheme, host and port from which certificates are
            fetched, ``http://127.0.0.1:8080``. Empty for PayPal's own hosts.
        trusted_roots: For tests only: PEM of the roots that are trusted. Empty for those that
            Mozilla trusts.
        intermediates: PEM of certificates between the root and the one that PayPal sends, where it
            sends one alone.
    """

    base_url: Annotated[str, Meta(pattern="^https?://[^/?#]+(/[^?#]*)?$")] = (
        "https://api-m.paypal.com"
    )
    client_id: Annotated[str, Meta(pattern="^[!-~]+$")]
    client_secret: Annotated[str, Meta(pattern="^[!-~]+$")]
    webhook_id: str = ""
    key_origin: Annotated[str, Meta(pattern="^(https?://[a-z0-9.-]+(:[0-9]+)?)?$")] = ""
    trusted_roots: str = ""
    intermediates: str = ""

    def __repr__(self) -> str:
        """The settings without their secrets."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and ``repr`` show; secrets are masked."""
        masked = {"client_secret": "***"}
        return [(name, masked.get(name, getattr(self, name))) for name in self.__struct_fields__]
