"""A mandate at a provider: the payer agrees there, and we know it by a token."""

from enum import StrEnum
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from gateway.model.mandate import MandateState
from gateway.model.payment import Kept, NextAction, PaymentFailure
from gateway.model.personal import Guarded


class Signing(StrEnum):
    """How a payer agrees: on a page of the provider, or with us, who pass the account on."""

    PAGE = "PAGE"
    ACCOUNT = "ACCOUNT"


class DebtorAccount(Guarded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account of whoever agreed with us.

    Attributes:
        debtor_name: The owner of the account.
        email: Of the owner, where the provider writes to the owner.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"debtor_name", "iban", "email"})

    debtor_name: str
    iban: str
    email: str = ""


class NewHeldMandate(Guarded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mandate that a provider is asked for.

    Attributes:
        system: The system that shall hold it.
        method_code: Canonical method that it is for, such as ``sepa_debit``.
        customer_id: The front-end's id of the payer.
        return_url: Where the payer comes back to from the provider's page.
        debtor_name, iban: Of the account, where the payer has agreed with us; passed on, and then
            only the end of the number is kept.
        email: Where the provider writes to the payer; passed on and not kept.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"debtor_name", "iban", "email"})

    system: Annotated[str, Meta(pattern="^[a-z0-9_-]{1,40}$")]
    method_code: Annotated[str, Meta(pattern="^[a-z0-9_]{2,40}$")]
    customer_id: Annotated[str, Meta(min_length=1, max_length=64, pattern="^[A-Za-z0-9._-]*$")]
    return_url: Annotated[str, Meta(max_length=2048, pattern=r"^(https://[^\s\x00-\x1f]+)?$")] = ""
    debtor_name: Annotated[str, Meta(max_length=70, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""
    iban: Annotated[str, Meta(max_length=42, pattern="^[A-Za-z0-9 ]*$")] = ""
    email: Annotated[
        str, Meta(max_length=127, pattern=r"^([^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+)?$")
    ] = ""


class ProviderMandate(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says about a mandate: an answer or a look-up.

    Attributes:
        request_ref: What it calls the request by which the mandate is given; empty where there is
            none.
        provider_ref: What it calls the mandate; empty before there is one.
        token: What payments by the mandate name; empty before there is one.
    """

    state: MandateState
    request_ref: str = ""
    provider_ref: str = ""
    token: str = ""
    next_action: NextAction | None = None
    failure: PaymentFailure | None = None


class HeldMandate(msgspec.Struct, frozen=True, kw_only=True):
    """A mandate at a provider.

    Attributes:
        mandate_id: Ours; the provider keeps it in a field of its own.
        system: The configured system that holds it.
        account: Only until the provider has it; never shown.
        iban: The end of the number, where we have passed it on.
        requested_at: ISO 8601 in UTC.
        revoke_requested_at: When it was taken back here, ISO 8601 in UTC; from then on nothing is
            collected by it, whatever the provider says.
        next_action: Where the payer has to agree, while it is PENDING.
    """

    mandate_id: str
    method_code: str
    customer_id: str
    return_url: str = ""
    account: DebtorAccount | None = None
    system: Kept[str]
    requested_at: Kept[str]
    state: Kept[MandateState] = MandateState.PENDING
    iban: Kept[str] = ""
    request_ref: Kept[str] = ""
    provider_ref: Kept[str] = ""
    token: Kept[str] = ""
    revoke_requested_at: Kept[str] = ""
    next_action: Kept[NextAction | None] = None
    failure: Kept[PaymentFailure | None] = None
