"""Chores: what a worker does again and again beside its flows, whatever goes wrong with it."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import structlog

from gateway.runtime.database import OUTAGES

_log = structlog.get_logger()


async def repeat(
    broke: str,
    chore: Callable[[], Awaitable[object]],
    stop: asyncio.Event,
    every_s: float = 3_600.0,
) -> None:
    """Do it until told to stop. Nothing that goes wrong here may end the worker.

    Args:
        broke: What the log says where the database refuses it.
        every_s: How long it rests in between.
    """
    while not stop.is_set():
        try:
            await chore()
        except OUTAGES:
            pass  # the next time finds the same to be done
        except psycopg.Error as error:
            _log.error(broke, error=type(error).__name__, code=error.sqlstate)
        try:
            await asyncio.wait_for(stop.wait(), every_s)
        except TimeoutError:
            continue
