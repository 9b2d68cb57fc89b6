"""Listing: things of one kind, the newest first, a page at a time.

The cursor is the id of the last one that was shown; ids rise with time (UUIDv7), so a page stays
the same while new things come.

Source: Zalando RESTful guidelines, pagination (page objects, cursors), read 2026-11.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec
from litestar import Request

from gateway.api.facade import Facade
from gateway.model import codec
from gateway.policy.validation import FieldError, Invalid

T = TypeVar("T")

_LIMIT: Final = 50
_LIMIT_MOST: Final = 200


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Where the pages are; relative, with the same filters.

    Attributes:
        next: Empty where this is the last page.
    """

    self: str
    first: str
    next: str


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Which page is asked for.

    Attributes:
        cursor: Of the last one that was shown; empty for the first page.
        filters: What the things have to be, by the field.
    """

    limit: int
    cursor: str
    filters: dict[str, str]


def paged(request: Request[Any, Any, Any], *, filters: tuple[str, ...]) -> Page:
    """Which page is asked for.

    Args:
        filters: Query parameters that name a field of the thing, and what it has to be.

    Raises:
        Invalid: A parameter is unknown, or the limit is no number.
    """
    asked = _asked(request)
    if unknown := sorted(set(asked) - {"limit", "cursor", *filters}):
        detail = f"Send only {', '.join(('limit', 'cursor', *filters))}."
        raise Invalid(tuple(FieldError(f"?{one}", "unknown_parameter", detail) for one in unknown))
    return Page(
        limit=_limit(asked.get("limit", str(_LIMIT))),
        cursor=asked.get("cursor", ""),
        filters={name: asked[name] for name in filters if name in asked},
    )


def links(request: Request[Any, Any, Any], cursor: str) -> Links:
    """Where the other pages are.

    Args:
        cursor: Of the last one on this page; empty where it is the last page.
    """
    asked, path = _asked(request), request.url.path
    kept = {name: value for name, value in asked.items() if name != "cursor"}
    return Links(
        self=_url(path, asked),
        first=_url(path, kept),
        next=_url(path, kept | {"cursor": cursor}) if cursor else "",
    )


async def listed(
    request: Request[Any, Any, Any],
    facade: Facade,
    *,
    kind: str,
    returns: type[T],
    filters: tuple[str, ...],
) -> tuple[tuple[T, ...], Links]:
    """A page of documents, and where the others are; see ``paged``."""
    caller = facade.caller(request)
    asked = paged(request, filters=filters)
    async with facade.database.connection() as connection:
        found = await connection.execute(
            "select body::text, id from headrace.document"
            " where tenant = %s and kind = %s and (%s = '' or id < %s) and body @> %s"
            " order by id desc limit %s",
            (
                caller.tenant,
                kind,
                asked.cursor,
                asked.cursor,
                codec.encode(asked.filters).decode(),
                asked.limit + 1,
            ),
        )
        rows = await found.fetchall()
    page = rows[: asked.limit]
    cursor = str(page[-1][1]) if len(rows) > asked.limit else ""
    return tuple(codec.decode(body, returns) for body, _ in page), links(request, cursor)


def _asked(request: Request[Any, Any, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in request.query_params.items()}


def require(name: str, value: str) -> None:
    """Refuse a list of everybody's things: one query parameter says whose.

    Raises:
        Invalid: It is missing.
    """
    if not value:
        detail = f"Name the {name.removesuffix('_id')}: ?{name}=…"
        raise Invalid((FieldError("", "query_missing", detail),))


def _url(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def _limit(asked: str) -> int:
    if not asked.isascii() or not asked.isdecimal() or not 1 <= int(asked[:6]) <= _LIMIT_MOST:
        detail = f"Send a number from 1 to {_LIMIT_MOST}."
        raise Invalid((FieldError("?limit", "wrong_limit", detail),))
    return int(asked)
