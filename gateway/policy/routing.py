"""Routing: which system a payment goes to, and why.

    capable systems ── first rule that fits ── share of the customer ── health ──▶ system

A token or a mandate lives at one provider, so it pins the system. The same payment is always routed
alike: the customer's share is a hash, not a die, and health is an argument.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from gateway.model.capability import Capability
from gateway.model.instruction import NewPayment
from gateway.model.money import Money
from gateway.model.order import NewOrder
from gateway.model.payment import CaptureMethod, Payment
from gateway.model.route import Route, RouteReason
from gateway.policy import attempting, dividing
from gateway.settings import PaymentRule, Routing

# Parts of a customer's share; fine enough for weights that differ by a hundredth of a per cent.
_PARTS: Final = 10_000


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The payment that looks for a system.

    Attributes:
        customer: Whose payments go the same way; the payment's own id where nobody is known.
        country: Of the payer, ISO 3166-1 alpha-2; empty where it is not known.
        later: The amount is authorised now and collected later.
        adjustable: What is authorised may be raised before it is collected.
        token: There is a provider's token.
        return_url: There is a page to come back to.
        pinned: The system at which the token or the mandate lives; empty for none.
        payer: It is known who pays, and for what.
        bank_account: It is known from which account.
        mandate: There is a mandate.
        splits: Parts that the money is of; none where it is all ours.
        members: How many members these are of.
        tried: Systems that were asked before, without effect.
    """

    method: str
    amount: Money
    customer: str
    country: str = ""
    channel: str = ""
    later: bool = False
    adjustable: bool = False
    token: bool = False
    return_url: bool = False
    pinned: str = ""
    payer: bool = False
    bank_account: bool = False
    mandate: bool = False
    splits: int = 0
    members: int = 0
    tried: tuple[str, ...] = ()


class System(msgspec.Struct, frozen=True, kw_only=True):
    """A system that collects payments.

    Attributes:
        healthy: Its circuit is closed and it does not fail too often.
        wallets: Whether the ledger here may divide what the system does not.
    """

    capabilities: tuple[Capability, ...]
    healthy: bool = True
    wallets: bool = False


def route(wanted: Wanted, routing: Routing, systems: Mapping[str, System]) -> Route:
    """Decide where a payment goes.

    A system that is not well comes last, but it comes: nobody else may be able to take the payment.

    Args:
        systems: All that collect payments, by name.
    """
    lacks = {
        name: "tried" if name in wanted.tried else _lacks(one, wanted)
        for name, one in sorted(systems.items())
    }
    able = [name for name, code in lacks.items() if not code]
    left = [RouteReason(name, code) for name, code in lacks.items() if code]
    if wanted.pinned:
        return _pinned(wanted, systems, able, left)
    rule = next((one for one in routing.payment_rules if _fits(one, wanted, able)), None)
    order = [
        *(_by_share(rule.to, wanted.customer, able) if rule else ()),
        *(name for name in (routing.payments, *routing.payment_fallbacks) if name in able),
    ]
    order = list(dict.fromkeys(order))
    well = [name for name in order if systems[name].healthy]
    taken = [*well, *(name for name in order if name not in well)]
    why = "rule" if rule and taken and taken[0] in rule.to else "default"
    reasons = [
        *(RouteReason(name, _why(place, why, systems[name])) for place, name in enumerate(taken)),
        *(RouteReason(name, "other_rule") for name in able if name not in taken),
        *left,
    ]
    return Route(
        system=taken[0] if taken else "",
        rule=rule.name if rule and why == "rule" else "",
        reasons=tuple(reasons),
    )


def of_order(order: NewOrder) -> Wanted:
    """What the payment of an order looks for, as the front-end asks for it."""
    paid = order.payment
    return Wanted(
        method=paid.method_code,
        amount=order.total,
        customer=order.party.party_id,
        country=order.party.addresses[0].country,
        channel=order.channel.value,
        later=paid.capture_method is CaptureMethod.MANUAL,
        adjustable=paid.adjustable,
        token=bool(paid.token),
        return_url=bool(paid.return_url),
        payer=True,
        mandate=bool(paid.mandate_id),
        pinned=paid.provider,
    )


def of_request(new: NewPayment) -> Wanted:
    """What a payment of its own looks for, as the front-end asks for it."""
    return of_payment(attempting.of_request(new, payment_id="", at=""))


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to choose from, and how.

    Attributes:
        systems: All that collect payments, by name.
    """

    systems: Mapping[str, System]
    routing: Routing


def gap(wanted: Wanted, choice: Choice) -> str:
    """Why nobody takes the payment, by the system that comes closest; empty if one does."""
    systems = choice.systems
    # Nearly always whoever is asked by name, or usually, takes it; the whole way is for the rest.
    usual = wanted.pinned or choice.routing.payments
    if usual in systems and not (wanted.tried or _lacks(systems[usual], wanted)):
        return ""
    if route(wanted, choice.routing, systems).system:
        return ""
    if wanted.pinned and wanted.pinned not in systems:
        return "not_configured"
    asked = [systems[wanted.pinned]] if wanted.pinned else systems.values()
    lacks = [_lacks(one, wanted) for one in asked]
    lacking = max(lacks, key=_ORDER.index, default="")
    # A mandate of ours names its system, whatever the rules say.
    return lacking or ("" if wanted.mandate else "not_routed")


def of_payment(payment: Payment) -> Wanted:
    """What a payment looks for."""
    return Wanted(
        method=payment.method_code,
        amount=payment.amount,
        customer=payment.customer_id or payment.payment_id,
        country=payment.country,
        channel=payment.channel,
        later=payment.capture_method is CaptureMethod.MANUAL,
        adjustable=payment.adjustable,
        token=bool(payment.token),
        return_url=bool(payment.return_url),
        payer=payment.payer is not None and bool(payment.items),
        bank_account=payment.bank_account is not None,
        mandate=bool(payment.mandate_id),
        splits=len(payment.splits),
        members=dividing.members(payment.splits),
        tried=tuple(one.provider for one in payment.attempts),
        pinned="" if payment.attempts else payment.provider,
    )


# For each gap the field of a request that is wrong, the rule, and what to do.
ADVICE: Final = {
    "not_configured": ("/payment/provider", "provider_unknown", "Send one of {}, or leave it out."),
    "method_unsupported": ("/payment/method_code", "method_unsupported", "Send one of {}."),
    "not_routed": (
        "/payment/method_code",
        "not_routed",
        "No rule names who takes this; send /payment/provider, or ask for a rule.",
    ),
    "currency_unsupported": (
        "{amount}/currency",
        "currency_unsupported",
        "This method is taken in {}.",
    ),
    "country_unsupported": (
        "/payment/method_code",
        "country_unsupported",
        "This method is for payers in {}.",
    ),
    "capture_unsupported": (
        "/payment/capture_method",
        "capture_unsupported",
        "This method cannot be authorised now and collected later; send automatic.",
    ),
    "held_only": (
        "/payment/capture_method",
        "capture_unsupported",
        "This method is always authorised first and collected later; send manual.",
    ),
    "adjustment_unsupported": (
        "/payment/adjustable",
        "adjustment_unsupported",
        "Send false: only what is collected later and not divided is raised, and by few methods.",
    ),
    "splits_unsupported": (
        "/splits",
        "splits_unsupported",
        "Nobody divides it so; send one member, or ask for wallets.",
    ),
    "token_missing": ("/payment/token", "token_missing", "Send the provider's token."),
    "mandate_missing": ("/payment/mandate_id", "mandate_missing", "Send the id of a mandate."),
    "payer_missing": ("/payer", "payer_missing", "Send payer and items: this method needs them."),
    "bank_account_missing": (
        "/bank_account",
        "bank_account_missing",
        "Send a payment of its own with the bank account of who pays: this method needs it.",
    ),
    "return_url_missing": (
        "/payment/return_url",
        "return_url_missing",
        "Send where the payer comes back to.",
    ),
}


def _pinned(
    wanted: Wanted, systems: Mapping[str, System], able: Sequence[str], left: Sequence[RouteReason]
) -> Route:
    name = wanted.pinned
    if name in able:
        return Route(system=name, reasons=(RouteReason(name, "pinned"),))
    told = [one for one in left if one.system == name]
    return Route(system="", reasons=tuple(told) if name in systems else (_unknown(name),))


def _unknown(name: str) -> RouteReason:
    return RouteReason(name, "not_configured")


def _why(place: int, first: str, system: System) -> str:
    if not system.healthy:
        return "unhealthy"
    return first if place == 0 else "next"


def _lacks(system: System, wanted: Wanted) -> str:
    """What the system lacks; of several rows the one that comes furthest says it."""
    rows = [row for row in system.capabilities if row.method == wanted.method]
    gaps = [_gap(row, wanted, wallets=system.wallets) for row in rows]
    return max(gaps, key=_GAPS.index) if gaps else "method_unsupported"


# In the order in which they are looked at; nothing is missing at the end.
_GAPS: Final = (
    "currency_unsupported",
    "country_unsupported",
    "capture_unsupported",
    "held_only",
    "adjustment_unsupported",
    "splits_unsupported",
    "token_missing",
    "mandate_missing",
    "payer_missing",
    "bank_account_missing",
    "return_url_missing",
    "",
)


_ORDER: Final = ("method_unsupported", *_GAPS)


def _gap(row: Capability, wanted: Wanted, *, wallets: bool) -> str:
    mode = dividing.mode(row, parts=wanted.splits, of_members=wanted.members, wallets=wallets)
    met = (
        _in(wanted.amount.currency, row.currencies),
        _in(wanted.country, row.countries),
        "capture_payment" in row.verbs or not wanted.later,
        wanted.later or not row.held,
        not wanted.adjustable or _is_adjustable(row, wanted),
        mode is not None,
        wanted.token or not row.token,
        wanted.mandate or not row.mandate,
        wanted.payer or not row.payer,
        wanted.bank_account or not row.bank_account,
        wanted.return_url or not row.redirect,
    )
    return next((code for code, fine in zip(_GAPS, met, strict=False) if not fine), "")


def _is_adjustable(row: Capability, wanted: Wanted) -> bool:
    return "update_payment" in row.verbs and wanted.later and not wanted.splits


def _in(code: str, known: tuple[str, ...]) -> bool:
    """Whether a code is among those known; an unknown country excludes nobody."""
    return not known or not code or code in known


def _fits(rule: PaymentRule, wanted: Wanted, able: Sequence[str]) -> bool:
    """Whether the rule is about this payment, and somebody it names can take it."""
    conditions = (
        (rule.methods, wanted.method),
        (rule.countries, wanted.country),
        (rule.currencies, wanted.amount.currency),
        (rule.channels, wanted.channel),
    )
    if any(known and one not in known for known, one in conditions):
        return False
    above, up_to = (_limit(one, wanted.amount) for one in (rule.above, rule.up_to))
    if above is not None and wanted.amount.minor <= above:
        return False
    if up_to is not None and wanted.amount.minor > up_to:
        return False
    return any(name in able for name in rule.to)


def _limit(amount: str, of: Money) -> int | None:
    return Money.parse(amount, of.currency).minor if amount else None


def _by_share(weights: Mapping[str, int], customer: str, able: Sequence[str]) -> Iterator[str]:
    """The able systems of a rule, that of the customer's share first."""
    names = [name for name in weights if name in able]
    digest = hashlib.sha256(customer.encode()).digest()
    place = int.from_bytes(digest[:8], "big") % _PARTS * sum(weights[name] for name in names)
    reached = 0
    for name in names:
        reached += weights[name] * _PARTS
        if place < reached:
            yield name
            break
    yield from names
