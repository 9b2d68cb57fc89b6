"""Mandated payments: whether a payment can be collected by the mandate that it names."""

from datetime import UTC, datetime

from gateway.model.instruction import PaymentInstruction
from gateway.model.mandate import Mandate
from gateway.policy import mandating, notifying
from gateway.policy.validation import Invalid
from gateway.runtime.database import Connection
from gateway.runtime.documents import read
from gateway.runtime.hub import Tenant


async def check(connection: Connection, tenant: Tenant, paid: PaymentInstruction) -> str:
    """The system that collects by the mandate of a payment; empty where none of ours is meant.

    Raises:
        Invalid: The payment cannot be collected by it.
    """
    if not paid.mandate_id or paid.method_code not in mandating.SCHEME_OF or not tenant.banks:
        return ""
    mandate = await read(connection, tenant.name, "mandate", paid.mandate_id, Mandate)
    now = datetime.now(UTC)
    error = mandating.may_pay(paid, mandate, now.date())
    bank = tenant.banks.get(mandate.system) if mandate else None
    account = bank.port.accounts.get(mandate.account) if bank and mandate else None
    if error is None and account is not None and mandate is not None:
        error = notifying.fault(paid, mandate, account, now=now)
    if error is not None:
        raise Invalid((error,))
    return mandate.system if mandate else ""
