"""End mandates: what becomes of a mandate when a bank refuses to collect by it.

No flow, but a part of the transaction that applies what banks report.
"""

from collections.abc import Sequence

from gateway.model.mandate import Mandate
from gateway.model.payment import Payment
from gateway.policy import mandating
from gateway.runtime.database import Connection
from gateway.runtime.documents import Unit


async def apply(connection: Connection, refused: Sequence[tuple[str, Payment, str]]) -> None:
    """Suspend or end the mandates, as the banks' reasons say.

    Args:
        refused: Tenant, payment and reason code of each; locked are they after all payments.
    """
    for tenant, payment, code in sorted(refused, key=lambda one: (one[0], one[1].mandate_id)):
        unit = Unit(
            connection,
            tenant=tenant,
            business_id=payment.business_id,
            traceparent="",
            causation_id=f"{payment.payment_id}:{code}",
        )
        mandate = await unit.load("mandate", payment.mandate_id, Mandate)
        if mandate is None:
            continue
        changed = mandating.after_refusal(mandate, payment, code)
        if changed != mandate:
            events = mandating.news(mandate, changed)
            await unit.save("mandate", changed.mandate_id, changed.state.value, changed, events)
