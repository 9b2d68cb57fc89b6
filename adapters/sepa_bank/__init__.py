"""Banks by files: SEPA direct debits by mandates of our own, payouts, and what statements tell.

Quirks worth knowing before reading on
- Nothing is sent and nobody is asked: the hub's exports write the files (``headrace exports run
  collections | transfers``), and ``headrace bank read`` takes what the bank wrote.
- A payment is PENDING from the promise to the bank's own booking, and until it stands in a file it
  can be cancelled.
- What was booked can come back for eight weeks without a reason, and 13 months without a mandate.

Source: docs/reference/sepa.md and README.md, read 2026-11.
"""

from adapters.sepa_bank.capabilities import CAPABILITIES
from adapters.sepa_bank.files import SepaBankFiles, load
from adapters.sepa_bank.payments import SepaBankPayments
from adapters.sepa_bank.payouts import SepaBankPayouts
from adapters.sepa_bank.settings import Settings
from gateway.kit.adapter import Adapter

ADAPTER = Adapter(
    product="sepa_bank",
    title="Bank (SEPA files)",
    settings=Settings,
    ports={
        "payments": SepaBankPayments,
        "payouts": SepaBankPayouts,
        "bank_files": SepaBankFiles,
    },
    mappings=load,
    capabilities=CAPABILITIES,
)
