"""The Salesforce simulator and adapter against a client that nobody here wrote."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from adapters.salesforce import ADAPTER
from adapters.salesforce.crm import SalesforceCrm
from adapters.salesforce.settings import Settings
from adapters.salesforce.simulator import SalesforceSimulator
from gateway.kit.blocking import over_requests, run, with_login
from gateway.model.party import Address, Party, PartyKind
from tests.e2e.door import opened

simple_salesforce = pytest.importorskip("simple_salesforce")
pytestmark = pytest.mark.peers

HOST = "acme.my.salesforce.com"
SECRET = "simulated-secret"


class Detour(HTTPAdapter):
    """Sends what is meant for Salesforce to the simulator; the client only knows https."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._port = port

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> Any:
        """The same request, without TLS, to this machine."""
        parts = urlsplit(request.url or "")
        request.headers["Host"] = parts.netloc
        request.url = parts._replace(scheme="http", netloc=f"127.0.0.1:{self._port}").geturl()
        return super().send(request, *args, **kwargs)


@pytest.fixture
def simulator() -> SalesforceSimulator:
    return SalesforceSimulator()


@pytest.fixture
def session(simulator: SalesforceSimulator) -> Iterator[requests.Session]:
    with opened(simulator) as port, requests.Session() as session:
        session.trust_env = False
        session.mount("https://", Detour(port))
        yield session


def connect(session: requests.Session, secret: str = SECRET) -> Any:
    return simple_salesforce.Salesforce(
        consumer_key="headrace",
        consumer_secret=secret,
        domain="acme.my",
        version="67.0",
        session=session,
    )


def test_the_peer_works_with_the_simulator(
    simulator: SalesforceSimulator, session: requests.Session
) -> None:
    """Login, upsert twice, create, read, limits: the client finds what it expects."""
    peer = connect(session)
    account = peer.Account
    first = account.upsert("Headrace_Id__c/C-1", {"Name": "Acme"}, raw_response=True)
    second = account.upsert("Headrace_Id__c/C-1", {"Name": "Acme GmbH"})
    row = account.get_by_custom_id("Headrace_Id__c", "C-1")
    deal = {"Name": "N", "StageName": "Prospecting", "CloseDate": "2026-11-21"}
    created = peer.Opportunity.create({**deal, "AccountId": row["Id"]})

    assert (201, 200) == (first.status_code, second)
    assert ("Acme GmbH", "Account") == (row["Name"], row["attributes"]["type"])
    assert account.get(row["Id"]) == row
    assert peer.Opportunity.get(created["id"])["AccountId"] == row["Id"]
    assert account.api_usage["api-usage"].used > 0
    assert {"C-1": 1} == simulator.effects()["account"]


def test_the_peer_understands_the_refusals(
    simulator: SalesforceSimulator, session: requests.Session
) -> None:
    """Each refusal becomes the client's own exception, with the code it reads from the body."""
    peer = connect(session)

    with pytest.raises(simple_salesforce.SalesforceAuthenticationFailed):
        connect(session, secret="wrong")
    with pytest.raises(simple_salesforce.SalesforceResourceNotFound):
        peer.Account.get_by_custom_id("Headrace_Id__c", "C-404")
    with pytest.raises(simple_salesforce.SalesforceMalformedRequest) as caught:
        peer.Account.upsert("Headrace_Id__c/C-1", {"Nmae": "x"})
    assert "INVALID_FIELD" == caught.value.content[0]["errorCode"]


def test_the_peer_logs_in_again_when_its_session_ends(
    simulator: SalesforceSimulator, session: requests.Session
) -> None:
    """The client recognises our INVALID_SESSION_ID and repeats the request with a new token."""
    peer = connect(session)
    simulator.revoke_tokens()
    created = peer.Account.create({"Name": "Acme"})

    assert created["success"] is True


def test_the_peer_reads_what_the_adapter_wrote(session: requests.Session) -> None:
    """An account written by our exchange over a socket is found by the other client."""
    settings = Settings(login_url=f"https://{HOST}", client_id="headrace", client_secret=SECRET)
    address = Address(line1="Am Kai 1", postal_code="20457", city="Hamburg", country="DE")
    party = Party(
        party_id="C-1", kind=PartyKind.ORGANISATION, names=("Müller & Söhne",), addresses=(address,)
    )
    send = with_login(ADAPTER, settings, over_requests(session, timeout_s=10))
    made = run(SalesforceCrm(settings).upsert_account(party, key="k"), send)
    row = connect(session).Account.get_by_custom_id("Headrace_Id__c", "C-1")

    assert (made.external_id, "Müller & Söhne") == (row["Id"], row["Name"])
    assert ("Hamburg", "DE") == (row["BillingCity"], row["BillingCountryCode"])
