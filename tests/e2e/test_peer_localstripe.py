"""Our Stripe adapter against localstripe, which nobody here wrote, over HTTP.

localstripe is GPL: it is a process of its own, in an environment of its own (``make peers``). Where
it is not like Stripe, ``test_gap_…`` says how, and goes when localstripe has closed the gap.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import pytest
import requests

from adapters.stripe import ADAPTER, Settings
from gateway.commands.landscape import free_ports
from gateway.commands.peers import START_LOCALSTRIPE
from gateway.errors import InDoubt, Rejected
from gateway.kit.blocking import over_requests, run
from gateway.model.identifiers import new_id
from gateway.model.money import Money
from gateway.model.payment import Payment, PaymentState
from gateway.ports.exchange import Exchange
from gateway.ports.notification import Notification
from tests.conformance import samples

T = TypeVar("T")
pytestmark = pytest.mark.peers

PYTHON: Final = Path(os.environ.get("LOCALSTRIPE", f"{sys.prefix}/localstripe/bin/python"))
KEY, SECRET, CARD = "sk_test_peer", "whsec_peer", "pm_card_visa"
PART: Final = Money(300, "EUR")


class Account:
    """The adapter, connected to the running localstripe."""

    def __init__(self, address: str, session: requests.Session) -> None:
        self.address = address
        self._session = session
        self._send = over_requests(session, timeout_s=10)
        self.payments = self.port("scan")

    def port(self, find_by: str) -> Any:
        """Payments that look each other up in this way."""
        values = {"secret_key": KEY, "base_url": self.address, "find_by": find_by}
        return ADAPTER.ports["payments"](msgspec.convert(values, Settings))

    def run(self, exchange: Exchange[T]) -> T:
        """Hold the conversation to its end."""
        return run(exchange, self._send)

    def create(self, payment: Payment, key: str = "") -> Payment:
        """The payment with their id."""
        made = self.run(self.payments.create_payment(payment, key=key or payment.payment_id))
        return msgspec.structs.replace(payment, provider_ref=made.provider_ref)

    def deliver_to(self, url: str) -> None:
        """Where webhooks go from here on."""
        path = f"{self.address}/_config/webhooks/headrace"
        given = {"url": url, "secret": SECRET}
        self._session.post(path, data=given, timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    if not PYTHON.exists():
        pytest.skip("localstripe is not installed")
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("localstripe")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            (PYTHON, "-c", START_LOCALSTRIPE, str(port)),
            stdout=log,
            stderr=log,
            # What it keeps it writes there.
            env={**os.environ, "TMPDIR": str(folder)},
        )
        try:
            with requests.Session() as session:
                session.trust_env = False
                made = Account(f"http://127.0.0.1:{port}", session)
                until(lambda: _answers(session, made.address))
                yield made
        finally:
            process.terminate()
            process.wait(timeout=10)


def _answers(session: requests.Session, address: str) -> bool:
    try:
        return session.get(f"{address}/v1/payment_intents", timeout=10) is not None
    except requests.ConnectionError:
        return False


def until(holds: Callable[[], bool]) -> None:
    """Wait, for half a minute at most."""
    late = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < late, "It takes too long."
        time.sleep(0.1)


def payment(token: str = CARD, **fields: Any) -> Payment:
    """A payment with an id of its own."""
    return msgspec.structs.replace(samples.payment(1, token=token, **fields), payment_id=new_id())


@pytest.mark.parametrize("amount", samples.AMOUNTS, ids=lambda amount: amount.currency)
def test_held_captured_given_back(account: Account, amount: Money) -> None:
    """Every verb works, and what was done is found by their id and by ours."""
    port = account.payments
    ours = account.create(payment(manual=True, amount=amount))
    lost = msgspec.structs.replace(ours, provider_ref="")
    held = account.run(port.find_payment(lost))
    taken = account.run(port.capture_payment(ours, amount, key="c"))
    part = Money(PART.minor, amount.currency)
    refund = account.run(port.refund_payment(ours, "r1", part, key="r"))
    found = account.run(port.find_payment(lost))

    assert (PaymentState.AUTHORISED, PaymentState.CAPTURED) == (held.state, taken.state)
    assert (ours.provider_ref, amount, amount, part) == (
        found.provider_ref,
        found.amount,
        found.captured,
        found.refunded,
    )
    assert found == account.run(port.find_payment(ours))
    assert (PaymentState.SETTLED, part) == (refund.state, refund.amount)
    assert refund == account.run(port.find_refund(lost, "r1"))
    assert account.run(port.find_refund(ours, "r2")) is None


def test_given_up(account: Account) -> None:
    """What was held is released, and cannot be given up again."""
    ours = account.create(payment(manual=True))
    ended = account.run(account.payments.cancel_payment(ours, key="x"))

    assert PaymentState.CANCELLED is ended.state
    assert ended == account.run(account.payments.find_payment(ours))
    with pytest.raises(Rejected):
        account.run(account.payments.cancel_payment(ours, key="x2"))


def test_nothing_is_found_of_what_never_arrived(account: Account) -> None:
    """Among all the payments that it has, none carries this id."""
    account.create(payment())

    assert account.run(account.payments.find_payment(payment())) is None


def test_webhooks_are_believed(account: Account) -> None:
    """Each that it signs is verified and read; the movements of money are told of."""
    heard: list[Notification] = []

    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            header = ("stripe-signature", self.headers["Stripe-Signature"])
            heard.append(Notification(headers=(header,), body=body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Ear)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        account.deliver_to(f"http://127.0.0.1:{server.server_port}/")
        ours = account.create(payment(manual=True))
        account.run(account.payments.capture_payment(ours, ours.amount, key="c"))
        account.create(payment())
        until(lambda: len(heard) >= 2)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    port = ADAPTER.ports["webhooks"](Settings(secret_key=KEY, webhook_secrets=(SECRET,)))
    other = ADAPTER.ports["webhooks"](Settings(secret_key=KEY, webhook_secrets=("whsec_other",)))
    events = []
    for one in heard:
        port.verify(one, now=time.time())
        with pytest.raises(Rejected):
            other.verify(one, now=time.time())
        events += port.read(one)

    paid = [one.payment for one in events if one.payment and one.payment.state.name == "CAPTURED"]
    assert ours.provider_ref in {one.provider_ref for one in paid}
    print(f"\nlocalstripe: {len(heard)} webhooks verified and read")


def test_gap_a_key_is_not_remembered(account: Account) -> None:
    """The same key makes two payments; looking for the one finds both, and nobody guesses."""
    ours = payment(manual=True)

    assert account.create(ours, "k").provider_ref != account.create(ours, "k").provider_ref
    with pytest.raises(InDoubt, match="more than one"):
        account.run(account.payments.find_payment(ours))


def test_gap_a_part_is_captured_without_saying_so(account: Account) -> None:
    """Neither payment nor charge tells the amount: what was taken stays in doubt."""
    ours = account.create(payment(manual=True))

    with pytest.raises(InDoubt) as caught:
        account.run(account.payments.capture_payment(ours, PART, key="c"))
    assert "integrity_mismatch" == caught.value.code


def test_gap_refunds_have_no_ceiling(account: Account) -> None:
    """It gives back more than it took; the hub refuses that before anything is sent."""
    ours = account.create(payment())
    much = Money(ours.amount.minor * 100, "EUR")

    assert much == account.run(account.payments.refund_payment(ours, "r", much, key="r")).amount


def test_gap_declines_carry_no_payment(account: Account) -> None:
    """A 402 that is no card error: refused, and only looking it up shows the failed payment."""
    ours = payment("pm_card_chargeCustomerFail")

    with pytest.raises(Rejected):
        account.create(ours)
    assert PaymentState.FAILED is account.run(account.payments.find_payment(ours)).state


@pytest.mark.parametrize("find_by", ["search", "list"])
def test_gap_neither_search_nor_filter(account: Account, find_by: str) -> None:
    """Hence the setting ``scan``."""
    with pytest.raises(Rejected):
        account.run(account.port(find_by).find_payment(payment()))


def test_gap_no_mandate(account: Account) -> None:
    """A SEPA debit with its mandate is refused as an unknown parameter."""
    with pytest.raises(Rejected):
        account.create(payment("pm_success_de", method="sepa_debit"))


def test_gap_what_is_missing_has_no_code(account: Account) -> None:
    """Its 404 does not say ``resource_missing``, and so is not taken for an empty answer."""
    ours = msgspec.structs.replace(payment(), provider_ref="pi_nowhere")

    with pytest.raises(Rejected):
        account.run(account.payments.find_payment(ours))
