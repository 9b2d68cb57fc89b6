"""Salesforce: accounts and opportunities over the REST API, one org per system.

Source: REST API Developer Guide, version 67.0 (Summer '26), read 2026-11.

Quirks that shape the code:
- Upserts go by an external id field of our own, so repeating one is harmless; no key is sent.
- The daily request limit answers 403, not 429.
- A missing record and a missing external id field are both 404; only the message tells.
- The client credentials flow names the instance to use, and not how long its token lives.
"""

from adapters.salesforce.crm import SalesforceCrm
from adapters.salesforce.faults import refused
from adapters.salesforce.settings import Settings
from adapters.salesforce.translation import load
from adapters.salesforce.wire import login
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="salesforce",
    title="Salesforce",
    settings=Settings,
    ports={"crm": SalesforceCrm},
    mappings=load,
    login=login,
    refused=refused,
    readable=frozenset(
        {"errorCode", "error", "success", "created", "id", "Id", "AccountId", "StageName"}
        | {"CloseDate", "Amount", "CurrencyIsoCode", "type", "token_type", "instance_url"}
    ),
)
