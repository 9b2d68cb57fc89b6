"""How the processes run."""

import gc

from gateway.commands import serve


async def _nothing() -> None:
    """Be over at once."""


def test_the_collector_looks_less_often_and_not_at_what_was_there() -> None:
    """Everything that was imported is frozen, and ten times as much gathers before a look."""
    before = gc.get_threshold()
    try:
        serve.run(_nothing())
        assert gc.get_threshold()[0] == 10_000
        assert gc.get_freeze_count() > 0
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
