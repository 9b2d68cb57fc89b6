"""Things of the model for the suites: names and amounts that products stumble over."""

from typing import Any, Final

import msgspec

from gateway.model.bank_account import BankAccount
from gateway.model.instruction import PaymentInstruction
from gateway.model.item import OrderItem
from gateway.model.money import Money
from gateway.model.order import Channel, Order, OrderKind, OrderState
from gateway.model.party import Address, Party, PartyKind
from gateway.model.payment import CaptureMethod, Payment

# Two, none and three decimals. Three are written by some providers as two and a zero.
AMOUNTS: Final = (Money(1_999, "EUR"), Money(1_999, "JPY"), Money(19_990, "KWD"))
NAMES: Final = (
    ("Jürgen", "Müller-Lüdenscheidt"),
    ("Łukasz", "Żółć"),
    ("Seán", 'O\'Brien "Bri"'),
    ("花子", "山田"),
    ("محمد", "السيد"),
    ("Ada 🚗", "<b>Lovelace</b> & Söhne"),
    ("Ünal", "x" * 100),
)
_IBAN: Final = "DE89370400440532013000"
SHOWN_NOWHERE: Final = ("Lovelace", "ada@example.com", "4711471147", "Lindenallee", _IBAN)


def party(number: int = 1, names: tuple[str, ...] = ("Ada", "Lovelace")) -> Party:
    """A person of her own for each number."""
    return Party(
        party_id=f"C-{number:06}",
        kind=PartyKind.PERSON,
        names=names,
        addresses=(
            Address(
                line1="Lindenallee",
                house_number="77a",
                postal_code="10117",
                city="Berlin",
                country="DE",
            ),
        ),
        email="ada@example.com",
        phone="+49 4711471147",
    )


def order(number: int = 1, *, price: Money = AMOUNTS[0], **fields: Any) -> Order:
    """An order of two pieces."""
    values: dict[str, Any] = {
        "order_id": f"01950000-0000-7000-8000-{number:012}",
        "state": OrderState.ACCEPTED,
        "channel": Channel.B2C,
        "kind": OrderKind.PURCHASE,
        "party": party(number),
        "items": (OrderItem(product_id="CAR-1", quantity=2, unit_price=price),),
        "total": price * 2,
        "payment": PaymentInstruction(method_code="card", token="tok_1"),
        "reference": f"W-{number}",
        "note": None,
        "submitted_at": "2026-03-02T09:00:00+00:00",
        "payment_id": f"01950000-0000-7000-9000-{number:012}",
    }
    return Order(**values | fields)


def payment(
    number: int = 1,
    *,
    token: str,
    amount: Money = AMOUNTS[0],
    manual: bool = False,
    method: str = "card",
) -> Payment:
    """A payment that was prepared and not sent."""
    made = order(number)
    return Payment(
        payment_id=made.payment_id,
        order_id=made.order_id,
        amount=amount,
        method_code=method,
        token=token,
        capture_method=CaptureMethod.MANUAL if manual else CaptureMethod.AUTOMATIC,
        provider="provider",
        requested_at="2026-03-02T09:00:00+00:00",
        captured=Money(0, amount.currency),
        refunded=Money(0, amount.currency),
        returned=Money(0, amount.currency),
        disputed=Money(0, amount.currency),
    )


def payer(country: str = "DE", *, organisation: bool = False) -> Party:
    """Somebody of whom all is known that a method may ask for."""
    known = party()
    home = msgspec.structs.replace(known.addresses[0], country=country)
    names = ("Lovelace Engines GmbH",) if organisation else known.names
    return msgspec.structs.replace(
        known,
        kind=PartyKind.ORGANISATION if organisation else PartyKind.PERSON,
        names=names,
        contact=known.names if organisation else (),
        addresses=(home,),
        birth_date=None if organisation else "1990-12-10",
        vat_id=f"{country}123456789" if organisation else None,
    )


def bank_account() -> BankAccount:
    """From where somebody pays; nobody owns it."""
    return BankAccount(iban=_IBAN, holder="Ada Lovelace")


def basket(amount: Money) -> tuple[OrderItem, ...]:
    """Two lines whose sum is the amount; one of them without a description."""
    third = Money(amount.minor // 3, amount.currency)
    rest = Money(amount.minor - 2 * third.minor, amount.currency)
    return (
        OrderItem(product_id="CAR-1", quantity=2, unit_price=third),
        OrderItem(product_id="MAT-2", description="Floor mats", quantity=1, unit_price=rest),
    )
