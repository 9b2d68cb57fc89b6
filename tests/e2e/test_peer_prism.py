"""Every request of three adapters, sent to Prism, which nobody here wrote.

Prism (npm, ``make peers``) reads the vendor's OpenAPI document and refuses what the document does
not allow. Our own check of the same requests is in ``tests/adapters/*/test_schema.py``; from there
come the requests: capabilities, verbs and edges of amounts. What is Prism's or the document's own
mistake stands in ``Vendor.mistaken``.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest
import requests

from gateway.commands.landscape import free_ports
from gateway.errors import HeadraceError
from gateway.kit.blocking import Send, over_requests
from gateway.model.money import Money
from gateway.model.payment import AttemptState, Payment, PaymentAttempt
from tests.adapters.adyen import test_schema as adyen
from tests.adapters.adyen.conftest import Account as AdyenAccount
from tests.adapters.mollie import test_schema as mollie
from tests.adapters.mollie.conftest import Account as MollieAccount
from tests.adapters.payone import test_schema as payone
from tests.adapters.payone.conftest import Account as PayoneAccount
from tests.conformance import samples, subject

pytestmark = pytest.mark.peers

PRISM: Final = Path(os.environ.get("PRISM", f"{sys.prefix}/../prism/node_modules/.bin/prism"))
# It reads a large document for a few seconds; on a busy machine for some twenty.
START_S: Final = 90
GONE: Final = object()
# Where in a request or an answer Prism saw something, and what it says.
Complaint = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """One document, and what is sent to it.

    Attributes:
        document: Under the contracts.
        emitted: Makes every request that the adapter can send.
        prefix: Of our paths; in the document it belongs to the server.
        key: The header without which nobody is let in; empty if the document says nothing of it.
        spoilt: Fields of the first request and what is put in their place. Unknown fields are
            forbidden by Adyen's document only; our own check forbids them to all.
        repaired: What is wrong in the document, and how it has to be, so that Prism can use it.
        mistaken: Complaints that are none of ours, by the beginning of their place, and why.
    """

    document: str
    emitted: Callable[[], list[httpx.Request]]
    prefix: str = ""
    key: str
    spoilt: Mapping[str, Any]
    repaired: Mapping[str, str] = field(default_factory=dict)
    mistaken: Mapping[str, str] = field(default_factory=dict)


def paying(token: str) -> Callable[..., Payment]:
    """Makes payments as the adapters' own tests do; keywords replace fields."""

    def made(amount: Money = samples.AMOUNTS[0], *, key: str = "k", **fields: Any) -> Payment:
        begun = PaymentAttempt(attempt_id="a", key=key, state=AttemptState.PREPARED)
        known = {"attempts": (begun,), "return_url": "https://shop.example/back", **fields}
        return msgspec.structs.replace(samples.payment(1, token=token, amount=amount), **known)

    return made


def connected(product: str) -> tuple[Any, Any, Mapping[str, Any]]:
    """Settings, a simulator for them and the ports of a product."""
    found = subject.declared()[product]
    settings, simulator = found.connect(1)
    return settings, simulator, found.adapter.ports


def adyen_requests() -> list[httpx.Request]:
    settings, simulator, ports = connected("adyen")
    account = AdyenAccount(
        simulator, ports["payments"](settings), ports["webhooks"](settings), [], [], settings
    )
    adyen.drive(account, paying(adyen.conformance.CARD))
    return account.requests


def mollie_requests() -> list[httpx.Request]:
    settings, simulator, ports = connected("mollie")
    told = msgspec.structs.replace(settings, webhook_url="https://hub.example/webhooks/mollie")
    account = MollieAccount(simulator, ports["payments"](told), [], told)
    mollie.drive(account, paying("tkn_accepted"))
    return account.requests


def payone_requests() -> list[httpx.Request]:
    settings, simulator, ports = connected("payone")
    account = PayoneAccount(settings, simulator, ports["payments"](settings))
    payone.drive(account, paying("1_token-accepted"))
    payone.extras(account, paying("1_token-accepted"))
    return account.requests


VENDORS: Final = {
    "adyen": Vendor(
        document="payments/adyen/CheckoutService-v71.json",
        emitted=adyen_requests,
        prefix="/v71",
        key="x-api-key",
        spoilt={
            "amount.value": 19.99,
            "amount.currency": "EURO",
            "colour": "red",
            "paymentMethod.type": "cowrie_shells",
            "shopperInteraction": "Later",
            "amount": GONE,
            "reference": GONE,
        },
        mistaken={
            "request.body.dateOfBirth": "said to be a moment; its prose wants YYYY-MM-DD.",
        },
    ),
    "mollie": Vendor(
        document="payments/mollie/openapi.yaml",
        emitted=mollie_requests,
        key="authorization",
        spoilt={
            "amount.value": 19.99,
            "amount.currency": GONE,
            "method": "sofort",
            "captureMode": "later",
            "description": GONE,
        },
        mistaken={
            "request.query.embed": "the document knows one embed; Mollie's own client sends several"
            " with commas between, and says so in its documentation",
        },
    ),
    "payone": Vendor(
        document="payments/payone/api-definition.yaml",
        emitted=payone_requests,
        key="",
        spoilt={
            "merchantReference": "x" * 41,
            "checkout.amountOfMoney.amount": 19.99,
            "checkout.amountOfMoney.currencyCode": "EURO",
            "checkout.orderRequest.orderType": "HALF",
        },
        # No regular expression of JavaScript's; Prism takes any body whose schema has it.
        repaired={r"\.,\']{1,31}": r"\.,']{1,31}"},
        mistaken={
            "response": "examples in the document, from which Prism makes its answers, do not"
            " fit their own schemas: dates with dashes, numbers in place of texts",
        },
    ),
}


class Prism:
    """A running Prism."""

    def __init__(self, address: str, vendor: Vendor, send: Send) -> None:
        self._address = httpx.URL(address)
        self._vendor = vendor
        self._send = send

    def complaints(self, request: httpx.Request) -> list[Complaint]:
        """What it says against a request, or against its own answer."""
        path = request.url.raw_path.decode().removeprefix(self._vendor.prefix)
        headers = [(name, value) for name, value in request.headers.items() if name != "host"]
        url = self._address.copy_with(raw_path=path.encode())
        answer = self._send(
            httpx.Request(request.method, url, headers=headers, content=request.read())
        )
        # The header has what a problem in the body leaves out, but not every problem has one.
        found = listed(answer.headers.get("sl-violations", ""))
        if not found and not answer.is_success:
            body = answer.json()
            causes = body.get("validation") or [{"location": [], "message": str(body)}]
            found = [{**one, "location": ["request", *one["location"]]} for one in causes]
        return [(".".join(one["location"]), one["message"]) for one in found]

    def mistake(self, complaint: Complaint) -> str:
        """Which known mistake it is; empty if it is about us."""
        return next((at for at in self._vendor.mistaken if complaint[0].startswith(at)), "")

    def against_us(self, request: httpx.Request) -> list[Complaint]:
        """What it says, without mistakes."""
        return [one for one in self.complaints(request) if not self.mistake(one)]


def listed(header: str) -> list[dict[str, Any]]:
    """Complaints in a header; a long list is cut, with those about the request in front."""
    found: list[dict[str, Any]] = []
    at = header.find("{")
    while at >= 0:
        try:
            one, at = json.JSONDecoder().raw_decode(header, at)
        except ValueError:
            break
        found.append(one)
        at = header.find("{", at)
    return found


@pytest.fixture(scope="module", params=VENDORS)
def vendor(request: pytest.FixtureRequest) -> Vendor:
    found: Vendor = VENDORS[request.param]
    return found


@pytest.fixture(scope="module")
def emitted(vendor: Vendor) -> list[httpx.Request]:
    return vendor.emitted()


@pytest.fixture(scope="module")
def prism(
    vendor: Vendor, contracts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prism]:
    if not PRISM.exists():
        pytest.skip("prism is not installed (npm: @stoplight/prism-cli)")
    document, folder = contracts / vendor.document, tmp_path_factory.mktemp("prism")
    if not document.is_file():
        pytest.skip("contracts not found")
    if vendor.repaired:
        document = repaired(document, vendor, folder)
    (port,) = free_ports(1)
    log = folder / "log"
    command = (PRISM, "mock", "--errors", "--no-multiprocess", "-h", "127.0.0.1", "-p", str(port))
    with log.open("wb") as out, requests.Session() as session:
        session.trust_env = False
        process = subprocess.Popen((*command, document), stdout=out, stderr=out)
        send = over_requests(session, timeout_s=30)
        try:
            made = Prism(f"http://127.0.0.1:{port}", vendor, send)
            late = time.monotonic() + START_S
            while not listens(made):
                assert process.poll() is None, log.read_text()[-2000:]
                assert time.monotonic() < late, "Prism takes too long to start."
                time.sleep(0.2)
            yield made
        finally:
            process.terminate()
            process.wait(timeout=10)


def repaired(document: Path, vendor: Vendor, folder: Path) -> Path:
    """A copy that Prism can use; a repair that is no longer one goes."""
    text = document.read_text(encoding="utf-8")
    for wrong, right in vendor.repaired.items():
        assert wrong in text
        text = text.replace(wrong, right)
    copy = folder / document.name
    copy.write_text(text, encoding="utf-8")
    return copy


def listens(prism: Prism) -> bool:
    try:
        prism.complaints(httpx.Request("GET", "http://any.test/"))
    except HeadraceError:
        return False
    return True


@pytest.mark.timeout(300)
def test_every_request_is_taken(vendor: Vendor, emitted: list[httpx.Request], prism: Prism) -> None:
    """Prism has nothing against any of them; what it says by mistake is known, and still said."""
    against: list[Complaint] = []
    mistaken: Counter[str] = Counter()
    for request in emitted:
        found = prism.complaints(request)
        against += [one for one in found if not prism.mistake(one)]
        mistaken.update({prism.mistake(one) for one in found} - {""})
    writes = sum(request.method != "GET" for request in emitted)
    product = Path(vendor.document).parent.name
    print(f"\nprism: {product}: {len(emitted)} requests taken, {writes} of them writes;")
    print(f"       {mistaken.total()} with a known mistake of Prism's or the document's")

    assert [] == against[:5]
    assert set(vendor.mistaken) == set(mistaken)
    assert len(emitted) > 100


def test_prism_can_refuse(vendor: Vendor, emitted: list[httpx.Request], prism: Prism) -> None:
    """A wrong type, code or length, a missing or unknown field, no key: each is noticed."""
    first = next(one for one in emitted if one.method == "POST")
    body = json.loads(first.read())
    unnoticed = [
        path
        for path, value in vendor.spoilt.items()
        if not prism.against_us(again(first, changed(body, path, value)))
    ]

    assert [] == unnoticed
    assert [] == prism.against_us(again(first, body))
    if vendor.key:
        keyless = again(first, body)
        del keyless.headers[vendor.key]
        assert prism.against_us(keyless)


def test_prism_looks_at_every_body(emitted: list[httpx.Request], prism: Prism) -> None:
    """A schema that it cannot compile it passes over: each operation refuses a wrong body."""
    operations = {operation(one): one for one in emitted if one.read() not in {b"", b"{}"}}
    passed_over = [
        name
        for name, one in operations.items()
        if not any(prism.against_us(again(one, body)) for body in wrong_types(one))
    ]
    print(f"\nprism: {len(operations)} operations with bodies: {', '.join(sorted(operations))}")

    assert [] == passed_over


def operation(request: httpx.Request) -> str:
    """Method and path, with braces in place of ids."""
    return f"{request.method} " + re.sub(r"/(?=[^/]*\d)[^/]{12,}", "/{}", request.url.path)


def wrong_types(request: httpx.Request) -> Iterator[Any]:
    """The body, with one field of a wrong type each."""
    body = json.loads(request.read())
    for name, value in body.items():
        yield changed(body, name, 7 if isinstance(value, dict | list | str) else {})


def again(request: httpx.Request, body: Any) -> httpx.Request:
    """The request with another body."""
    sized = {"content-length", "host"}
    headers = [(name, value) for name, value in request.headers.items() if name not in sized]
    return httpx.Request(request.method, request.url, headers=headers, json=body)


def changed(body: Any, path: str, value: Any) -> Any:
    """A copy with one field replaced, or gone."""
    name, _, rest = path.partition(".")
    new = changed(body.get(name, {}), rest, value) if rest else value
    kept = {key: each for key, each in body.items() if key != name}
    return kept if new is GONE else {**kept, name: new}
