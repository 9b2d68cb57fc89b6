"""What an operator types to receive the webhooks of a product that has no adapter of its own."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

SchemeName = Literal[
    "standard_webhooks", "github", "braintree", "truelayer", "klarna", "mangopay", "unzer"
]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint.

    Attributes:
        scheme: How deliveries are signed. ``klarna``, ``mangopay`` and ``unzer`` sign nothing:
            what they send is a hint, and the object has to be read at the provider.
        webhook_secrets: Signing secrets; private keys for ``braintree``. Two while one is
            replaced. Not for ``truelayer``, nor where nothing is signed.
        tolerance_s: For ``standard_webhooks``: how far the clocks may differ, either way.
        public_key: For ``braintree``: which of the signatures is for us.
        public_path: For ``truelayer``: the path that it calls, where a proxy changes it.
        key_origin: For ``truelayer``: the one scheme, host and port from which keys are fetched,
            such as a simulator's. Empty for TrueLayer's own hosts.
    """

    scheme: SchemeName
    webhook_secrets: tuple[str, ...] = ()
    tolerance_s: Annotated[float, Meta(gt=0)] = 300.0
    public_key: str = ""
    public_path: Annotated[str, Meta(pattern="^(/[!-~]*)?$")] = ""
    key_origin: Annotated[str, Meta(pattern="^(https?://[a-z0-9.-]+(:[0-9]+)?)?$")] = ""

    def __repr__(self) -> str:
        """The settings without their secrets."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"Settings({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What rich and ``repr`` show; secrets are masked."""
        masked = {"webhook_secrets": ("***",) * len(self.webhook_secrets)}
        return [(name, masked.get(name, getattr(self, name))) for name in self.__struct_fields__]
