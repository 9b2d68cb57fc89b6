"""Mollie in the conformance suite."""

import msgspec

from adapters.mollie import ADAPTER, Settings
from adapters.mollie.simulator import MollieSimulator
from tests.conformance.subject import Subject

_CARD, _PAYPAL = "cst_accepted-mdt_card1", "cst_accepted-mdt_paypal1"
_SEPA, _BACS = "cst_accepted-mdt_sepa1", "cst_accepted-mdt_bacs1"


def _connect(number: int) -> tuple[Settings, MollieSimulator]:
    key, secret = f"test_{number}4f9a1c", f"signing{number}b81f77"
    settings = Settings(
        api_key=key, webhook_secrets=(secret,), redirect_url="https://shop.example/back"
    )
    simulator = MollieSimulator(
        webhook_url="http://hub/webhooks", webhook_secret=secret, api_key=key
    )
    return settings, simulator


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.api_key, *settings.webhook_secrets),
    effects={
        "create_payment": "charge",
        "capture_payment": "charge",
        "refund_payment": "refund",
        "authorise": "authorisation",
        "create_mandate": "mandate",
    },
    tokens={
        "accepted": "tkn_accepted",
        "declined": "tkn_declined",
        "card_on_file": _CARD,
        "paypal_vault": _PAYPAL,
        "sepa_debit": _SEPA,
        "bacs_debit": _BACS,
        "google_pay": '{"signature":"MEYCIQCv"}',
    },
    businesses=frozenset({"billie"}),
    member="org_1",
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
    dated=False,
)
