"""Addresses in deliveries: followed only where the vendor itself is at home.

Anybody can send a delivery, so an address in it is a stranger's wish that the hub should connect
somewhere (server-side request forgery). An address passes only when it begins, character for
character, with an origin of the list and goes on with a plain path. There is nothing to parse,
so no two parsers can disagree: user information, ports, numeric hosts, other spellings of a host,
backslashes, queries and fragments do not pass.
"""

import re
from collections.abc import Iterable
from typing import Final

import httpx

from gateway.errors import Rejected, Unavailable
from gateway.kit.adapter import request

_PATH: Final = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+")
_LONGEST: Final = 512


def require_origin(address: str, origins: Iterable[str]) -> None:
    """Accept an address of the vendor's, or raise.

    Args:
        origins: Scheme and host, such as ``https://api.paypal.com``; a port only for a
            simulator.

    Raises:
        Rejected: It leads somewhere else.
    """
    if len(address) <= _LONGEST:
        for origin in origins:
            if address.startswith(origin) and _PATH.fullmatch(address, len(origin)):
                return
    raise Rejected("The delivery names an address that is not the vendor's.", code="url_refused")


def read_document(address: str, origins: Iterable[str]) -> httpx.Request:
    """The request for a public document at the vendor's; it carries no credentials.

    Raises:
        Rejected: The address leads somewhere else.
    """
    require_origin(address, origins)
    return request("GET", httpx.URL(address), [(b"accept", b"*/*")])


def document_in(response: httpx.Response) -> bytes:
    """What came.

    Raises:
        Rejected: There is no such document, so the delivery cannot be proven.
        Unavailable: The vendor has a bad moment.
    """
    if response.status_code == httpx.codes.OK:
        return response.content
    if response.status_code in {404, 410}:
        raise Rejected("The key that the delivery names does not exist.", code="key_unknown")
    raise Unavailable("The key of the delivery cannot be fetched.", code="key_unavailable")
