"""Mandated payments, and those by a stored method: who is asked for the money, by which token."""

from datetime import UTC, datetime

import msgspec

from gateway.api import payment_methods
from gateway.flows.create_mandate import DOCUMENT
from gateway.model.held_mandate import HeldMandate
from gateway.model.instruction import PaymentInstruction
from gateway.model.mandate import Mandate
from gateway.policy import holding, mandating, notifying
from gateway.policy.validation import Invalid
from gateway.runtime.database import Connection
from gateway.runtime.documents import read
from gateway.runtime.hub import Tenant


async def pay_with(
    connection: Connection, tenant: Tenant, instruction: PaymentInstruction, *, customer_id: str
) -> PaymentInstruction:
    """The instruction with the provider and the token of what it names.

    Args:
        customer_id: Who pays; empty where nobody is known.

    Raises:
        Invalid: Nothing can be paid with it.
    """
    if instruction.payment_method_id:
        instruction = await payment_methods.pay_with(
            connection, tenant.name, instruction, customer_id=customer_id
        )
    if not instruction.mandate_id:
        return instruction
    mandate_id = instruction.mandate_id
    held = await read(connection, tenant.name, DOCUMENT, mandate_id, HeldMandate)
    if held is not None:
        return holding.pay_with(instruction, held, customer_id=customer_id)
    if not _means_ours(tenant, instruction):
        return instruction
    mandate = await read(connection, tenant.name, "mandate", mandate_id, Mandate)
    now = datetime.now(UTC)
    error = mandating.may_pay(instruction, mandate, now.date())
    bank = tenant.banks.get(mandate.system) if mandate else None
    account = bank.port.accounts.get(mandate.account) if bank and mandate else None
    if error is None and account is not None and mandate is not None:
        error = notifying.fault(instruction, mandate, account, now=now)
    if error is not None:
        raise Invalid((error,))
    # A mandate of ours lives at the system that it was given for.
    system = mandate.system if mandate else ""
    return msgspec.structs.replace(instruction, provider=system)


def _means_ours(tenant: Tenant, instruction: PaymentInstruction) -> bool:
    """Whether the mandate has to be one that somebody has told us of.

    Where nobody can, and of methods that know no mandates of ours, it is a note of the front-end.
    """
    if tenant.holders:
        return True
    return bool(tenant.banks) and instruction.method_code in mandating.SCHEME_OF
