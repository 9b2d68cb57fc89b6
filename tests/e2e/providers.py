"""A landscape of payment providers, each simulated on a port of its own."""

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from adapters.paypal.simulator_webhooks import ROOT
from gateway.commands.landscape import TENANT, Landscape

# Invented, and known to the simulators only.
_SECRETS: Final = {
    "ADYEN_KEY": "AQE_survival",
    "ADYEN_WEBHOOK": "5e" * 32,
    "MOLLIE_KEY": "test_survival",
    "MOLLIE_WEBHOOK": "mollie-survival",
    "PAYPAL_SECRET": "paypal-survival",
    "GOCARDLESS_TOKEN": "sandbox_survival",
    "GOCARDLESS_WEBHOOK": "gocardless-survival",
    "PAYONE_SECRET": "payone-survival",
    "PAYONE_WEBHOOK": "payone-webhook-survival",
}
# Of all requests: what strikes, how, and how many of a hundred. One answer of each provider is
# lost for sure.
_FAULTS: Final[tuple[tuple[str, int, dict[str, Any]], ...]] = (
    ("lost_answer", 100, {"method": "POST", "count": 1}),
    ("lost_answer", 5, {"method": "POST"}),
    ("lost_request", 3, {"method": "POST"}),
    ("status", 3, {"status": 503}),
    ("status", 2, {"status": 429, "retry_after_s": 1}),
    ("status", 2, {"status": 500, "method": "GET"}),
)


@dataclass
class Providers(Landscape):
    """The usual landscape, which collects by Stripe, with five more providers."""

    products: ClassVar[tuple[str, ...]] = (
        *Landscape.products,
        "adyen",
        "mollie",
        "paypal",
        "gocardless",
        "payone",
    )
    providers: ClassVar[tuple[str, ...]] = ("stripe", *products[-5:])
    roots: str = ""

    def environment(self) -> dict[str, str]:
        """With the invented secrets."""
        return super().environment() | {f"SURVIVAL_{key}": one for key, one in _SECRETS.items()}

    def start_simulators(self, **plan: Any) -> None:
        """Start them and trust the authority that PayPal's simulator has just made."""
        super().start_simulators(**plan)
        self.roots = self.client.get(f"{self.address('paypal')}{ROOT}").raise_for_status().text
        self.configure()

    def worsen(self, draw: random.Random) -> None:
        """From here on answers and requests are lost, and providers are busy."""
        for product in self.providers:
            for kind, share, fields in _FAULTS:
                laid = {"kind": kind, "count": -1, "share": share / 100, **fields}
                self.fault(product, seed=draw.getrandbits(32), **laid)

    def better(self) -> dict[str, int]:
        """The bad day is over; how often what went wrong."""
        done = Counter[str]()
        for product in self.providers:
            done.update(self.struck(product))
            self.mend(product)
        return dict(done)

    def simulated(self, plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """What each simulator is started with; what takes days takes a second."""
        options: dict[str, dict[str, Any]] = {
            "adyen": {
                "api_key": _SECRETS["ADYEN_KEY"],
                "webhook_key": _SECRETS["ADYEN_WEBHOOK"],
                "merchant_account": "SurvivalECOM",
            },
            "mollie": {
                "api_key": _SECRETS["MOLLIE_KEY"],
                "webhook_secret": _SECRETS["MOLLIE_WEBHOOK"],
            },
            "paypal": {
                "client_id": "survival",
                "client_secret": _SECRETS["PAYPAL_SECRET"],
                "webhook_id": "WEBHOOK-SURVIVAL",
                "origin": self.address("paypal"),
            },
            "gocardless": {
                "access_token": _SECRETS["GOCARDLESS_TOKEN"],
                "webhook_secret": _SECRETS["GOCARDLESS_WEBHOOK"],
                "submit_s": 0.5,
            },
            "payone": {
                "merchant_id": "SURVIVAL",
                "api_key_id": "survival",
                "api_secret": _SECRETS["PAYONE_SECRET"],
                "webhook_key_id": "survival",
                "webhook_secret": _SECRETS["PAYONE_WEBHOOK"],
            },
        }
        return super().simulated(plan) | {
            product: {"webhook_url": self._webhooks(product), "settle_s": 1.0, **own, **plan}
            for product, own in options.items()
        }

    def systems(self) -> list[dict[str, Any]]:
        """How the tenant reaches each of them; a system is called like its product."""
        settings: dict[str, dict[str, Any]] = {
            "adyen": {
                "base_url": f"{self.address('adyen')}/v71",
                "api_key": "env:SURVIVAL_ADYEN_KEY",
                "merchant_account": "SurvivalECOM",
                "return_url": "https://shop.example/back",
                "webhook_secrets": ["env:SURVIVAL_ADYEN_WEBHOOK"],
            },
            "mollie": {
                "base_url": f"{self.address('mollie')}/v2",
                "api_key": "env:SURVIVAL_MOLLIE_KEY",
                "webhook_secrets": ["env:SURVIVAL_MOLLIE_WEBHOOK"],
                "webhook_url": self._webhooks("mollie"),
                "redirect_url": "https://shop.example/back",
            },
            "paypal": {
                "base_url": self.address("paypal"),
                "client_id": "survival",
                "client_secret": "env:SURVIVAL_PAYPAL_SECRET",
                "webhook_id": "WEBHOOK-SURVIVAL",
                "key_origin": self.address("paypal"),
                "trusted_roots": self.roots,
            },
            "gocardless": {
                "base_url": self.address("gocardless"),
                "access_token": "env:SURVIVAL_GOCARDLESS_TOKEN",
                "webhook_secrets": ["env:SURVIVAL_GOCARDLESS_WEBHOOK"],
            },
            "payone": {
                "base_url": self.address("payone"),
                "merchant_id": "SURVIVAL",
                "api_key_id": "survival",
                "api_secret": "env:SURVIVAL_PAYONE_SECRET",
                "webhook_key_ids": ["survival"],
                "webhook_secrets": ["env:SURVIVAL_PAYONE_WEBHOOK"],
            },
        }
        return [
            *super().systems(),
            *(
                {"name": product, "adapter": product, "settings": own}
                for product, own in settings.items()
            ),
        ]

    def _webhooks(self, product: str) -> str:
        return f"{self.facade}/webhooks/{TENANT}/{product}"
