"""Offline payments in the conformance suite: nothing is sent, so nothing is simulated."""

from adapters.offline import ADAPTER, Settings
from tests.conformance.subject import Subject

# Account numbers from the IBAN registry's examples.
_IBANS = ("DE89370400440532013000", "AT611904300234573201")


def _connect(number: int) -> tuple[Settings, None]:
    return Settings(account_holder="Acme GmbH", iban=_IBANS[number - 1]), None


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    tokens={"accepted": ""},
    method="open_invoice",
    silent="people say what happens; tests/adapters/offline holds it against the port",
)
