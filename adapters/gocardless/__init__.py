"""GoCardless: payments by direct debit against mandates, refunds, and what the bank takes back.

Quirks worth knowing before reading on
- The token is a mandate (``MD…``), whose scheme decides the method. The payer gives it on a page.
- A payment is PENDING for days, and what was collected can still fail or be charged back; an
  event ``failed`` does not say which of the two it means.
- A key that was used is answered with 409 and the id of what it made, which is then read.
- Events carry no amounts, so ours stands in the metadata; of their details ``cause`` decides.

Source: developer.gocardless.com (README.md lists the pages), version 2015-07-06, read 2026-11.
"""

from adapters.gocardless.capabilities import CAPABILITIES
from adapters.gocardless.mandates import GoCardlessMandates
from adapters.gocardless.payments import GoCardlessPayments
from adapters.gocardless.reports import GoCardlessReports
from adapters.gocardless.settings import Settings
from adapters.gocardless.translation import load
from adapters.gocardless.webhooks import GoCardlessWebhooks
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="gocardless",
    title="GoCardless",
    settings=Settings,
    ports={
        "payments": GoCardlessPayments,
        "mandates": GoCardlessMandates,
        "webhooks": GoCardlessWebhooks,
        "reports": GoCardlessReports,
    },
    mappings=load,
    capabilities=CAPABILITIES,
    readable=frozenset(
        """
        action after amount amount_refunded before billing_request cause charge_date code
        conflicting_resource_id created_at currency field id limit mandate mandate_id
        mandate_request_mandate new_mandate order_id origin payment payment_id reason reason_code
        refund refund_id request_pointer resource_type scheme status total_amount_confirmation type
        will_attempt_retry
        """.split()
    ),
)
