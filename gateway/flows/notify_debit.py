"""Notify of debits: what the debtor has to be told stands in the payment, and in an event.

No flow, but a part of the transaction in which a bank's payment is promised. Whoever knows the
debtor tells him: the hub has neither address nor letter.
"""

from datetime import UTC, datetime

from gateway.model.mandate import Mandate
from gateway.model.payment import Payment, PaymentState
from gateway.policy import notifying
from gateway.runtime.documents import Unit
from gateway.runtime.hub import Tenant


async def notify_debit(unit: Unit, tenant: Tenant, payment: Payment) -> Payment:
    """The payment with its day and its notice; as it was where no bank of ours collects it."""
    bank = tenant.banks.get(payment.provider)
    if bank is None or not payment.mandate_id or payment.state is not PaymentState.PENDING:
        return payment
    mandate = await unit.load("mandate", payment.mandate_id, Mandate)
    account = bank.port.accounts.get(mandate.account) if mandate else None
    if mandate is None or account is None:
        return payment  # the file will be refused for it
    changed, told = notifying.promised(payment, mandate, account, now=datetime.now(UTC))
    if told:
        await unit.save("mandate", mandate.mandate_id, mandate.state.value, mandate, told)
    return changed
