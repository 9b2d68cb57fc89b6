"""Salesforce in the conformance suite."""

from adapters.salesforce import ADAPTER
from adapters.salesforce.settings import Settings
from adapters.salesforce.simulator import SalesforceSimulator
from tests.conformance.subject import Subject


def _connect(number: int) -> tuple[Settings, SalesforceSimulator]:
    settings = Settings(
        login_url=f"https://acme-{number}.my.salesforce.com",
        client_id="headrace",
        client_secret=f"invented-{number}",
    )
    return settings, SalesforceSimulator(client_secret=settings.client_secret)


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.client_secret,),
    effects={"upsert_account": "account", "upsert_opportunity": "opportunity"},
)
