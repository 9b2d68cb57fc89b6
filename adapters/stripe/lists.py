"""Lists of Stripe's, page after page."""

from collections.abc import Callable, Generator
from typing import Final, TypeAlias, TypeVar

import httpx
import msgspec

from adapters.stripe import wire
from adapters.stripe.wire import Query
from gateway.kit.answers import Answer

T = TypeVar("T")
Pages: TypeAlias = Generator[httpx.Request, httpx.Response, list[T]]

# The most that Stripe gives in one page.
_LIMIT: Final = ("limit", "100")


def pages(
    speaking: wire.Wire,
    path: str,
    first: Query,
    decoder: msgspec.json.Decoder[T],
    wanted: Callable[[T], bool],
    id_of: Callable[[T], str],
    *,
    account: str = "",
) -> Pages[Answer[T]]:
    """What is wanted of a list, the newest first.

    Args:
        account: Of the member whose list it is.
    """
    query, found = [*first, _LIMIT], list[Answer[T]]()
    while True:
        response = yield speaking.get(path, query, account=account)
        page = wire.page(response, decoder)
        found += [each for each in page.data if wanted(each.object)]
        if not page.has_more or not page.data:
            return found
        query = [*first, _LIMIT, ("starting_after", id_of(page.data[-1].object))]
