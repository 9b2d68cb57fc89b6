"""A bank by files in the conformance suite."""

from adapters.sepa_bank import ADAPTER, Settings
from gateway.model.bank import BankAccount
from gateway.model.money import Money
from tests.conformance.subject import Subject


def settings(**fields: object) -> Settings:
    """One account, as an operator describes it."""
    account = BankAccount(
        name="Headrace GmbH",
        iban="DE75512108001245126199",
        bic="SOGEDEFF",
        creditor_id="DE98ZZZ09999999999",
    )
    known = {"accounts": {"main": account}, "default_account": "main", "initiator": "Headrace GmbH"}
    return Settings(**{**known, **fields})  # type: ignore[arg-type] # as a test needs them


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=lambda _number: (settings(), None),
    tokens={"accepted": ""},
    method="sepa_debit",
    amounts=(Money(1_999, "EUR"),),
    silent="it is told in files, and tells in files; see tests/flows/test_bank.py",
)
