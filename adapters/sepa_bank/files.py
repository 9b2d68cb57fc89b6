"""The files of a bank: what is written for it, and what its own files mean."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from adapters.sepa_bank import references, words
from adapters.sepa_bank.capabilities import SCHEMES
from adapters.sepa_bank.payments import remittance
from adapters.sepa_bank.settings import Settings
from gateway.errors import Rejected
from gateway.kit import mapping
from gateway.kit.mapping import Document, Made
from gateway.kit.mapping.installed import mappings_of
from gateway.kit.sepa import calendar, mandates
from gateway.kit.sepa.documents import mt940, statements, statuses, streams
from gateway.kit.sepa.documents.checks import Checks
from gateway.kit.sepa.documents.writing import (
    PAIN_001_09,
    PAIN_008_02,
    PAIN_008_08,
    Format,
    PaymentFiles,
)
from gateway.model import codec
from gateway.model.bank import BankAccount, BankLine, Collection, Transfer, WrittenFile
from gateway.model.event import ProviderEvent
from gateway.model.mandate import Mandate
from gateway.model.movement import Movement
from gateway.model.payment import Payment
from gateway.model.payout import Payout
from gateway.ports.notification import Notification

_GENERATIONS: Final = {"08": PAIN_008_08, "02": PAIN_008_02}
# Enough of a document to see the name of its message.
_HEAD: Final = 4096


class SepaBankFiles:
    """The files of one bank contract.

    Args:
        mappings: With the tenant's overlays; None for those that are delivered.
    """

    accounts: Mapping[str, BankAccount]
    default_account: str

    def __init__(
        self, settings: Settings, mappings: Mapping[str, mapping.Mapping] | None = None
    ) -> None:
        self.accounts = settings.accounts
        self.default_account = settings.default_account
        self._settings = settings
        self._mappings = mappings or load(settings)

    def collection(self, payment: Payment, mandate: Mandate, *, at: dt.datetime) -> Collection:
        """The collection of a payment, on the first day on which it can be if sent now."""
        account = self._account(mandate)
        if mandate.system != payment.provider:
            raise _refused("mandate_provider")
        if SCHEMES.get(payment.method_code) is not mandate.scheme:
            raise _refused("mandate_scheme")
        earliest = calendar.earliest_due(at, account.deadline)
        wanted = dt.date.fromisoformat(payment.due) if payment.due else earliest
        due = max(calendar.next_open(wanted), earliest)
        if fault := mandates.fault(mandate, due):
            raise _refused(fault)
        row = Collection(
            end_to_end_id=references.of_payment(payment.payment_id),
            account=mandate.account,
            scheme=mandate.scheme,
            sequence_type=mandates.sequence(mandate, names_first=account.names_first),
            due=due,
            amount=payment.amount,
            mandate_id=mandate.mandate_id,
            signed_on=mandate.signed_at,
            debtor_name=mandate.debtor_name,
            debtor_iban=mandate.iban,
            debtor_bic=mandate.bic,
            remittance=remittance(payment),
            amendment=mandate.amended_from,
        )
        checks = Checks(self.accounts, at)
        made = checks.collection(1, row)
        _passed(checks)
        return made

    def transfer(
        self, payment: Payment, moved: Movement, mandate: Mandate, *, at: dt.datetime
    ) -> Transfer:
        """The transfer by which a promised refund goes back to the debtor's account."""
        account = self._account(mandate)
        reasons = (one.reason for one in payment.refunds if one.provider_ref == moved.ref)
        row = Transfer(
            end_to_end_id=moved.ref,
            account=mandate.account,
            due=calendar.earliest_due(at, account.transfer_deadline),
            amount=moved.amount,
            creditor_name=mandate.debtor_name,
            creditor_iban=mandate.iban,
            creditor_bic=mandate.bic,
            remittance=next(reasons, "") or remittance(payment),
        )
        return self._transfer(row, at)

    def payout(self, payout: Payout, *, at: dt.datetime) -> Transfer:
        """The transfer by which money is sent to somebody."""
        where = payout.destination
        deadline = self.accounts[self.default_account].transfer_deadline
        row = Transfer(
            end_to_end_id=references.of_payout(payout.payout_id),
            account=self.default_account,
            due=calendar.earliest_due(at, deadline),
            amount=payout.amount,
            creditor_name=where.name,
            creditor_iban=where.iban,
            creditor_bic=where.bic or None,
            remittance=payout.text or payout.reference or None,
        )
        return self._transfer(row, at)

    def write_collections(
        self, rows: Iterable[Collection], target: Path, *, batch_id: str, at: dt.datetime
    ) -> WrittenFile:
        """Write all collections or nothing; the same batch has the same bytes."""
        form = _GENERATIONS[self._settings.generation]
        files = self._files(form, self._settings.collection_schema)
        return files.write(
            rows, target, batch_id=batch_id, initiator=self._settings.initiator, now=at
        )

    def write_transfers(
        self, rows: Iterable[Transfer], target: Path, *, batch_id: str, at: dt.datetime
    ) -> WrittenFile:
        """The same for transfers."""
        files = self._files(PAIN_001_09, self._settings.transfer_schema)
        return files.write(
            rows, target, batch_id=batch_id, initiator=self._settings.initiator, now=at
        )

    def lines(self, source: BinaryIO) -> Iterator[BankLine]:
        """What a bank says in a file: pain.002, camt.052, .053, .054, MT940 or MT942."""
        head = source.read(_HEAD)
        source.seek(0)
        if b"CstmrPmtStsRpt" in head:
            found: Iterator[BankLine] = (BankLine(status=one) for one in statuses.read(source))
        elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
            found = (BankLine(entry=one) for one in statements.read(source))
        else:
            found = (BankLine(entry=one) for one in mt940.read(source, limit=streams.LIMIT))
        return words.counted(found)

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """What one line means for a payment or a payout."""
        return words.read(codec.decode(notification.body, BankLine))

    def _transfer(self, row: Transfer, at: dt.datetime) -> Transfer:
        checks = Checks(self.accounts, at)
        made = checks.transfer(1, row)
        _passed(checks)
        return made

    def _account(self, mandate: Mandate) -> BankAccount:
        account = self.accounts.get(mandate.account)
        if account is None:
            raise _refused("account_unknown")
        return account

    def _files(self, form: Format, schema: str) -> PaymentFiles[Any]:
        path = Path(schema) if schema else None
        return PaymentFiles(form, self._mappings, self.accounts, schema=path)


def load(settings: Settings, *, overlays: Iterable[Document] = (), tenant: str = "") -> Made:
    """The mappings for one system: the installed ones and the tenant's overlays.

    Raises:
        Refused: One of them does not fit the schema of its file.
    """
    config = {"bicfi": settings.generation != "02"}
    return mappings_of("sepa_bank", config, overlays=tuple(overlays), tenant=tenant)


def _passed(checks: Checks) -> None:
    if checks.problems:
        raise _refused(checks.problems[0].rule, checks.problems[0].field)


def _refused(rule: str, field: str = "mandate") -> Rejected:
    return Rejected(f"The rule {rule} forbids it ({field}).", code=rule, detail=field)
