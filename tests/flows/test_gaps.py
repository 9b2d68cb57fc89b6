"""Gaps: whatever webhooks were lost, the provider's list brings the payments to the same end."""

import dataclasses
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest

from gateway.model import codec
from gateway.model.event import ProviderEvent
from gateway.model.money import Money
from gateway.model.order import Order
from gateway.model.payment import (
    AttemptState,
    Payment,
    PaymentAttempt,
    PaymentState,
    ProviderPayment,
)
from gateway.policy import adjusting, collecting
from gateway.ports.notification import Notification
from gateway.ports.reports import Reports
from gateway.runtime import gaps as module
from gateway.runtime.gaps import Compared, Gaps
from gateway.runtime.hub import System
from gateway.runtime.inbox import Delivery, delivery_of, events_of, insert
from gateway.settings import GapSettings
from tests.conformance import samples
from tests.conformance.subject import Account, Subject, fulfilling
from tests.flows.stage import TENANT, Life, Stage, new_order

_HALF: Final = Money(1_000, "EUR")
_SUBJECTS: Final = [one for one in fulfilling("reports") if "payments" in one.adapter.ports]


async def _no_pause(_seconds: float) -> None:
    return


class Provider:
    """A stage whose payments go to one of the adapters, under the name ``stripe``."""

    def __init__(self, stage: Stage, subject: Subject) -> None:
        settings, simulator = subject.connect(1)
        self.stage = stage
        self.subject = subject
        self.simulator: Any = simulator
        self.account = Account(subject, "payments", settings, simulator)
        configuration = stage.configuration
        systems = dict(configuration.systems[TENANT]) | {"stripe": (subject.adapter, settings)}
        made = subject.adapter.load(settings)
        stage.configuration = dataclasses.replace(
            configuration,
            systems={TENANT: systems},
            mappings={**configuration.mappings, (TENANT, "stripe"): made},
        )
        host = httpx.URL(settings.base_url).host
        stage.wire = type(stage.wire)(
            {host: self.simulator, "sap": stage.sap, "salesforce": stage.salesforce},
            clock=stage.now,
        )

    async def live(self, life: Life, number: int) -> Order:
        """An order that is paid as far as it comes without webhooks, and half of it given back.

        Who gave it back did so where we do not see it.
        """
        order = await self.stage.submit(
            new_order(
                number, token=self.subject.tokens["accepted"], method_code=self.subject.method
            )
        )
        await self._work(life)
        self.stage.offset_s += 6.0  # longer than any of them takes
        payment = await self.stage.payment(order)
        self.account.now = self.stage.now()
        self.account.run(
            self.account.port.refund_payment(payment, f"r{number}", _HALF, key=f"k{number}")
        )
        self.stage.offset_s += 6.0  # longer than any of them takes
        return order

    async def end(self, life: Life, order: Order) -> tuple[Any, ...]:
        """How the payment ends when all that came is applied."""
        while await life.apply() + await self._work(life):
            pass
        payment: Payment = await self.stage.payment(order)
        assert "COMPLETED" == (await self.stage.state(order))[0]
        facets = (payment.captured, payment.refunded, payment.returned, payment.disputed)
        return payment.state.value, *(one.minor for one in facets)

    async def _work(self, life: Life) -> int:
        done = 0
        while worked := await life.work():
            done += worked
        return done

    def sent(self) -> list[bytes]:
        """What was sent to the endpoint and what nobody took."""
        self.account.now = self.stage.now()
        return [one.read() for one in self.simulator.due(now=self.stage.now())]

    def rows(self, life: Life, bodies: Sequence[bytes]) -> list[Delivery]:
        """What deliveries are in the inbox, as if their signatures had been looked at."""
        receiver = life.parts.hub.tenant(TENANT).receivers["stripe"]
        return [
            delivery_of(event, one, tenant=TENANT, system="stripe", terms=receiver.terms)
            for one in (Notification(body=body) for body in bodies)
            for event in events_of(receiver, one)
        ]

    async def hear(self, life: Life, rows: Sequence[Delivery]) -> None:
        """Take deliveries in."""
        async with life.parts.database.transaction() as connection:
            await insert(connection, rows)

    async def fill(self, life: Life) -> Compared:
        """Compare everything with the provider's list."""
        found = Compared()
        now = self.stage.now()
        async for page in gaps(life).compare(reporter(life), now - 3_600, now + 1):
            found += page
        return found


def gaps(life: Life, **settings: Any) -> Gaps:
    """What compares, without pauses."""
    parts = life.parts
    return Gaps(parts.database, parts.hub, GapSettings(**settings), sleep=_no_pause)


def reporter(life: Life) -> System[Reports]:
    """The provider, as it is asked."""
    return life.parts.hub.tenant(TENANT).reporters["stripe"]


@pytest.fixture(params=_SUBJECTS, ids=lambda one: one.adapter.product)
async def provider(
    request: pytest.FixtureRequest, tmp_path: Path, url: str
) -> AsyncIterator[Provider]:
    """Each of those that can be asked."""
    stage = Stage(tmp_path, url)
    found = Provider(stage, request.param)
    async with stage.facade():
        yield found


@asynccontextmanager
async def _life(provider: Provider) -> AsyncIterator[Life]:
    async with provider.stage.life() as life:
        yield life


async def test_lost_webhooks_end_in_the_same_state(provider: Provider) -> None:
    """One order hears every webhook, one hears none and is filled; filling again does nothing."""
    async with _life(provider) as life:
        heard = await provider.live(life, 1)
        await provider.hear(life, provider.rows(life, provider.sent()))
        expected = await provider.end(life, heard)
        lost = await provider.live(life, 2)
        assert provider.sent()

        found = await provider.fill(life)
        again = await provider.fill(life)

        assert expected == await provider.end(life, lost)
        assert expected == await provider.end(life, heard)
        assert 0 < found.filled
        assert found.filled + found.known <= found.listed
        assert 0 == again.filled
        assert found.filled + found.known == again.known
        assert 0 == (await provider.fill(life)).filled
    assert 1_000 == expected[2]


async def test_only_what_is_missing_is_filled(provider: Provider) -> None:
    """Of four orders a random half of all that was sent is heard; the list brings the rest."""
    draw = random.Random(7)
    async with _life(provider) as life:
        first = await provider.live(life, 1)
        await provider.hear(life, provider.rows(life, provider.sent()))
        end = await provider.end(life, first)
        orders = [await provider.live(life, number) for number in range(2, 6)]
        sent = provider.rows(life, provider.sent())
        heard = [one for one in sent if draw.random() < 0.5]
        assert 0 < len(heard) < len(sent)
        await provider.hear(life, heard)

        found = await provider.fill(life)

        filled = await provider.stage.rows("select dedupe_key from headrace.inbox where filled")
        assert found.filled == len(filled)
        keys = {key for (key,) in filled}
        lost = {one.dedupe_key for one in sent} - {one.dedupe_key for one in heard}
        whole = await provider.stage.payment(first)
        if any(":" in key for key in keys):  # objects: none of what we know all of
            assert not [key for key in keys if key.partition(":")[0] in whole.provider_ref]
        else:
            assert keys <= lost
        assert [end] * 4 == [await provider.end(life, order) for order in orders]


async def test_payments_of_somebody_else(provider: Provider) -> None:
    """Their events are kept like webhooks, which come too; their objects are left alone."""
    async with _life(provider) as life:
        subject = provider.subject
        theirs = samples.payment(99, token=subject.tokens["accepted"], method=subject.method)
        provider.account.now = provider.stage.now()
        provider.account.run(provider.account.port.create_payment(theirs, key="theirs"))
        provider.stage.offset_s += 6.0

        found = await provider.fill(life)
        await life.apply()

        reasons = await provider.stage.rows("select reason from headrace.inbox")
        assert [("unknown_object",)] * found.filled == reasons
        assert (found.listed > 0, found.known) == (True, 0)
        # The simulators that have a list of events keep one.
        assert (found.filled > 0) == hasattr(provider.simulator._webhooks, "events")


async def test_an_earlier_attempt_that_moved_money_after_all(provider: Provider) -> None:
    """Another provider was asked since: what is heard of the first one is for a person."""
    async with _life(provider) as life:
        order = await provider.live(life, 1)
        provider.sent()
        payment = await provider.stage.payment(order)
        (first,) = payment.attempts
        second = msgspec.structs.replace(first, attempt_id="2", provider="stripe_fr")
        changed = msgspec.structs.replace(
            payment, provider="stripe_fr", provider_ref="", attempts=(first, second)
        )
        await provider.stage.sql.execute(
            "update headrace.document set body = %s where id = %s",
            (codec.encode(changed).decode(), payment.payment_id),
        )

        found = await provider.fill(life)
        await life.apply()

        reasons = await provider.stage.rows("select distinct reason from headrace.inbox")
        assert 0 < found.filled
        assert {("earlier_attempt_lives",), ("earlier_attempt_hint",)} & set(reasons)
        assert 0 == (await provider.fill(life)).filled


@pytest.mark.parametrize(("state", "news"), [("FAILED", False), ("AUTHORISED", True)])
def test_that_an_earlier_attempt_failed_is_no_news(state: str, *, news: bool) -> None:
    """That is why another provider was asked."""
    payment = samples.payment(1, token="t")
    said = ProviderPayment(
        provider_ref="tr_1",
        state=PaymentState(state),
        amount=payment.amount,
        captured=Money(0, "EUR"),
        refunded=Money(0, "EUR"),
    )
    told = ProviderEvent(event_id="", event_type="", payment=said)

    assert news == module._is_news(payment, "another", told)


def test_amount_that_was_raised_is_no_news() -> None:
    """It is compared with all that was asked for, and not with what was asked for at first."""
    attempt = PaymentAttempt(attempt_id="1", key="k", state=AttemptState.SUCCEEDED)
    asked = msgspec.structs.replace(samples.payment(1, token="t"), attempts=(attempt,))
    most = Money(asked.amount.minor + 1, asked.amount.currency)
    said = ProviderPayment(
        provider_ref=asked.provider_ref,
        state=asked.progress,
        amount=most,
        captured=asked.captured,
        refunded=asked.refunded,
    )
    wished, update = adjusting.request(asked, most, at="2026-11-22T10:00:00+00:00")
    raised, _ = collecting.apply(adjusting.answered(wished, update, said), said)
    told = ProviderEvent(event_id="", event_type="", payment=said)

    assert module._is_news(asked, asked.provider, told)
    assert not module._is_news(raised, raised.provider, told)
