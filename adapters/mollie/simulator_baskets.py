"""What the simulated Mollie demands of payers and baskets, and how it divides money.

Source: Mollie's API reference v2 (create-payment, create-refund), the page of each method
("Required fields"), /docs/upfront-routing and /docs/connect-refunds-and-chargebacks, read 2026-11.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from adapters.mollie.simulator_rules import Refusal

Json: TypeAlias = dict[str, Any]
Units: TypeAlias = Callable[..., tuple[int, str]]

_NAME: Final = ("givenName", "familyName", "email")
_PLACE: Final = ("streetAndNumber", "postalCode", "city", "country")
# Method: what its billing address has to say.
_ADDRESSES: Final = {
    "trustly": _NAME,
    **dict.fromkeys(("alma", "in3", "klarna", "riverty"), _NAME + _PLACE),
    "billie": (*_NAME, *_PLACE, "organizationName"),
}
_LISTED: Final = frozenset({"billie", "in3", "klarna", "riverty"})
_LEAST_NAME: Final = 2
_UNDIVIDED: Final = frozenset({"klarna", "billie", "paypal", "giftcard"})


def check(given: Json, units: Units) -> None:
    """Refuse a payment whose payer, basket or routing cannot be."""
    method, whole = given["method"], units(given)
    address = given.get("billingAddress") or {}
    for name in _ADDRESSES.get(method, ()):
        if not address.get(name):
            field = f"billingAddress.{name}"
            raise Refusal(422, f"The '{field}' field is missing", field)
    for name in ("givenName", "familyName"):
        value = address.get(name)
        if value is not None and (len(value) < _LEAST_NAME or value.isdigit()):
            raise Refusal(422, f"The {name} is invalid", f"billingAddress.{name}")
    phone = address.get("phone")
    if phone is not None and not (phone.startswith("+") and phone[1:].isdigit()):
        raise Refusal(422, "The phone number is not in E.164", "billingAddress.phone")
    if method in _LISTED and not given.get("lines"):
        raise Refusal(422, "The 'lines' field is missing", "lines")
    _check_lines(given.get("lines") or [], whole, units)
    _check_routing(given.get("routing") or [], whole, method, units)


def routed(given: Json, units: Units) -> Counter[str]:
    """What each organisation gets, in the smallest unit."""
    found = Counter[str]()
    for route in given.get("routing") or []:
        found[route["destination"]["organizationId"]] += units(route)[0]
    return found


def reversed_by(given: Json, units: Units, left: Mapping[str, int]) -> Counter[str]:
    """What a refund pulls back from each organisation, refused where it has not so much."""
    found = Counter[str]()
    for one in given.get("routingReversals") or []:
        found[one["source"]["organizationId"]] += units(one)[0]
    for organisation, minor in found.items():
        if minor > left.get(organisation, 0):
            detail = "The amount to reverse is higher than what was routed"
            raise Refusal(422, detail, "routingReversals")
    if found.total() > units(given)[0]:
        raise Refusal(422, "More is reversed than refunded", "routingReversals")
    return found


def _check_lines(lines: list[Json], whole: tuple[int, str], units: Units) -> None:
    total = 0
    for index, line in enumerate(lines):
        if not line.get("description") or type(line.get("quantity")) is not int:
            raise Refusal(422, "The line is invalid", f"lines.{index}")
        price, currency = units({"amount": line["unitPrice"]}, least=0)
        sum_of_line, other = units({"amount": line["totalAmount"]}, least=0)
        if {currency, other} != {whole[1]}:
            raise Refusal(422, "All lines must have the currency of the payment", f"lines.{index}")
        if sum_of_line != price * line["quantity"]:
            raise Refusal(422, "The total amount of the line is wrong", f"lines.{index}")
        total += sum_of_line
    if lines and total != whole[0]:
        raise Refusal(422, "The amount of the payment is not the sum of its lines", "lines")


def _check_routing(routing: list[Json], whole: tuple[int, str], method: str, units: Units) -> None:
    if routing and (method in _UNDIVIDED or whole[1] != "EUR"):
        raise Refusal(422, "Routing is not supported for this payment", "routing")
    total = 0
    for index, route in enumerate(routing):
        to = route.get("destination") or {}
        if to.get("type") != "organization" or not str(to.get("organizationId")).startswith("org_"):
            raise Refusal(422, "The destination is invalid", f"routing.{index}.destination")
        minor, currency = units(route)
        if currency != whole[1]:
            raise Refusal(422, "The currency of the route is invalid", f"routing.{index}.amount")
        total += minor
    if total > whole[0]:
        raise Refusal(422, "More is routed than is paid", "routing")
