"""Stripe in the conformance suite."""

import msgspec

from adapters.stripe import ADAPTER, Settings
from adapters.stripe.simulator import StripeSimulator
from gateway.model.held_mandate import HeldMandate
from gateway.model.payment import Payment
from tests.conformance.subject import Account, Subject


def _connect(number: int) -> tuple[Settings, StripeSimulator]:
    key, secret = f"sk_test_{number}_4f9a1c", f"whsec_{number}_b81f77"
    settings = Settings(secret_key=key, webhook_secrets=(secret,))
    simulator = StripeSimulator(
        webhook_url="http://hub/webhooks", webhook_secret=secret, secret_key=key
    )
    return settings, simulator


def _dispute(account: Account, payment: Payment) -> str:
    simulator = account.simulator
    assert isinstance(simulator, StripeSimulator)
    return simulator.dispute(payment.provider_ref, now=account.now)


def _sign(account: Account, mandate: HeldMandate) -> None:
    simulator = account.simulator
    assert isinstance(simulator, StripeSimulator)
    simulator.setups.sign(mandate.request_ref, now=account.now)


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.secret_key, *settings.webhook_secrets),
    effects={
        "create_payment": "charge",
        "capture_payment": "charge",
        "refund_payment": "refund",
        "update_payment": "increment",
        "create_payout": "payout",
        "create_transfer": "transfer",
        "reverse_transfer": "reversal",
        "authorise": "authorisation",
        "accept_dispute": "acceptance",
        "submit_evidence": "evidence",
        "create_mandate": "mandate",
    },
    sign=_sign,
    tokens={
        "accepted": "pm_card_visa",
        "declined": "pm_card_chargeDeclined",
        "sepa_debit": "pm_success_de",
        "link": "pm_link",
        "card_on_file": "cus_simulated:pm_saved",
        "bacs_debit": "cus_simulated:pm_bacs",
        "blik": "777123",
        "bank_transfer": "cus_simulated",
    },
    dispute=_dispute,
    kept={
        "method_code": "bank_transfer",
        "token": "cus_simulated",
        "return_url": "https://shop.example/back",
    },
    member="acct_simulated",
    unguarded=lambda settings: msgspec.structs.replace(settings, webhook_secrets=()),
)
