"""Payments and accounts that the tests of documents share."""

import datetime as dt
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, Final

from gateway.kit.mapping import Mapping
from gateway.kit.mapping.installed import mappings_of
from gateway.kit.sepa.documents.writing import Format, PaymentFiles
from gateway.model.bank import BankAccount, Collection, Transfer, WrittenFile
from gateway.model.money import Money

NOW: Final = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)  # a Monday, nine in Berlin
DUE: Final = dt.date(2026, 12, 1)
ACCOUNTS: Final = {
    "main": BankAccount(
        name="Headrace GmbH",
        iban="DE75 5121 0800 1245 1261 99",
        bic="SOGEDEFF",
        creditor_id="DE98ZZZ09999999999",
    ),
    "austria": BankAccount(
        name="Headrace Österreich",
        iban="AT611904300234573201",
        creditor_id="AT92ZZZ00000012345",
        batch_booking=False,
    ),
}


def collection(**fields: Any) -> Collection:
    known: dict[str, Any] = {
        "end_to_end_id": "E-1",
        "account": "main",
        "due": DUE,
        "amount": Money(1990, "EUR"),
        "mandate_id": "M-1",
        "signed_on": dt.date(2024, 2, 29),
        "debtor_name": "Erika Mustermann",
        "debtor_iban": "DE89370400440532013000",
    }
    return Collection(**{**known, **fields})


def transfer(**fields: Any) -> Transfer:
    known: dict[str, Any] = {
        "end_to_end_id": "E-1",
        "account": "main",
        "due": DUE,
        "amount": Money(1990, "EUR"),
        "creditor_name": "Erika Mustermann",
        "creditor_iban": "DE89370400440532013000",
    }
    return Transfer(**{**known, **fields})


@cache
def mappings(*, bicfi: bool) -> dict[str, Mapping]:
    return dict(mappings_of("sepa_bank", {"bicfi": bicfi}))


def files(
    form: Format, *, schema: Path | None = None, **accounts: BankAccount
) -> PaymentFiles[Any]:
    known = mappings(bicfi=not form.name.endswith("008.001.02"))
    return PaymentFiles(form, known, accounts or ACCOUNTS, schema=schema)


def write(
    form: Format,
    payments: Iterable[Collection | Transfer],
    target: Path,
    *,
    schema: Path | None = None,
    now: dt.datetime = NOW,
    cut: bool = False,
    accounts: dict[str, BankAccount] | None = None,
) -> WrittenFile:
    return files(form, schema=schema, **(accounts or {})).write(
        payments, target, batch_id="RUN-1", initiator="Headrace GmbH", now=now, cut=cut
    )
