"""The mandates port of Mollie: what is believed of its answers."""

from typing import Any

import httpx
import pytest

from adapters.mollie import ADAPTER, Settings
from gateway.errors import InDoubt
from gateway.kit.blocking import run
from gateway.model.held_mandate import DebtorAccount, HeldMandate
from tests.adapters.mollie.conftest import KEY

ASKED = HeldMandate(
    mandate_id="m-1",
    system="mollie",
    method_code="sepa_debit",
    customer_id="C-1",
    account=DebtorAccount(debtor_name="Erika Mustermann", iban="DE89370400440532013000"),
    requested_at="2026-01-01T00:00:00Z",
)


@pytest.mark.parametrize(
    "answer",
    [{"id": "cst_2", "metadata": {"mandate_id": "m-2"}}, {"id": "cst_2", "metadata": None}],
)
def test_customer_of_another_mandate_gets_no_account(answer: dict[str, Any]) -> None:
    """The account is not sent below it."""
    port, sent = ADAPTER.port("mandates", Settings(api_key=KEY)), list[httpx.Request]()

    def send(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(201, json=answer, request=request)

    with pytest.raises(InDoubt) as caught:
        run(port.create_mandate(ASKED, key="k"), send)

    assert ("integrity_mismatch", 1) == (caught.value.code, len(sent))
