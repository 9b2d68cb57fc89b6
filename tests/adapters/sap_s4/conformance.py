"""SAP S/4HANA in the conformance suite."""

from adapters.sap_s4 import ADAPTER, Settings
from adapters.sap_s4.simulator import SapS4Simulator
from adapters.sap_s4.translation import order_reference, partner_reference
from tests.conformance.subject import Subject


def _connect(number: int) -> tuple[Settings, SapS4Simulator]:
    settings = Settings(
        base_url=f"https://s4-{number}.test:44300",
        user="HEADRACE",
        password=f"invented-{number}",
        client="100",
        sales_organization="1710",
        distribution_channel="10",
        division="00",
    )
    return settings, SapS4Simulator(user=settings.user, password=settings.password)


def _counted_as(settings: Settings, verb: str, our_id: str) -> str:
    if verb == "upsert_business_partner":
        return partner_reference(settings, our_id)
    return order_reference(our_id)


SUBJECT = Subject(
    adapter=ADAPTER,
    connect=_connect,
    secrets=lambda settings: (settings.password,),
    effects={
        "upsert_business_partner": "business_partner",
        "create_sales_order": "sales_order",
        "cancel_sales_order": "sales_order_cancelled",
    },
    counted_as=_counted_as,
)
