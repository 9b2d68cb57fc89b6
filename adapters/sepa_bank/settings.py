"""What an operator types to connect the accounts at one bank."""

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.model.bank import BankAccount

_NAME = Meta(pattern="^[a-z][a-z0-9_-]{0,39}$")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The accounts of one bank contract.

    Attributes:
        accounts: Our accounts by name: ``name``, ``iban``, ``bic``, ``creditor_id``, for
            collections ``deadline`` (``lead_days``, ``cut_off: "10:00:00"``, ``zone``), for
            transfers ``transfer_deadline``, ``batch_booking``, ``names_first``.
        default_account: The account of mandates that name none.
        initiator: Who hands the files in, as agreed with the bank.
        generation: Of the collection files: ``08`` for pain.008.001.08, ``02`` for the older one.
        collection_schema: An XSD with which every collection file is validated; empty for none.
        transfer_schema: The same for pain.001.001.09.
    """

    accounts: Annotated[dict[Annotated[str, _NAME], BankAccount], Meta(min_length=1)]
    default_account: Annotated[str, _NAME]
    initiator: Annotated[str, Meta(min_length=1, max_length=70)]
    generation: Annotated[str, Meta(pattern="^(08|02)$")] = "08"
    collection_schema: str = ""
    transfer_schema: str = ""
