"""What a front-end does, and what the tests of the facade look at."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import psycopg
import yaml

from gateway import configuring
from gateway.api.problems import CATALOGUE, MEDIA_TYPE, Problem
from gateway.runtime.database import wait_until_back
from tests.flows.postgres import _numbers, named
from tests.flows.stage import Stage, new_order, served

_TABLES: Final = ("document", "flow", "idempotency", "outbox", "inbox", "reference", "evidence")
_PROBLEM: Final = msgspec.json.Decoder(Problem)


@contextmanager
def fresh(server: str) -> Iterator[str]:
    """URL of a migrated database that lives as long as the block."""
    name = f"api_{next(_numbers)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} template migrated strategy file_copy")
        yield named(server, name)
        connection.execute(f"drop database {name} with (force)")


def configured(
    folder: Path,
    url: str,
    *,
    server: Mapping[str, Any] | None = None,
    tenants: tuple[str, ...] = ("acme",),
) -> Stage:
    """A stage whose server settings differ, and where every tenant has the same systems.

    Args:
        server: Fields of ``ServerSettings``.
    """
    stage = Stage(folder, url)
    process = folder / "headrace.yaml"
    typed = yaml.safe_load(process.read_text())
    typed["server"] |= server or {}
    process.write_text(yaml.safe_dump(typed))
    acme = yaml.safe_load((folder / "tenants" / "acme.yaml").read_text())
    for tenant in tenants:
        file = folder / "tenants" / f"{tenant}.yaml"
        file.write_text(yaml.safe_dump(acme | {"tenant": tenant}))
    stage.configuration = configuring.configure(process)
    return stage


class Front:
    """A front-end, and whatever is stored of what it sends.

    Attributes:
        parts: Of the process that serves it.
        api: Its HTTP client.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.parts = stage.parts("serve")
        self.api: httpx.AsyncClient

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Front"]:
        """Serve while the block lasts."""
        stage = self.stage
        stage.sql = await psycopg.AsyncConnection.connect(stage.url, autocommit=True)
        async with stage.sql, served(self.parts) as api:
            self.api = stage.api = api
            yield self

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """PostgreSQL ends every connection and lets nobody in while the block lasts."""
        self.parts.database._pool.timeout = 0.3
        name = self.stage.sql.info.dbname
        server = self.stage.url.replace(f"/{name}?", "/postgres?", 1)
        async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
            allow = "alter database {} allow_connections {}"
            await connection.execute(allow.format(name, "false"))  # type: ignore[arg-type] # a name of ours
            await self.stage.rows(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
            try:
                yield
            finally:
                await connection.execute(allow.format(name, "true"))  # type: ignore[arg-type] # the same
        await wait_until_back(self.parts.database, limit_s=20)

    @asynccontextmanager
    async def another(self) -> AsyncIterator[httpx.AsyncClient]:
        """One more process of the facade over the same database."""
        async with served(self.stage.parts("serve")) as api:
            yield api

    async def post(
        self,
        order: Any,
        *,
        key: str = "k-1",
        api: httpx.AsyncClient | None = None,
        **headers: str,
    ) -> httpx.Response:
        """Submit an order; bytes go as they are.

        Args:
            headers: Further headers, with underscores for hyphens; empty leaves one out.
        """
        sent = {"Idempotency-Key": key, "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = order if isinstance(order, bytes) else json.dumps(order).encode()
        return await (api or self.api).post(
            "/v1/orders", content=body, headers={k: v for k, v in sent.items() if v}
        )

    async def stored(self) -> dict[str, int]:
        """Rows of every table that a request could touch."""
        counts = {}
        for table in _TABLES:
            sql = f"select count(*) from headrace.{table}"  # noqa: S608 - our own names
            counts[table] = (await self.stage.rows(sql))[0][0]
        return counts


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """What the condition answers as soon as it is true."""
    async with asyncio.timeout(20):
        while not (answer := await condition()):  # noqa: ASYNC110 - rows of PostgreSQL tell nobody
            await asyncio.sleep(0.01)
        return answer


def problem_of(response: httpx.Response) -> Problem:
    """The problem document of an answer, checked against its schema and the catalogue."""
    assert MEDIA_TYPE == response.headers["content-type"]
    document = _PROBLEM.decode(response.content)
    assert set(json.loads(response.content)) == set(Problem.__struct_fields__)
    status, title, _ = CATALOGUE[document.code]
    assert (status, title) == (response.status_code, document.title)
    assert response.status_code == document.status
    assert f"/problems/{document.code}" == document.type
    request_id = response.headers["headrace-request-id"]
    assert f"urn:headrace:request:{request_id}" == document.instance
    assert document.detail
    return document


def pointers(document: Problem) -> list[tuple[str, str]]:
    """Pointer and code of everything that is wrong."""
    return [(one.pointer, one.code) for one in document.errors]


__all__ = ["Front", "configured", "fresh", "new_order", "pointers", "problem_of", "until"]
