"""Operations: what became of something that takes its time."""

from typing import Any

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api.facade import Facade
from gateway.api.showing import not_there, shown
from gateway.runtime.database import Connection

_ENDED = frozenset({"COMPLETED", "CANCELLED"})


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go from an operation."""

    self: str
    order: str
    timeline: str

    @classmethod
    def of(cls, operation_id: str, order_id: str) -> "Links":
        """The links of an order's operation."""
        order = f"/v1/orders/{order_id}"
        return cls(self=f"/v1/operations/{operation_id}", order=order, timeline=f"{order}/timeline")


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A flow as a front-end sees it.

    Attributes:
        state: RUNNING, WAITING, PARKED, COMPLETED or CANCELLED.
        order_state: Where the order stands.
        step, reason, code: Where and why the flow is parked: unavailable, in_doubt, rejected,
            misconfigured or defect.
        resume_at: When it goes on by itself; empty where a person has to decide.
    """

    operation_id: str
    kind: str
    state: str
    order_id: str
    links: Links
    order_state: str = "SUBMITTED"
    step: str = ""
    reason: str = ""
    code: str = ""
    message: str = ""
    resume_at: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in _ENDED


@get("/v1/operations/{operation_id:str}")
async def get_operation(
    request: Request[Any, Any, Any],
    operation_id: FromPath[str],
    facade: NamedDependency[Facade],
) -> Response[bytes]:
    """Show how far an operation is."""
    caller = facade.caller(request)
    async with facade.database.connection() as connection:
        operation = await operation_of(connection, caller.tenant, operation_id)
    return shown(operation)


async def operation_of(connection: Connection, tenant: str, operation_id: str) -> Operation:
    """The operation as it stands.

    Raises:
        Rejected: There is none (code ``not_found``).
    """
    found = await connection.execute(
        "select f.kind, f.state, f.business_id, d.state, f.step, f.reason, f.code, f.message,"
        " case when isfinite(f.resume_at) then to_char(f.resume_at at time zone 'utc',"
        ' \'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"\') end'
        " from headrace.flow f join headrace.document d"
        " on d.tenant = f.tenant and d.kind = 'order' and d.id = f.business_id"
        " where f.tenant = %s and f.flow_id = %s",
        (tenant, operation_id),
    )
    row = await found.fetchone()
    if row is None:
        raise not_there("operation")
    kind, state, order_id, order_state, step, reason, code, message, resume_at = row
    parked = state == "PARKED"
    return Operation(
        operation_id=operation_id,
        kind=kind,
        state=state,
        order_id=order_id,
        links=Links.of(operation_id, order_id),
        order_state=order_state,
        step=step if state in {"PARKED", "WAITING"} else "",
        reason=reason if parked else "",
        code=code if parked else "",
        message=message if parked else "",
        resume_at=resume_at or "" if parked else "",
    )
