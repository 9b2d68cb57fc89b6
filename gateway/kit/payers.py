"""Payers: what a method asks of who pays, and for what, checked before anything is sent.

A provider's refusal would name fields that nobody here has seen.
"""

from collections.abc import Iterator

import msgspec

from gateway.errors import Rejected
from gateway.model.party import Party, PartyKind
from gateway.model.payment import Payment


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a method asks for, besides an address.

    Attributes:
        person: Given and family name, of who acts for an organisation too.
        basket: Lines whose sum is the amount.
        birth_date: Of persons.
        business: Only organisations pay like this.
    """

    person: bool = True
    email: bool = False
    phone: bool = False
    birth_date: bool = False
    business: bool = False
    basket: bool = False


def check(payment: Payment, asked: Asked, *, title: str) -> Party:
    """Who pays.

    Args:
        title: What people call the product.

    Raises:
        Rejected: Something is missing: ``payer_missing`` where it is all of it, else
            ``payer_incomplete``; ``basket_sum`` where the lines are not the amount.
    """
    payer = payment.payer
    if payer is None or (asked.basket and not payment.items):
        missing = "payer" if payer is None else "items: the payer's basket"
        message = f"payment.{missing} is missing: {title} asks for it."
        raise Rejected(message, code="payer_missing")
    for lacks in _lacks(payer, asked):
        message = f"payment.payer.{lacks}: {title} asks for it with this method."
        raise Rejected(message, code="payer_incomplete")
    if asked.basket:
        _check_basket(payment, title)
    return payer


def _lacks(payer: Party, asked: Asked) -> Iterator[str]:
    """What is missing of the payer, the field first."""
    organisation = payer.kind is PartyKind.ORGANISATION
    if asked.business and not organisation:
        yield "kind is no organisation"
    if asked.person and not payer.given_name:
        field = "contact" if organisation else "names"
        yield f"{field} is not a given and a family name"
    for field in ("email", "phone"):
        if getattr(asked, field) and not getattr(payer, field):
            yield f"{field} is missing"
    if asked.birth_date and not organisation and not payer.birth_date:
        yield "birth_date is missing"


def _check_basket(payment: Payment, title: str) -> None:
    amount = payment.amount
    same = all(one.unit_price.currency == amount.currency for one in payment.items)
    total = sum(one.unit_price.minor * one.quantity for one in payment.items)
    if not same or total != amount.minor:
        message = f"payment.items: {title} asks for lines whose sum is the amount."
        raise Rejected(message, code="basket_sum")
