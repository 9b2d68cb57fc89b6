"""Confirmations: what was missing of a payment, and what a payer brings back from a page."""

from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from gateway.model.instruction import ReturnUrl
from gateway.model.personal import Guarded

# As a provider's page or component gives them to the front-end; opaque to us.
Details = Annotated[
    dict[
        Annotated[str, Meta(pattern="^[A-Za-z0-9_.]{1,40}$")],
        Annotated[str, Meta(max_length=100_000, pattern=r"^[\x20-\x7e]*$")],
    ],
    Meta(max_length=20),
]


class NewConfirmation(Guarded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What lets a payment go on.

    Attributes:
        token, payment_method_id, return_url: Of a payment that was taken with ``confirm: false``,
            where they were missing.
        details: What the payer brought back, in REQUIRES_ACTION: the provider's own names, such as
            ``redirectResult``; empty where the provider knows by itself.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"token", "details"})

    token: Annotated[str, Meta(max_length=8192, pattern=r"^[\x21-\x7e]*$")] = ""
    payment_method_id: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9_-]*$")] = ""
    return_url: ReturnUrl = ""
    details: Details = msgspec.field(default_factory=dict)


class PayerDetails(Guarded, frozen=True, kw_only=True):
    """What a payer brought back, from the request until the provider has it; then nothing."""

    personal: ClassVar[frozenset[str]] = frozenset({"details"})

    details: dict[str, str] = msgspec.field(default_factory=dict)
