"""Health: alive means that the loop turns, ready that the database answers. Never a third party."""

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from gateway.api import problems
from gateway.api.facade import Facade
from gateway.errors import Rejected


@get("/livez")
async def live() -> Response[bytes]:
    """Say that the process turns."""
    return Response(b"ok", media_type="text/plain")


@get("/readyz")
async def ready(facade: NamedDependency[Facade]) -> Response[bytes]:
    """Say that requests can be served; 503 where the database does not answer."""
    async with facade.database.connection() as connection:
        await connection.execute("select 1")
    return Response(b"ready", media_type="text/plain")


@get("/problems/{code:str}")
async def explain_problem(code: FromPath[str]) -> dict[str, str | int]:
    """Explain a type of problem."""
    known = problems.CATALOGUE.get(code)
    if known is None:
        raise Rejected("There is no such type of problem.", code="not_found")
    status, title, advice = known
    return {"type": f"/problems/{code}", "status": status, "title": title, "what_to_do": advice}
