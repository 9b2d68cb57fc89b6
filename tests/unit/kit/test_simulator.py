"""Faults in front of simulators: which request they strike, how often, and what is left done."""

from collections.abc import Sequence

import httpx
import pytest

from gateway.kit.simulator import Fault, FaultKind, Faults, SimulatedWire, refusal, rubbish

_URL = "http://shop/orders/7"


class Shop:
    """The smallest simulator: it counts."""

    def __init__(self) -> None:
        self.served: list[float] = []

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Serve."""
        self.served.append(now)
        return httpx.Response(201, request=request, text="done")

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """Refuse in the shop's own words."""
        return httpx.Response(status, request=request, text="closed")

    def due(self, *, now: float) -> Sequence[httpx.Request]:  # noqa: ARG002 - named by the protocol
        """Nothing."""
        return ()

    def effects(self) -> dict[str, dict[str, int]]:
        """What was served."""
        return {"order": {"7": len(self.served)}}


def post(body: bytes = b"order-7") -> httpx.Request:
    return httpx.Request("POST", _URL, content=body)


@pytest.mark.parametrize(
    ("fields", "strikes"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": "GET"}, False),
        ({"path": "/orders"}, True),
        ({"path": "/refunds"}, False),
        ({"contains": "order-7"}, True),
        ({"contains": "order-8"}, False),
        ({"method": "POST", "path": "/orders/7", "contains": "7"}, True),
        ({"method": "POST", "path": "/refunds", "contains": "7"}, False),
        ({"count": 0}, False),
        ({"count": -1}, True),
    ],
)
def test_fault_strikes_what_matches_in_all(fields: dict[str, object], strikes: bool) -> None:  # noqa: FBT001 - an expected value
    """Method, path and body; a fault that is used up strikes nothing."""
    fault = Fault(kind=FaultKind.STATUS, **fields)  # type: ignore[arg-type] # a table

    assert strikes is fault.strikes(post(), b"order-7")


def test_faults_strike_in_order_and_are_used_up() -> None:
    """The first that matches is counted down, then the next one's turn has come."""
    faults = Faults()
    faults.lay(Fault(kind=FaultKind.STATUS, method="GET"))
    faults.lay(Fault(kind=FaultKind.RUBBISH, count=2))
    faults.lay(Fault(kind=FaultKind.SLOW, count=-1))

    kinds = [fault.kind for fault in (faults.pick(post()) for _ in range(4)) if fault]

    assert [FaultKind.RUBBISH, FaultKind.RUBBISH, FaultKind.SLOW, FaultKind.SLOW] == kinds
    faults.clear()
    assert faults.pick(post()) is None


def wire_to(shop: Shop) -> SimulatedWire:
    return SimulatedWire({"shop": shop}, clock=lambda: 42.0)


async def test_request_is_served_by_its_host() -> None:
    """With the clock's time; every request is kept."""
    shop = Shop()
    wire = wire_to(shop)

    answer = await wire.handle_async_request(post())

    assert (201, [42.0]) == (answer.status_code, shop.served)
    assert [_URL] == [str(one.url) for one in wire.requests]


async def test_unknown_host_is_no_connection() -> None:
    """As in a network, nothing was sent."""
    with pytest.raises(httpx.ConnectError):
        await wire_to(Shop()).handle_async_request(httpx.Request("GET", "http://nowhere/"))


@pytest.mark.parametrize(
    ("kind", "error", "served"),
    [
        (FaultKind.TIMEOUT_BEFORE, httpx.ReadTimeout, 0),
        (FaultKind.TIMEOUT_AFTER, httpx.ReadTimeout, 1),
        (FaultKind.LOST_ANSWER, httpx.RemoteProtocolError, 1),
        (FaultKind.LOST_REQUEST, httpx.RemoteProtocolError, 0),
    ],
)
async def test_answer_is_lost_before_or_after_the_effect(
    kind: FaultKind, error: type[Exception], served: int
) -> None:
    """From outside nobody can tell the two apart; that is the point."""
    shop = Shop()
    wire = wire_to(shop)
    wire.faults["shop"].lay(Fault(kind=kind))

    with pytest.raises(error):
        await wire.handle_async_request(post())

    assert served == len(shop.served)
    assert 201 == (await wire.handle_async_request(post())).status_code


@pytest.mark.parametrize(
    ("kind", "status", "text", "served"),
    [
        (FaultKind.STATUS, 503, "closed", 0),
        (FaultKind.RUBBISH, 200, rubbish().text, 1),
        (FaultKind.SLOW, 201, "done", 1),
    ],
)
async def test_other_answer_comes(kind: FaultKind, status: int, text: str, served: int) -> None:
    """A refusal without an effect, or rubbish with one; slowness needs no time here."""
    shop = Shop()
    wire = wire_to(shop)
    wire.faults["shop"].lay(Fault(kind=kind))

    answer = await wire.handle_async_request(post())

    assert (status, text, served) == (answer.status_code, answer.text, len(shop.served))


def test_refusal_has_retry_after_where_asked_for() -> None:
    """Zero included: come back at once."""
    told = [
        refusal(Shop(), post(), Fault(kind=FaultKind.STATUS, retry_after_s=seconds))
        for seconds in (None, 0, 7)
    ]

    assert [None, "0", "7"] == [answer.headers.get("retry-after") for answer in told]


def test_fault_strikes_a_share_of_what_matches() -> None:
    """Drawn anew for each, from a seed that can be repeated; what is spared is not counted."""
    faults = Faults()
    faults.lay(Fault(kind=FaultKind.STATUS, share=0.25, seed=7, count=100))

    struck = [faults.pick(post()) is not None for _ in range(200)]

    assert 30 < sum(struck) < 70
    assert [sum(struck)] == [one.struck for one in faults.laid()]
    again = Faults()
    again.lay(Fault(kind=FaultKind.STATUS, share=0.25, seed=7, count=100))
    assert struck == [again.pick(post()) is not None for _ in range(200)]
