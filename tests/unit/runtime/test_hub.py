"""The hub: sessions that are earned once, and errors that know their system."""

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from gateway.errors import HeadraceError, Misconfigured, Rejected, Unavailable
from gateway.kit.adapter import Adapter
from gateway.ports.exchange import Exchange, Session
from gateway.runtime.hub import Hub, System
from gateway.runtime.transport import Call


@dataclass
class Product:
    """A product that knows one token at a time, and what stands in for the transport.

    Attributes:
        lives_s: What a login says of its session.
        calls: Verb and token of every request.
    """

    token: int = 1
    lives_s: float | None = None
    now: float = 1_000.0
    calls: list[tuple[str, str]] = field(default_factory=list)
    seen: list[Call] = field(default_factory=list)
    before: Callable[[Call], Any] = lambda _call: None

    async def send(
        self,
        request: httpx.Request,
        call: Call,
        *,
        session: Session | None = None,
        may_send: Callable[[], bool],
    ) -> httpx.Response:
        """Answer with the present token, or 401 to any other."""
        assert may_send()
        request = session.apply(request) if session else request
        self.seen.append(call)
        self.before(call)
        self.calls.append((call.verb, request.headers.get("x-token", "")))
        await asyncio.sleep(0)
        if call.verb == "login":
            return httpx.Response(200, text=str(self.token))
        known = request.headers.get("x-token") == str(self.token)
        return httpx.Response(200 if known else 401)

    def login(self, _settings: Any) -> Generator[httpx.Request, httpx.Response, Session]:
        """The exchange that earns the present token."""
        response = yield httpx.Request("POST", "http://product.test/login")
        return Session(headers={"X-Token": response.text}, expires_in_s=self.lives_s)

    def system(self, name: str = "shop", tenant: str = "acme") -> System[Any]:
        """One configured account."""
        adapter = Adapter(
            product="product",
            title="Product",
            settings=dict,
            ports={},
            login=self.login,
            refused=lambda response: response.status_code == 401,
            readable=frozenset({"id"}),
        )
        return System(
            tenant=tenant, name=name, adapter=adapter, settings={}, port_name="shop", port=None
        )


def buy() -> Exchange[int]:
    """One request; returns the status."""
    response = yield httpx.Request("POST", "http://product.test/buy")
    return response.status_code


@pytest.fixture
def product() -> Product:
    return Product()


@pytest.fixture
def hub(product: Product) -> Hub:
    return Hub(product, {}, clock=lambda: product.now)  # type: ignore[arg-type] # stands in for the transport


async def test_session_is_earned_once_for_all(product: Product, hub: Hub) -> None:
    """However many ask at once, one login is under way, and it is kept."""
    system = product.system()

    assert [200] * 20 == await asyncio.gather(*(hub.call(system, buy()) for _ in range(20)))
    assert 200 == await hub.call(system, buy())

    assert [("login", "")] + [("buy", "1")] * 21 == product.calls


async def test_each_system_has_a_session_of_its_own(product: Product, hub: Hub) -> None:
    """Two accounts, and one name in two tenants, share nothing."""
    for system in (product.system("one"), product.system("two"), product.system("one", "beta")):
        await hub.call(system, buy())

    assert 3 == product.calls.count(("login", ""))


async def test_refused_session_is_renewed_once(product: Product, hub: Hub) -> None:
    """All who were refused wait for the same login, and each request goes out once more."""
    system = product.system()
    await hub.call(system, buy())
    product.token = 2
    product.calls.clear()

    assert [200] * 5 == await asyncio.gather(*(hub.call(system, buy()) for _ in range(5)))

    assert (1, 5) == (product.calls.count(("login", "")), product.calls.count(("buy", "2")))


async def test_second_refusal_is_an_answer(product: Product, hub: Hub) -> None:
    """A user without permission does not make us log in for ever."""
    system = product.system()

    def forget(call: Call) -> None:
        if call.verb == "buy":
            product.token += 1

    product.before = forget

    assert 401 == await hub.call(system, buy())
    assert 2 == product.calls.count(("login", ""))


@pytest.mark.parametrize(("passed_s", "logins"), [(89.0, 1), (91.0, 2)])
async def test_session_is_renewed_before_it_ends(
    product: Product, hub: Hub, passed_s: float, logins: int
) -> None:
    """A little early, so that a token does not end on its way."""
    product.lives_s = 100.0
    system = product.system()
    await hub.call(system, buy())

    product.now += passed_s
    await hub.call(system, buy())

    assert logins == product.calls.count(("login", ""))


async def test_session_without_an_end_is_kept(product: Product, hub: Hub) -> None:
    """Only a refusal tells."""
    system = product.system()
    await hub.call(system, buy())

    product.now += 10_000_000
    await hub.call(system, buy())

    assert 1 == product.calls.count(("login", ""))


async def test_failed_login_is_tried_again_by_the_next(product: Product, hub: Hub) -> None:
    """Nothing is kept of it, and nobody is left waiting."""
    system = product.system()

    def fail(_call: Call) -> None:
        raise Unavailable("Away.", code="away")

    product.before = fail
    for _ in range(2):
        with pytest.raises(Unavailable):
            await hub.call(system, buy())
    product.before = lambda _call: None

    assert 200 == await hub.call(system, buy())


async def test_call_says_what_it_is_for(product: Product, hub: Hub) -> None:
    """The verb is the exchange's own name; a login carries no key of the effect."""
    await hub.call(product.system(), buy(), business_id="o-1", step="shop.buy", key="k-1")

    login, call = product.seen
    assert ("acme", "shop", "product", "shop", "buy") == (
        call.tenant,
        call.system,
        call.product,
        call.port,
        call.verb,
    )
    assert ("o-1", "shop.buy", "k-1", frozenset({"id"})) == (
        call.business_id,
        call.step,
        call.key,
        call.readable,
    )
    assert ("login", "", "o-1") == (login.verb, login.key, login.business_id)


@pytest.mark.parametrize(("named", "expected"), [("", "shop"), ("other", "other")])
async def test_error_knows_its_system(
    product: Product, hub: Hub, named: str, expected: str
) -> None:
    """The adapter does not know how it was configured, the hub does."""

    def refuse() -> Exchange[int]:
        yield httpx.Request("POST", "http://product.test/refuse")
        raise Rejected("No.", code="no", system=named)

    with pytest.raises(HeadraceError) as caught:
        await hub.call(product.system(), refuse())

    assert expected == caught.value.system


async def test_unknown_tenant_is_our_mistake(hub: Hub) -> None:
    """A row of a tenant whose file was taken away."""
    with pytest.raises(Misconfigured, match="gamma"):
        hub.tenant("gamma")
