"""The landscape with products that nobody here wrote: mock-sap and localstripe.

Both run from environments of their own (``make peers``): localstripe is GPL and never a part of
the hub. Faults are laid in front of them by a forwarder, so that the bad days are the same. No
independent Salesforce is to be had; the CRM stays our simulator.
"""

import base64
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from gateway.commands import simulate
from gateway.commands.landscape import TENANT, Landscape, demo_secret, free_ports
from gateway.errors import Misconfigured

# What mock-sap 0.22 does not have of the real services; see adapters/sap_s4/README.md.
_MOCK_SAP: Final = {
    "business_partner_service": "API_BUSINESS_PARTNER_SRV",
    "reference_field": "SearchTerm1",
    "left_out": """
        CorrespondenceLanguage BirthDate MiddleName AdditionalLastName OrganizationBPName2
        OrganizationBPName3 OrganizationBPName4 PurchaseOrderByShipToParty
        to_BusinessPartnerAddress to_BusinessPartnerTax to_Customer
    """.split(),
}
# localstripe binds every address when started by its own command.
START_LOCALSTRIPE: Final = (
    "import sys; from aiohttp import web; from localstripe.server import app;"
    " web.run_app(app, host='127.0.0.1', port=int(sys.argv[1]), print=None)"
)
_HOP_BY_HOP: Final = frozenset({"content-length", "transfer-encoding", "connection", "host"})


@dataclass
class PeerLandscape(Landscape):
    """As ``Landscape``, with peers behind forwarders."""

    def start_simulators(self, **_plan: Any) -> None:
        """Start the peers, the forwarders in front of them, and our simulator of the CRM."""
        sap, stripe = free_ports(2)
        user = f"HEADRACE:{demo_secret('DEMO_SAP_PASSWORD')}"
        mock_sap = ("-m", "mocksap", "--host", "127.0.0.1", "--port", str(sap), "--auth", user)
        self._spawn("mock-sap", _python("MOCK_SAP", "peers"), *mock_sap, "-q")
        localstripe = _python("LOCALSTRIPE", "localstripe")
        self._spawn("localstripe", localstripe, "-c", START_LOCALSTRIPE, str(stripe))
        self.wait_for(f"http://127.0.0.1:{sap}/")
        self.wait_for(f"http://127.0.0.1:{stripe}/v1/payment_intents")
        webhook = {
            "url": f"{self.facade}/webhooks/{TENANT}/stripe",
            "secret": demo_secret("DEMO_STRIPE_WEBHOOK"),
        }
        url = f"http://127.0.0.1:{stripe}/_config/webhooks/headrace"
        self.client.post(url, data=webhook).raise_for_status()
        given = {
            "stripe": [f"http://127.0.0.1:{stripe}", self._ports["stripe"]],
            "sap_s4": [f"http://127.0.0.1:{sap}", self._ports["sap_s4"]],
            "salesforce": [self.address("salesforce"), self._ports["salesforce"]],
        }
        command = (sys.executable, "-m", "gateway.commands.peers", json.dumps(given))
        self._spawn("forwarders", *command)
        for product in given:
            self.wait_for(f"{self.address(product)}/_sim/effects")

    def _tenant_settings(self) -> dict[str, Any]:
        settings = super()._tenant_settings()
        for system in settings["systems"]:
            if system["adapter"] == "sap_s4":
                system["settings"] |= _MOCK_SAP
            if system["adapter"] == "stripe":
                system["settings"]["find_by"] = "scan"
        return settings

    def _spawn(self, name: str, *command: str) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S603 - peers we were told to start
                command,
                stdout=log,
                stderr=log,
                env=self.environment(),
            )


def _python(variable: str, folder: str) -> str:
    """The interpreter of a peer's environment.

    Raises:
        Misconfigured: It is not set up.
    """
    python = os.environ.get(variable) or str(Path(sys.prefix) / folder / "bin" / "python")
    if not Path(python).exists():
        raise Misconfigured(
            f"The peer is not installed ({python}). Run `make peers`, or set {variable}.",
            code="peer_missing",
        )
    return python


class Forwarder:
    """A peer as a simulator, so that faults can be laid in front of it.

    Args:
        upstream: Where the peer listens.
        product: Whose effects are to be counted.
    """

    def __init__(self, upstream: str, product: str) -> None:
        self._upstream = httpx.URL(upstream)
        self._product = product
        self._client = httpx.Client(timeout=10.0, trust_env=False)

    def handle(self, request: httpx.Request, *, now: float) -> httpx.Response:
        """Pass the request on and the answer back."""
        del now
        url = request.url.copy_with(host=self._upstream.host, port=self._upstream.port)
        headers = [(k, v) for k, v in request.headers.multi_items() if k not in _HOP_BY_HOP]
        answer = self._client.request(request.method, url, headers=headers, content=request.read())
        kept = [(k, v) for k, v in answer.headers.multi_items() if k != "content-encoding"]
        return httpx.Response(answer.status_code, headers=kept, content=answer.content)

    def refuse(self, request: httpx.Request, status: int) -> httpx.Response:
        """What a proxy says in place of its upstream."""
        del request
        page = "<html><body>The system is not available.</body></html>"
        return httpx.Response(status, headers={"Content-Type": "text/html"}, text=page)

    def due(self, *, now: float) -> Sequence[httpx.Request]:
        """None: the peer delivers its webhooks itself."""
        del now
        return ()

    def effects(self) -> dict[str, dict[str, int]]:
        """Count what the peer has by asking the peer."""
        if self._product == "stripe":
            return {"charge": dict(self._charges())}
        return {"sales_order": dict(self._sales_orders())}

    def _charges(self) -> Counter[str]:
        counted: Counter[str] = Counter()
        after: dict[str, str] = {}
        while True:
            answer = self._client.get(
                self._upstream.join("/v1/payment_intents"),
                params={"limit": "100", **after},
                headers={"Authorization": f"Bearer {demo_secret('DEMO_STRIPE_KEY')}"},
            )
            page = answer.raise_for_status().json()
            for intent in page["data"]:
                if intent["status"] == "succeeded":
                    counted[intent["metadata"].get("payment_id", "")] += 1
            if not page["has_more"]:
                return counted
            after = {"starting_after": page["data"][-1]["id"]}

    def _sales_orders(self) -> Counter[str]:
        logon = f"HEADRACE:{demo_secret('DEMO_SAP_PASSWORD')}".encode()
        answer = self._client.get(
            self._upstream.join("/sap/opu/odata/sap/API_SALES_ORDER_SRV/A_SalesOrder"),
            params={"$select": "PurchaseOrderByCustomer", "$format": "json", "$top": "5000"},
            headers={"Authorization": f"Basic {base64.b64encode(logon).decode()}"},
        )
        rows = answer.raise_for_status().json()["d"]["results"]
        # Our references are 32 hexadecimal digits; mock-sap brings orders of its own.
        ours = (row["PurchaseOrderByCustomer"] for row in rows)
        return Counter(one for one in ours if len(one) == 32)  # noqa: PLR2004 - see above


def main(given: dict[str, tuple[str, int]]) -> None:
    """Serve the forwarders, and our CRM, until SIGTERM."""
    products: dict[str, tuple[Any, int]] = {
        name: (Forwarder(upstream, name), port)
        for name, (upstream, port) in given.items()
        if name != "salesforce"
    }
    upstream, port = given["salesforce"]
    salesforce = simulate.find("salesforce")(
        client_id="headrace",
        client_secret=demo_secret("DEMO_SALESFORCE_SECRET"),
        instance_url=upstream,
    )
    simulate.run(products | {"salesforce": (salesforce, port)})


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
