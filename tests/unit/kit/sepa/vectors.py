"""Vector files of SEPA: what they look like, and what our code makes of them.

- creditor identifiers: ``cases`` of ``id`` and ``expect`` (``valid`` or ``invalid``);
- references of ISO 11649: ``cases`` of ``ref`` and ``expect``;
- IBANs: ``cases`` of ``iban`` and ``schwifty`` or ``expect``; where the account is valid, perhaps
  ``country``, ``bank_code``, ``account``, ``bic`` and ``schwifty_bban`` (the national check);
- TARGET: ``closing_days`` of ``date``, ``lead_times`` of ``collection_date`` and ``d_minus_N``.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any

from gateway.kit.sepa import calendar, identifiers

_KEYS = ("id", "ref", "iban")
_WEBHOOK = frozenset({"headers", "header_list", "body", "form", "secrets"})
_PROVIDERS = frozenset({"provider", "scheme"})
_FAULTS: dict[str, Callable[[str], str]] = {
    "id": identifiers.creditor_fault,
    "ref": identifiers.rf_fault,
    "iban": identifiers.iban_fault,
}
_DISTANCE = re.compile(r"d_(minus|plus)_([0-9]+)")


def is_form(content: Any) -> bool:
    """Whether a file is of one of these forms; webhooks have headers, bodies or secrets."""
    if not isinstance(content, dict) or not _PROVIDERS.isdisjoint(content):
        return False
    if "closing_days" in content or "lead_times" in content:
        return True
    cases = content.get("cases")
    return bool(cases) and isinstance(cases, list) and all(_key(case) for case in cases)


def run(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each case by name with its complaint; empty when it passed."""
    for number, case in enumerate(content.get("cases", [])):
        key = _key(case)
        yield f"{number} {case[key]!r}", judge(key, case)
    for entry in content.get("closing_days", []):
        yield from _days(entry, "date", _closed)
    for entry in content.get("lead_times", []):
        yield from _days(entry, "collection_date", _distances)


def judge(key: str, case: dict[str, Any]) -> str:
    """The complaint about one identifier."""
    expected = case.get("expect", case.get("schwifty"))
    text = case[key]
    if expected not in {"valid", "invalid"} or not isinstance(text, str):
        return "form not known: a text and a verdict are needed"
    fault = _FAULTS[key](text)
    if (expected == "valid") is bool(fault):
        return f"expected {expected}, got {fault or 'valid'}"
    return "" if fault or key != "iban" else _parts(text, case)


def _parts(text: str, case: dict[str, Any]) -> str:
    """What a valid account is made of, as far as the case says so."""
    found = identifiers.iban(text)
    told = {
        name: case[name] or ""
        for name in ("country", "bank_code", "account", "bic")
        if name in case
    }
    made = {name: getattr(found, name) for name in told}
    if told != made:
        return f"expected {told}, got {made}"
    national = case.get("schwifty_bban")
    if national in {"valid", "invalid"} and (national == "valid") is not found.has_national_check:
        return f"expected a national check that is {national}"
    return ""


def _days(
    entry: Any, key: str, complaint: Callable[[dt.date, dict[str, Any]], str]
) -> Iterator[tuple[str, str]]:
    try:
        day = dt.date.fromisoformat(entry[key])
        yield f"{key} {day}", complaint(day, entry)
    except (KeyError, TypeError, ValueError) as error:
        yield key, f"form not known: {error}"


def _closed(day: dt.date, _entry: dict[str, Any]) -> str:
    return "expected closed, got open" if calendar.is_open(day) else ""


def _distances(day: dt.date, entry: dict[str, Any]) -> str:
    told = {name: text for name, text in entry.items() if _DISTANCE.fullmatch(name)}
    made = {name: _at(day, name).isoformat() for name in told}
    if not told:
        return "form not known: no d_minus_N"
    return "" if told == made else f"expected {told}, got {made}"


def _at(day: dt.date, name: str) -> dt.date:
    match = _DISTANCE.fullmatch(name)
    assert match is not None
    return calendar.add(day, int(match[2]) * (1 if match[1] == "plus" else -1))


def _key(case: Any) -> str:
    """The field with the identifier; empty if the case is of another form."""
    if not isinstance(case, dict) or not _WEBHOOK.isdisjoint(case):
        return ""
    found = [key for key in _KEYS if key in case]
    return found[0] if len(found) == 1 and {"expect", "schwifty"} & set(case) else ""
