"""Showing: a thing of the model as it stands, or as a request has left it."""

from typing import Any, Final, TypeVar

from litestar import Request, Response

from gateway.api.facade import Facade
from gateway.errors import Rejected
from gateway.model import codec
from gateway.runtime import documents
from gateway.runtime.answers import Answer
from gateway.runtime.documents import Unit

T = TypeVar("T")

_PRIVATE: Final = {"Cache-Control": "private, no-cache"}


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
        raise not_there(kind)
    tag = f'"{row[1]}"'
    asked = request.headers.get("if-none-match", "")
    if tag in asked or asked.strip() == "*":
        return Response(b"", status_code=304, headers={"ETag": tag, **_PRIVATE})
    answer = shown(codec.decode(row[0], returns))
    answer.set_header("ETag", tag)
    return answer


def shown(thing: object) -> Response[bytes]:
    """The answer to a question; a browser may keep it, and asks before it shows it again."""
    return Response(codec.encode(thing), media_type="application/json", headers=_PRIVATE)


def made(thing: object, location: str, *, status: int = 201) -> Answer:
    """The answer that shows what a request has made or changed."""
    return Answer(status=status, headers={"Location": location}, body=codec.encode(thing))


async def find(facade: Facade, tenant: str, *, kind: str, key: str, returns: type[T]) -> T:
    """The thing as it stands.

    Raises:
        Rejected: There is none (code ``not_found``).
    """
    async with facade.database.connection() as connection:
        thing = await documents.read(connection, tenant, kind, key, returns)
    if thing is None:
        raise not_there(kind)
    return thing


async def lock(unit: Unit, *, kind: str, key: str, returns: type[T]) -> T:
    """The thing as it stands, nobody else's until the transaction ends.

    Raises:
        Rejected: There is none (code ``not_found``).
    """
    thing = await unit.load(kind, key, returns)
    if thing is None:
        raise not_there(kind)
    return thing


def not_there(kind: str) -> Rejected:
    """The refusal of an id that nothing has."""
    return Rejected(f"There is no {kind.replace('_', ' ')} with this id.", code="not_found")


def wrong_state(kind: str, state: str) -> Rejected:
    """The refusal of what is not done in this state."""
    return Rejected(f"This cannot be done while the {kind} is {state}.", code="wrong_state")
