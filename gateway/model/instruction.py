"""Instructions: what a front-end wants to be done about money."""

from datetime import date
from typing import Annotated, ClassVar

import msgspec
from msgspec import Meta

from gateway.model.bank_account import BankAccount
from gateway.model.item import OrderItem
from gateway.model.mandate import Scheme
from gateway.model.money import Money
from gateway.model.party import Party
from gateway.model.payment import CaptureMethod
from gateway.model.personal import Guarded
from gateway.model.split import Split

Day = Annotated[str, Meta(pattern=r"^(\d{4}-\d{2}-\d{2})?$", description="ISO 8601")]
ReturnUrl = Annotated[str, Meta(max_length=2048, pattern=r"^(https://[^\s\x00-\x1f]+)?$")]
# SEPA's end-to-end id takes 35 characters; what fits there fits everywhere.
ShopReference = Annotated[str, Meta(max_length=35, pattern="^[A-Za-z0-9._/-]*$")]


class PaymentInstruction(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How something is to be paid.

    Attributes:
        method_code: Canonical method, such as ``card``.
        token: The payment provider's token of the instrument, or what a wallet gave to the
            front-end; card numbers are refused. Empty for methods without one.
        mandate_id: The mandate by which it is collected; it names the provider, and the token
            where the provider holds the mandate.
        payment_method_id: A stored instrument; it names the provider and the token.
        provider: The system at which the token was made, where there are several; the payment goes
            there and nowhere else.
        adjustable: Whether what is authorised may be raised later, which some providers have to
            know from the beginning; only with ``manual``.
        return_url: Where the payer comes back to from a provider's or a bank's page.
        due: When a debit is to be collected, or a transfer be paid; empty for as soon as it can.
    """

    method_code: Annotated[str, Meta(pattern="^[a-z0-9_]{2,40}$", examples=["card"])]
    token: Annotated[str, Meta(max_length=8192, pattern=r"^[\x21-\x7e]*$")] = ""
    mandate_id: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9_-]*$")] = ""
    payment_method_id: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9_-]*$")] = ""
    provider: Annotated[str, Meta(max_length=40, pattern="^[a-z0-9_]*$")] = ""
    capture_method: CaptureMethod = CaptureMethod.AUTOMATIC
    adjustable: bool = False
    return_url: ReturnUrl = ""
    due: Day = ""

    @property
    def is_stored(self) -> bool:
        """Whether we have to look up who is asked for the money, and with which token."""
        return bool(self.payment_method_id or self.mandate_id)


class NewPayment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A payment of its own, without an order.

    Attributes:
        payer: Who pays; some methods need the name and the address.
        items: What is paid for; some methods need it, and then its sum is the amount.
        bank_account: From where it is paid, only for methods that need it; not kept once the
            provider has it.
        splits: Whose the money is, for platforms; the sum is the amount.
        release_on: The day from which on members can have what comes into their wallets; empty
            for the day on which the payment is final.
        reference: The front-end's own number, shown at the provider where there is room.
        confirm: Whether it begins at once; else it is stored, and begins with ``…/confirm``, which
            may bring what is missing.
    """

    amount: Money
    payment: PaymentInstruction
    payer: Party | None = None
    items: Annotated[tuple[OrderItem, ...], Meta(max_length=200)] = ()
    bank_account: BankAccount | None = None
    splits: Annotated[tuple[Split, ...], Meta(max_length=50)] = ()
    release_on: Day = ""
    reference: ShopReference = ""
    confirm: bool = True


class NewCapture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be collected of an authorised payment.

    Attributes:
        amount: A part; all that is left where it is not given.
    """

    amount: Money | None = None


class NewAmount(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """To what an authorisation is to be raised.

    Attributes:
        amount: All that may be collected then.
    """

    amount: Money


class NewRefund(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be given back.

    Attributes:
        amount: A part; all that is left where it is not given.
        reason: For our own records and the provider's; no personal data.
    """

    payment_id: Annotated[str, Meta(min_length=1, max_length=64)]
    amount: Money | None = None
    reason: Annotated[str, Meta(max_length=140, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class NewMandate(Guarded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mandate that a debtor has signed.

    Attributes:
        mandate_id: The reference that stands on it; made up where it is not given. Banks take
            capital and small letters for the same, so only capitals are taken.
        system: The system of bank files, where there are several.
        account: Name of the bank account of ours that collects; that of the settings if empty.
        customer_id: The front-end's id of the debtor.
        debtor_name: The owner of the account.
        bic: Only needed for accounts outside the European Economic Area.
        signed_at: The day of the signature, ISO 8601.
        signature_type: How it was given.
        is_single: For one collection only.
        notice_days: Days before the due date by which the debtor is told.
        is_registered: B2B only: the debtor's bank has it already.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"debtor_name", "iban", "bic"})

    mandate_id: Annotated[str, Meta(max_length=35, pattern="^[A-Z0-9-]*$")] = ""
    system: Annotated[str, Meta(max_length=40, pattern="^[a-z0-9_-]*$")] = ""
    account: Annotated[str, Meta(max_length=40, pattern="^[a-z0-9_-]*$")] = ""
    customer_id: Annotated[str, Meta(max_length=64, pattern="^[A-Za-z0-9._-]*$")] = ""
    scheme: Scheme = Scheme.CORE
    debtor_name: Annotated[str, Meta(min_length=1, max_length=140)]
    iban: Annotated[str, Meta(min_length=15, max_length=42)]
    bic: Annotated[str, Meta(max_length=11)] = ""
    signed_at: date
    signature_type: Annotated[str, Meta(pattern="^(paper|electronic|click)$")] = "electronic"
    is_single: bool = False
    notice_days: Annotated[int, Meta(ge=0, le=60)] = 14
    is_registered: bool = False


class MandateAmendment(Guarded, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a mandate is different now; what is left out stays.

    Attributes:
        iban: The debtor's new account.
        bic: Of the new account; only needed outside the European Economic Area.
        debtor_name: Its owner's name now.
        creditor_name_before: We have another name now; this was ours when it was signed.
        is_registered: B2B only: the debtor's bank has the mandate of the new account already.
    """

    personal: ClassVar[frozenset[str]] = frozenset({"debtor_name", "iban", "bic"})

    iban: Annotated[str, Meta(max_length=42)] = ""
    bic: Annotated[str, Meta(max_length=11)] = ""
    debtor_name: Annotated[str, Meta(max_length=140)] = ""
    creditor_name_before: Annotated[str, Meta(max_length=140)] = ""
    is_registered: bool = False
