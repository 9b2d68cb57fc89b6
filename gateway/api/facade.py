"""What the routes need: one object, made by ``app.py`` and handed to every handler."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gateway.errors import Rejected
from gateway.policy.access import Access, Caller
from gateway.runtime.database import Database
from gateway.runtime.hub import Hub
from gateway.runtime.inbox import Inbox
from gateway.runtime.keyring import KeyRing
from gateway.settings import ServerSettings

_UTF_8: Final = {"charset=utf-8", 'charset="utf-8"'}


class Request(Protocol):
    """What both kinds of routes are given."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Name in lower case to value."""

    @property
    def scope(self) -> Any:
        """Of ASGI."""


@dataclass(frozen=True, kw_only=True)
class Facade:
    """The parts of one serving process.

    Attributes:
        tenants: Names of the tenants that are configured.
    """

    database: Database
    hub: Hub
    inbox: Inbox
    keyring: KeyRing
    access: Access
    settings: ServerSettings
    tenants: tuple[str, ...]

    def caller(self, request: Request) -> Caller:
        """Who sent the request; the access log names the client.

        Raises:
            Rejected: Nobody we know.
        """
        caller = self.access.caller(
            request.headers.get("authorization", ""), request.headers.get("headrace-tenant", "")
        )
        request.scope["headrace_client"] = caller.client
        return caller


def require_json(content_type: str) -> None:
    """Refuse what is not JSON in UTF-8.

    Source: RFC 8259 §8.1: JSON between systems is UTF-8; a charset parameter means nothing.

    Raises:
        Rejected: With code ``unsupported_media_type``.
    """
    if content_type == "application/json":  # as nearly all say
        return
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = {part for part in parameters if part.startswith("charset=")}
    if media_type != "application/json" or not charsets <= _UTF_8:
        raise Rejected("Send Content-Type: application/json.", code="unsupported_media_type")
