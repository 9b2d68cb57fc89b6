"""How Salesforce speaks: the token, the paths and the answers we read.

Source: help.salesforce.com, "OAuth 2.0 Client Credentials Flow for Server-to-Server Integration";
REST API Developer Guide, "sObject Rows by External ID", version 67.0; read 2026-11.
"""

from typing import Annotated
from urllib.parse import urlencode

import httpx
import msgspec
from msgspec import Meta

from adapters.salesforce import faults
from adapters.salesforce.settings import Settings
from gateway.errors import Misconfigured
from gateway.kit.adapter import request
from gateway.ports.exchange import Exchange, Session

SalesforceId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?$")]


class _Token(msgspec.Struct, frozen=True):
    access_token: Annotated[str, Meta(pattern=r"^[\x21-\x7e]+$")]
    instance_url: Annotated[str, Meta(pattern=r"^https?://[^/?#\s@]+$")]


class _Saved(msgspec.Struct, frozen=True):
    id: SalesforceId
    success: bool


class _Row(msgspec.Struct, frozen=True, rename="pascal"):
    id: SalesforceId


_TOKEN = msgspec.json.Decoder(_Token)
_SAVED = msgspec.json.Decoder(_Saved)
_ROW = msgspec.json.Decoder(_Row)
_ACCEPT = [(b"accept", b"application/json")]
_JSON = [*_ACCEPT, (b"content-type", b"application/json")]
_FORM = [*_ACCEPT, (b"content-type", b"application/x-www-form-urlencoded")]


def login(settings: Settings) -> Exchange[Session]:
    """Earn an access token as the integration user of the client app."""
    form = {
        "grant_type": "client_credentials",
        "client_id": settings.client_id,
        "client_secret": settings.client_secret,
    }
    url = httpx.URL(f"{settings.login_url}/services/oauth2/token")
    response = yield request("POST", url, _FORM, urlencode(form).encode("ascii"))
    faults.check_login(response)
    try:
        token = _TOKEN.decode(response.content)
    except msgspec.MsgspecError as error:
        raise faults.unreadable(writes=False) from error
    if settings.login_url.startswith("https:") and not token.instance_url.startswith("https:"):
        raise Misconfigured(
            "Salesforce named an instance without TLS; the token is not sent there.",
            code="instance_insecure",
        )
    return Session(
        headers={"Authorization": f"Bearer {token.access_token}"},
        origin=token.instance_url,
        expires_in_s=settings.token_lifetime_s,
    )


def record_request(
    settings: Settings,
    method: str,
    sobject: str,
    external_id: str,
    body: bytes = b"",
    *,
    made_by: str = "",
) -> httpx.Request:
    """A request about the one record with the external id.

    Args:
        made_by: The mapping that the body comes from.
    """
    path = f"/services/data/{settings.api_version}/sobjects/{sobject}"
    url = f"{settings.login_url}{path}/{settings.external_id_field}/{external_id}"
    headers = _JSON if body else _ACCEPT
    return request(method, httpx.URL(url), headers, body, made_by=made_by)


def external_id(entity_id: str) -> str:
    """Our id as it stands in the external id field and in the path.

    A dot becomes a tilde, which our ids never contain: Salesforce answers 404 where the id ends
    like a file name (``.inc``), and ``..`` would change the path.

    Source: REST API Developer Guide, "sObject Rows by External ID", note on file extensions.
    """
    return entity_id.replace(".", "~")


def entity_id(external: str) -> str:
    """Our id from the one in the external id field."""
    return external.replace("~", ".")


def saved_id(response: httpx.Response) -> str:
    """The id in the answer to an upsert."""
    try:
        saved = _SAVED.decode(response.content)
    except msgspec.MsgspecError as error:
        raise faults.unreadable(writes=True) from error
    if not saved.success:
        raise faults.unreadable(writes=True)
    return saved.id


def row_id(response: httpx.Response, *, writes: bool) -> str:
    """The id of a record that was read."""
    try:
        return _ROW.decode(response.content).id
    except msgspec.MsgspecError as error:
        raise faults.unreadable(writes=writes) from error
