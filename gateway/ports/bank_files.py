"""Bank files: a payment system that is told in files what to do, and tells in files what was done.

Nothing is sent here: files are written for whoever brings them to the bank, and read from whoever
fetched them.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from gateway.model.bank import BankAccount, BankLine, Collection, Transfer, WrittenFile
from gateway.model.event import ProviderEvent
from gateway.model.mandate import Mandate
from gateway.model.movement import Movement
from gateway.model.payment import Payment
from gateway.model.payout import Payout
from gateway.ports.notification import Notification


class BankFiles(Protocol):
    """What any system of bank files must be able to do. All verbs are pure but for the file.

    Attributes:
        accounts: Our own accounts, by name.
        default_account: The one of payouts, and of mandates that name none.
    """

    accounts: Mapping[str, BankAccount]
    default_account: str

    def collection(self, payment: Payment, mandate: Mandate, *, at: dt.datetime) -> Collection:
        """The collection of a payment, on the first day on which it can be if sent now.

        Raises:
            Rejected: A rule of SEPA or of the mandate is broken; the code names it.
        """
        ...

    def transfer(
        self, payment: Payment, moved: Movement, mandate: Mandate, *, at: dt.datetime
    ) -> Transfer:
        """The transfer by which a promised refund goes back to the debtor's account.

        Raises:
            Rejected: A rule of SEPA is broken; the code names it.
        """
        ...

    def payout(self, payout: Payout, *, at: dt.datetime) -> Transfer:
        """The transfer by which money is sent to somebody.

        Raises:
            Rejected: A rule of SEPA is broken; the code names it, and the detail the field.
        """
        ...

    def write_collections(
        self, rows: Iterable[Collection], target: Path, *, batch_id: str, at: dt.datetime
    ) -> WrittenFile:
        """Write all collections or nothing; the same batch has the same bytes.

        Raises:
            Rejected: A rule or the configured schema refuses a row.
        """
        ...

    def write_transfers(
        self, rows: Iterable[Transfer], target: Path, *, batch_id: str, at: dt.datetime
    ) -> WrittenFile:
        """The same for transfers."""
        ...

    def lines(self, source: BinaryIO) -> Iterator[BankLine]:
        """What a bank says in a file, one by one.

        Raises:
            Rejected: It is no such document, or hostile; the lines before the place were given.
        """
        ...

    def read(self, notification: Notification) -> tuple[ProviderEvent, ...]:
        """What one line means for a payment or a payout; the body is the line as the hub keeps it.

        Raises:
            Rejected: It cannot be read, or is about nothing that we asked for.
        """
        ...
