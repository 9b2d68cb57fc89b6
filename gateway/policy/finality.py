"""Finality: from when on collected money cannot be taken back as a matter of course.

Fraud, court orders and claims of "not authorised" (13 months for a SEPA debit) can always follow.
"""

from datetime import date, timedelta
from typing import Final

from gateway.kit.sepa import calendar

# Calendar days after the collection, by canonical method; methods that are missing say nothing.
# Sources, read 2026-11: EPC SEPA core rulebook (eight weeks, without a reason); Visa and Mastercard
# dispute rules (120 days); credit transfers and what rides on them cannot be taken back.
_DAYS: Final = {
    "sepa_debit": 56,
    "sepa_direct_debit": 56,
    **dict.fromkeys(("card", "card_on_file", "apple_pay", "google_pay", "click_to_pay"), 120),
    **dict.fromkeys(("paypal", "paypal_vault"), 180),
    **dict.fromkeys(
        (
            *("bank_transfer", "pay_by_bank", "ideal", "bancontact", "eps", "przelewy24", "blik"),
            *("mybank", "multibanco", "kbc", "belfius", "wero", "cash", "open_invoice"),
            *("prepayment", "trustly"),
        ),
        0,
    ),
}
# Between businesses the debtor's bank may return a debit for so many TARGET days, nobody later.
_B2B_DAYS: Final = 3


def final_on(method: str, captured_at: str) -> str:
    """The day after which nobody can take the money back without a reason; empty for unknown.

    Args:
        method: Canonical method.
        captured_at: ISO 8601.
    """
    captured = date.fromisoformat(captured_at[:10])
    if method == "sepa_debit_b2b":
        return calendar.add(captured, _B2B_DAYS).isoformat()
    days = _DAYS.get(method)
    return "" if days is None else (captured + timedelta(days=days)).isoformat()
