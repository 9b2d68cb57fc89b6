"""What stands around a stage with further providers: its clock, its rows, and turns of the hub."""

from typing import Any

from tests.flows.stage import Life, Stage


class Around:
    """A stage with a worker, whose webhooks also come from others; ``deliver`` says from whom."""

    stage: Stage
    life: Life

    def now(self) -> float:
        """Seconds since the epoch, by the simulators' clock."""
        return self.stage.now()

    async def rows(self, sql: str, *params: Any) -> list[tuple[Any, ...]]:
        """What PostgreSQL answers."""
        return await self.stage.rows(sql, *params)

    async def deliver(self) -> int:
        """Hand the webhooks that are due to the facade; returns how many were taken."""
        return await self.stage.deliver()

    async def work(self) -> None:
        """Run what is due; nothing waits for the time to pass."""
        while await self.life.work():
            pass

    async def react(self) -> None:
        """Work and deliver until nothing moves; no time passes."""
        while await self.life.work() + await self.deliver() + await self.life.apply():
            pass
