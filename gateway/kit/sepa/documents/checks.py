"""What has to hold before a payment is written into a file; each rule has a name.

The ISO schemas allow far more than SEPA does, and the German schemas of the 2019 generation are not
public: these rules carry what no schema says.
"""

import datetime as dt
from array import array
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from gateway.kit.sepa import calendar, identifiers
from gateway.kit.sepa.characters import Unwritable, written
from gateway.model.bank import BankAccount, Collection, Deadline, Problem, Transfer
from gateway.model.mandate import Amendment
from gateway.model.money import Money

P = TypeVar("P", Collection, Transfer)

NAME_LENGTH: Final = 70
REMITTANCE_LENGTH: Final = 140
# Source: DK schema, ActiveOrHistoricCurrencyAndAmount_SimpleTypeSEPA: 0.01 to 999,999,999.99.
_LEAST, _MOST = 1, 99_999_999_999
_BUCKETS: Final = 64

_DETAILS: Final = {
    "account_unknown": "no bank account of this name is configured",
    "amount_currency": "SEPA pays in EUR only",
    "amount_range": "an amount is between 0.01 and 999,999,999.99",
    "due_closed": "TARGET is closed on this day",
    "due_early": "the bank cannot be reached in time for this day",
    "due_late": "files are taken at most 14 days ahead",
    "signed_later": "the mandate is signed in the future",
    "reference_twice": "the reference stands in the file already",
    "iban_not_sepa": "the account is outside the SEPA zone",
}


class Checks:
    """The rules for one file.

    Args:
        accounts: Of our own, by the name that rows give.
        now: When the file is made; any aware moment.
        cut: Names and texts that are too long may lose their end.

    Attributes:
        problems: Everything that was found.
    """

    def __init__(
        self, accounts: Mapping[str, BankAccount], now: dt.datetime, *, cut: bool = False
    ) -> None:
        self.problems: list[Problem] = []
        self._accounts = accounts
        self._now = now
        self._cut = cut
        self._days: dict[tuple[str, dt.date], str] = {}
        self._references = _References()

    def collection(self, row: int, one: Collection) -> Collection:
        """The collection as it is written; what is wrong goes to ``problems``."""
        made = self._payment(row, one, "debtor")
        account = self._accounts.get(one.account)
        self._rule(row, "mandate_id", identifiers.reference_fault(one.mandate_id))
        if account is not None:
            self._day(row, one, account.deadline, at_most=True)
            if one.signed_on > _today(self._now, account.deadline):
                self._rule(row, "signed_on", "signed_later")
        if one.amendment is not None:
            made = msgspec.structs.replace(made, amendment=self._amendment(row, one.amendment))
        return made

    def transfer(self, row: int, one: Transfer) -> Transfer:
        """The transfer as it is written; what is wrong goes to ``problems``."""
        made = self._payment(row, one, "creditor")
        account = self._accounts.get(one.account)
        if account is not None and not one.is_instant:
            self._day(row, one, account.transfer_deadline)
        return made

    def account(self, name: str, *, collects: bool) -> BankAccount:
        """An account of ours as it is written."""
        account = self._accounts[name]
        place = f"accounts.{name}"
        self._rule(0, f"{place}.iban", identifiers.payable_fault(account.iban))
        if account.bic is not None:
            self._rule(0, f"{place}.bic", identifiers.bic_fault(account.bic))
        creditor_id = account.creditor_id
        if collects:
            self._rule(0, f"{place}.creditor_id", identifiers.creditor_fault(creditor_id))
        return msgspec.structs.replace(
            account,
            name=self.text(0, f"{place}.name", account.name, NAME_LENGTH),
            iban=identifiers.compact(account.iban),
            creditor_id=identifiers.compact(creditor_id),
        )

    def close(self) -> None:
        """Look at what only the whole file shows: references that stand in it twice."""
        for row in sorted(self._references.repeated()):
            self._rule(row, "end_to_end_id", "reference_twice")

    def text(self, row: int, field: str, text: str, at_most: int) -> str:
        """A name or a text in the characters of SEPA."""
        try:
            return written(text, at_most=at_most, cut=self._cut)
        except Unwritable as refusal:
            self._rule(row, field, refusal.rule, str(refusal))
            return ""

    def _payment(self, row: int, one: P, party: str) -> P:
        """What collections and transfers have in common."""
        self._references.add(row, one.end_to_end_id)
        for field, rule in self._broken(one, party):
            self._rule(row, field, rule)
        changed: dict[str, Any] = {}
        name, iban = getattr(one, f"{party}_name"), getattr(one, f"{party}_iban")
        if (told := self.text(row, f"{party}_name", name, NAME_LENGTH)) != name:
            changed[f"{party}_name"] = told
        if (plain := identifiers.compact(iban)) != iban:
            changed[f"{party}_iban"] = plain
        if one.remittance is not None:
            told = self.text(row, "remittance", one.remittance, REMITTANCE_LENGTH)
            if told != one.remittance:
                changed["remittance"] = told
        return msgspec.structs.replace(one, **changed) if changed else one

    def _broken(self, one: P, party: str) -> Iterator[tuple[str, str]]:
        """Field and rule of what is wrong; a rule may be empty."""
        yield "end_to_end_id", identifiers.reference_fault(one.end_to_end_id)
        if one.account not in self._accounts:
            yield "account", "account_unknown"
        yield "amount", amount_fault(one.amount)
        yield f"{party}_iban", identifiers.payable_fault(getattr(one, f"{party}_iban"))
        bic = getattr(one, f"{party}_bic")
        if bic is not None:
            yield f"{party}_bic", identifiers.bic_fault(bic)

    def _amendment(self, row: int, told: Amendment) -> Amendment:
        fault = identifiers.reference_fault
        if told.mandate_id is not None:
            self._rule(row, "amendment.mandate_id", fault(told.mandate_id))
        if told.creditor_id is not None:
            creditor = identifiers.creditor_fault(told.creditor_id)
            self._rule(row, "amendment.creditor_id", creditor)
        if told.creditor_name is None:
            return told
        name = self.text(row, "amendment.creditor_name", told.creditor_name, NAME_LENGTH)
        return msgspec.structs.replace(told, creditor_name=name)

    def _day(self, row: int, one: P, deadline: Deadline, *, at_most: bool = False) -> None:
        key = one.account, one.due
        if key not in self._days:
            self._days[key] = _day_fault(one.due, self._now, deadline, at_most=at_most)
        self._rule(row, "due", self._days[key])

    def _rule(self, row: int, field: str, rule: str, detail: str = "") -> None:
        if rule:
            told = detail or _DETAILS.get(rule, "")
            self.problems.append(Problem(row=row, field=field, rule=rule, detail=told))


class _References:
    """Finds references that come twice, at sixteen bytes for each instead of a hundred.

    Only 64 bits of each are kept: of a million different ones, two are taken for the same once in
    37 million files. Such a file is refused, and accepted when the process has started anew.
    """

    def __init__(self) -> None:
        self._hashes = tuple(array("q") for _ in range(_BUCKETS))
        self._rows = tuple(array("Q") for _ in range(_BUCKETS))

    def add(self, row: int, reference: str) -> None:
        """Remember one."""
        key = hash(reference)
        self._hashes[key % _BUCKETS].append(key)
        self._rows[key % _BUCKETS].append(row)

    def repeated(self) -> Iterator[int]:
        """The rows whose reference stood in an earlier one."""
        for hashes, rows in zip(self._hashes, self._rows, strict=True):
            if len(set(hashes)) < len(hashes):
                seen: set[int] = set()
                for key, row in zip(hashes, rows, strict=True):
                    if key in seen:
                        yield row
                    seen.add(key)


def amount_fault(amount: Money) -> str:
    """The rule that an amount breaks, or empty."""
    if amount.currency != "EUR":
        return "amount_currency"
    return "" if _LEAST <= amount.minor <= _MOST else "amount_range"


def _day_fault(due: dt.date, now: dt.datetime, deadline: Deadline, *, at_most: bool) -> str:
    if not calendar.is_open(due):
        return "due_closed"
    if due < calendar.earliest_due(now, deadline):
        return "due_early"
    return "due_late" if at_most and due > calendar.latest_due(now, deadline) else ""


def _today(now: dt.datetime, deadline: Deadline) -> dt.date:
    return now.astimezone(ZoneInfo(deadline.zone)).date()
