"""The identity map: what other systems call our things."""

from enum import StrEnum

import msgspec


class EntityKind(StrEnum):
    """Things that other systems keep a copy of."""

    BUSINESS_PARTNER = "BUSINESS_PARTNER"
    SALES_ORDER = "SALES_ORDER"
    ACCOUNT = "ACCOUNT"
    OPPORTUNITY = "OPPORTUNITY"
    PAYMENT = "PAYMENT"
    # What a bank was told to do, by the end-to-end id of it.
    BANK_ORDER = "BANK_ORDER"
    PAYOUT = "PAYOUT"
    PAYOUT_BATCH = "PAYOUT_BATCH"
    TRANSFER = "TRANSFER"
    MANDATE = "MANDATE"
    # The request by which a mandate at a provider is given.
    MANDATE_REQUEST = "MANDATE_REQUEST"


class ExternalReference(msgspec.Struct, frozen=True, kw_only=True):
    """What a system calls one of our things.

    Attributes:
        entity: The kind of thing, in the other system's words where it has some.
        entity_id: Our id.
        system: Product that numbered it, such as ``sap_s4``.
        external_id: Their id, in the form their screens show.
        created: Whether this call made it; False where it was there already.
    """

    entity: EntityKind
    entity_id: str
    system: str
    external_id: str
    created: bool = True
