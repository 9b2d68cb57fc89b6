"""Looking for one transfer of Adyen's under a reference of ours."""

from typing import TypeVar

import httpx
import msgspec

from adapters.adyen_platform import wire
from adapters.adyen_platform.answers import FOUND, TRANSFER, Transfer
from gateway.errors import InDoubt, Unavailable
from gateway.kit.adapter import segment
from gateway.kit.answers import Answer
from gateway.ports.exchange import Exchange

T = TypeVar("T")
# The names that are given to one reference; more would be a mix-up.
_PAGE = 100


def by_reference(
    speaking: wire.Wire, account: str, reference: str, requested_at: str
) -> Exchange[Answer[Transfer] | None]:
    """The outgoing transfer of an account that carries our reference.

    Raises:
        InDoubt: There are several.
    """
    response = yield speaking.search(account, reference, requested_at)
    page = wire.read(response, FOUND, wrote=False).object
    try:
        read = [Answer(bytes(raw), TRANSFER.decode(raw)) for raw in page.data]
    except msgspec.DecodeError as error:
        raise Unavailable("Adyen's list cannot be read.", code="unreadable") from error
    ours = [
        one
        for one in read
        if (one.object.reference, one.object.direction) == (reference, "outgoing")
    ]
    if len(ours) > 1 or len(read) >= _PAGE:
        raise InDoubt("Adyen has more than one with our id.", code="found_twice")
    return ours[0] if ours else None


def by_id(speaking: wire.Wire, transfer_id: str) -> Exchange[Answer[Transfer] | None]:
    """The transfer with Adyen's own id."""
    response: httpx.Response = yield speaking.get(f"/transfers/{segment(transfer_id)}")
    if wire.missing(response):
        return None
    return wire.read(response, TRANSFER, wrote=False)
