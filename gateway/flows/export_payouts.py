"""Export payouts: those that were promised go into the file of transfers, and are marked as sent.

No flow, but a part of the transaction that freezes the file. Payouts are locked after payments and
mandates, as by everybody who locks several of them.
"""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Final

from gateway.errors import Rejected
from gateway.flows.send_payout import wake
from gateway.model import codec
from gateway.model.bank import Transfer
from gateway.model.payout import Payout, PayoutState
from gateway.policy import paying, submitting
from gateway.ports.bank_files import BankFiles
from gateway.runtime.bank_runs import BankRun
from gateway.runtime.database import Connection
from gateway.runtime.documents import Unit

_PROMISED: Final = """
select r.entity_id from headrace.reference r
cross join lateral (select d.state from headrace.document d where d.tenant = %(tenant)s
  and d.kind = 'payout' and d.id = r.entity_id offset 0) p
where r.tenant = %(tenant)s and r.entity = 'PAYOUT' and r.system = %(system)s
  and p.state = 'PENDING' order by 1
"""
_LOCKED: Final = """
select body::text from headrace.document where tenant = %s and kind = 'payout' and id = any(%s)
order by id for no key update
"""


class PayoutExport:
    """Takes the payouts of one file.

    Args:
        at: When the file is frozen.

    Attributes:
        refused: Payouts that no file could take; each has failed, with the rule.
    """

    def __init__(
        self, run: BankRun, port: BankFiles, connection: Connection, at: dt.datetime
    ) -> None:
        self.refused = 0
        self._run = run
        self._port = port
        self._connection = connection
        self._at = at

    async def parts(self, size: int) -> AsyncIterator[list[Transfer]]:
        """The transfers, so many at a time, once the payouts say that they are sent."""
        if self._run.account != self._port.default_account:
            return
        given = {"tenant": self._run.tenant, "system": self._run.system}
        found = await self._connection.execute(_PROMISED, given)
        ids = [key for (key,) in await found.fetchall()]
        for start in range(0, len(ids), size):
            yield await self._taken(ids[start : start + size])

    async def _taken(self, ids: list[str]) -> list[Transfer]:
        found = await self._connection.execute(_LOCKED, (self._run.tenant, ids))
        rows = []
        for (body,) in await found.fetchall():
            payout = codec.decode(body, Payout)
            if payout.state is not PayoutState.PENDING:
                continue  # cancelled before it was locked
            try:
                rows.append(self._port.payout(payout, at=self._at))
            except Rejected as error:
                self.refused += 1
                changed, told = submitting.refused_payout(payout, error.code)
            else:
                at = self._at.astimezone(dt.UTC).isoformat()
                changed, told = paying.submitted(payout, at=at)
            unit = Unit(
                self._connection,
                tenant=self._run.tenant,
                business_id=payout.payout_id,
                traceparent="",
                causation_id=self._run.cause,
            )
            await unit.save("payout", payout.payout_id, changed.state.value, changed, told)
            await wake(self._connection, changed)
        return rows
