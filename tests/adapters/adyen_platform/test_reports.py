"""Transfers that Adyen lists: hints without account numbers, page by page."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.adyen_platform import ADAPTER
from gateway.model.reference import EntityKind
from gateway.ports.notification import Notification, Report
from tests.adapters.adyen_platform.test_platform import (
    IBAN,
    NOW,
    OUR_ID,
    SPEC,
    Account,
    payout,
    transfer,
)
from tests.conformance.subject import pages

_DAY = 86_400.0


@pytest.fixture
def account() -> Account:
    return Account()


def _listed(account: Account, since: float = NOW - 60) -> list[Report]:
    port = ADAPTER.port("reports", account.settings)
    return [one for page in pages(account.run, port, since) for one in page.reports]


def _ids(number: int) -> str:
    return f"{OUR_ID[:-4]}{number:04}"


def test_what_is_listed_says_where_it_stands(account: Account) -> None:
    """Under our id, in our words, at the time of its making; once for each state."""
    account.run(account.payouts.create_payout(payout(), key="k"))
    account.run(account.transfers.create_transfer(transfer(transfer_id=_ids(2)), key="t"))
    before = _listed(account)
    account.now += 60
    after = _listed(account)
    port = ADAPTER.port("webhooks", account.settings)
    read = [port.read(Notification(body=one.body))[0] for one in (*before, *after)]

    assert ["SENT", "SENT", "DONE", "PAID"] == sorted([one.stands for one in before]) + sorted(
        [one.stands for one in after]
    )
    assert {(EntityKind.PAYOUT, OUR_ID), (EntityKind.TRANSFER, _ids(2))} == {
        (one.about.entity, one.about.entity_id) for one in read if one.about
    }
    assert {NOW} == {one.at for one in after}
    assert 4 == len({one.event_id for one in read})
    assert [one.body for one in after] == [one.body for one in _listed(account)]
    assert not any(IBAN.iban.encode() in one.body or b"Anna" in one.body for one in before)


def test_every_page_is_listed(account: Account) -> None:
    """The newest first, nothing twice and nothing left out."""
    for number in range(230):
        account.run(account.payouts.create_payout(payout(payout_id=_ids(number)), key=f"{number}"))
    account.requests.clear()

    found = _listed(account)

    assert [_ids(number) for number in reversed(range(230))] == [
        json.loads(one.body)["data"]["reference"] for one in found
    ]
    assert 3 + 1 == len(account.requests)  # and those to banks that were made before


def test_what_was_sent_to_a_bank_lately_is_listed_again(account: Account) -> None:
    """It may have come back since; what moved inside the platform stays."""
    account.run(account.payouts.create_payout(payout(), key="k"))
    account.run(account.transfers.create_transfer(transfer(transfer_id=_ids(2)), key="t"))
    account.now += 20 * _DAY

    listed = [_listed(account, since=NOW + days * _DAY) for days in (0.0, 10.0, 16.0)]

    assert [2, 1, 0] == [len({one.body for one in each}) for each in listed]
    assert [OUR_ID] == [json.loads(one.body)["data"]["reference"] for one in listed[1]]


@pytest.mark.parametrize(
    "entry", [5, {}, {"id": 5}, {"id": "T", "status": "new", "category": "bank"}]
)
def test_entry_that_cannot_be_read_hides_no_other(account: Account, entry: Any) -> None:
    """It says nothing, and is kept only where it has a name."""
    port = ADAPTER.port("reports", account.settings)
    account.run(account.payouts.create_payout(payout(), key="k"))
    exchange = port.find_reports(NOW - 60, "")
    answer = account.send(next(exchange))
    body = {"data": [entry, *answer.json()["data"]]}

    with pytest.raises(StopIteration) as ended:
        exchange.send(httpx.Response(200, json=body, request=answer.request))

    odd, good = ended.value.value.reports
    assert ("", "SENT") == (odd.stands, good.stands)


def test_lists_are_asked_for_as_adyen_documents_them(contracts: Path, account: Account) -> None:
    """With the parameters of its document."""
    if not (contracts / SPEC).is_file():
        pytest.skip("contracts not found")
    known = json.loads((contracts / SPEC).read_bytes())["paths"]["/transfers"]["get"]["parameters"]
    for number in range(101):
        account.run(account.payouts.create_payout(payout(payout_id=_ids(number)), key=f"{number}"))
    account.requests.clear()
    _listed(account)

    sent = set().union(*(one.url.params for one in account.requests))
    assert {"balanceAccountId", "cursor", "category", "sortOrder"} <= sent
    assert sent <= {one["name"] for one in known}
