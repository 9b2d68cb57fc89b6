"""What a route is, as front-ends see it."""

from typing import Any

import msgspec


class Success(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a route succeeds.

    Attributes:
        body: Type of the body, or a tuple of those that it may have; None for none, a string for a
            media type that is not JSON.
        headers: Names of headers that may come with it.
    """

    description: str
    body: Any = None
    headers: tuple[str, ...] = ()
    example: Any = None


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One route as front-ends see it.

    Attributes:
        path: With parameters in braces.
        takes: Names of header parameters.
        asks: Names of query parameters.
        body: Type of the request's body, or a tuple of those that it may have; ``bytes`` where a
            provider decides.
        success: By status.
        problems: Codes of the catalogue that it may answer, beside those of every route.
        secured: Whether the bearer key is asked for.
        sheds: Whether it is refused under load; health and webhooks never are.
    """

    method: str
    path: str
    operation_id: str
    tag: str
    summary: str
    success: dict[int, Success]
    description: str = ""
    takes: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    body: Any = None
    example: Any = None
    problems: tuple[str, ...] = ()
    secured: bool = False
    sheds: bool = True
