"""Showing: one thing of the model as it stands, or that the client has it already."""

from typing import Any

from litestar import Request, Response

from gateway.api.facade import Facade
from gateway.errors import Rejected
from gateway.model import codec


async def show(
    request: Request[Any, Any, Any], facade: Facade, *, kind: str, key: str, returns: type[Any]
) -> Response[bytes]:
    """The thing, or 304 where the client's ETag is of the same.

    Raises:
        Rejected: There is none, or it is another tenant's (code ``not_found``).
    """
    caller = facade.caller(request)
    async with facade.database.connection() as connection:
        found = await connection.execute(
            "select body::text, md5(body::text) from headrace.document"
            " where tenant = %s and kind = %s and id = %s",
            (caller.tenant, kind, key),
        )
        row = await found.fetchone()
    if row is None:
        raise Rejected(f"There is no {kind} with this id.", code="not_found")
    tag = f'"{row[1]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    asked = request.headers.get("if-none-match", "")
    if tag in asked or asked.strip() == "*":
        return Response(b"", status_code=304, headers=headers)
    body = codec.encode(codec.decode(row[0], returns))
    return Response(body, media_type="application/json", headers=headers)
