"""Payers: what a method asks for, and how the missing field is called."""

from typing import Any

import msgspec
import pytest

from gateway.errors import Rejected
from gateway.kit import payers
from gateway.kit.payers import Asked
from gateway.model.money import Money
from gateway.model.payment import Payment
from tests.conformance import samples

_ALL = Asked(email=True, phone=True, birth_date=True, basket=True)
_COMPANY = samples.payer(organisation=True)


def _payment(**fields: Any) -> Payment:
    known = {"payer": samples.payer(), "items": samples.basket(samples.AMOUNTS[0])}
    return msgspec.structs.replace(samples.payment(token=""), **known | fields)


def _payer(**changes: Any) -> dict[str, Any]:
    return {"payer": msgspec.structs.replace(samples.payer(), **changes)}


@pytest.mark.parametrize(
    ("asked", "fields", "code", "field"),
    [
        (Asked(), {"payer": None}, "payer_missing", "payment.payer is"),
        (_ALL, {"items": ()}, "payer_missing", "payment.items: the payer's"),
        (Asked(), _payer(names=("Pelé",)), "payer_incomplete", "payment.payer.names"),
        (_ALL, _payer(email=None), "payer_incomplete", "payment.payer.email"),
        (_ALL, _payer(phone=None), "payer_incomplete", "payment.payer.phone"),
        (_ALL, _payer(birth_date=None), "payer_incomplete", "payment.payer.birth_date"),
        (Asked(business=True), {}, "payer_incomplete", "payment.payer.kind"),
        (
            Asked(),
            {"payer": msgspec.structs.replace(_COMPANY, contact=())},
            "payer_incomplete",
            "payment.payer.contact",
        ),
        (_ALL, {"items": samples.basket(Money(1998, "EUR"))}, "basket_sum", "payment.items"),
        (_ALL, {"items": samples.basket(Money(1999, "SEK"))}, "basket_sum", "payment.items"),
    ],
)
def test_what_is_missing_is_named(
    asked: Asked, fields: dict[str, Any], code: str, field: str
) -> None:
    """Under our name of it, and with who asks."""
    with pytest.raises(Rejected, match="Product") as refused:
        payers.check(_payment(**fields), asked, title="Product")
    assert code == refused.value.code
    assert refused.value.message.startswith(field)


@pytest.mark.parametrize(
    ("asked", "fields"),
    [
        (_ALL, {}),
        (_ALL, {"payer": _COMPANY}),
        (msgspec.structs.replace(_ALL, business=True), {"payer": _COMPANY}),
        (Asked(person=False), _payer(names=("Pelé",))),
        (Asked(), _payer(email=None, phone=None, birth_date=None) | {"items": ()}),
    ],
)
def test_nobody_is_asked_for_more(asked: Asked, fields: dict[str, Any]) -> None:
    """Organisations have no day of birth."""
    payment = _payment(**fields)

    assert payment.payer == payers.check(payment, asked, title="Product")
